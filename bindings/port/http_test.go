package port

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// get makes the fields of a request.
func get(method, path string, more ...string) []byte {
	return appendFields(nil, pairs(append([]string{":method", method, ":scheme", "https", ":authority", "localhost", ":path", path}, more...)...))
}

// response makes the payload of a response.
func response(status string, content []byte, more ...string) []byte {
	return append(appendFields(nil, pairs(append([]string{":status", status}, more...)...)), content...)
}

// h3Pair is pair for HTTP/3. It returns the listener as well.
func (h *host) h3Pair(options ...string) (client, server, listener uint32) {
	h.t.Helper()
	options = append([]string{"protocol", "h3"}, options...)
	listener, address := h.listen(options...)
	client = h.connect(address, options...)
	server = h.want(EvAccepted, 0).conn
	h.want(EvConnected, client)
	return client, server, listener
}

// body reads the content of a message, and its trailers.
func (h *host) body(conn, id uint32) (content []byte, trailers map[string]string) {
	h.t.Helper()
	for {
		g := h.event()
		switch {
		case g.conn != conn || g.id != id:
			h.later = append(h.later, g)
		case g.Event == EvTrailers:
			return content, g.fields(h.t)
		case g.Event == EvData:
			content = append(content, g.payload...)
			if g.fin() {
				return content, nil
			}
			h.do(CmdCredit, 0, conn, id, le64(uint64(len(g.payload))))
		case g.Event == EvCredit:
		default:
			h.t.Fatalf("event %d within content: %+v", g.Event, g)
		}
	}
}

// pour writes content as credit allows.
func (h *host) pour(conn, id uint32, content []byte, fin bool) {
	h.t.Helper()
	credit := defaultWindow
	for {
		n := min(len(content), credit, 16<<10)
		flags := uint8(0)
		if fin && n == len(content) {
			flags = flagFin
		}
		h.do(CmdWrite, flags, conn, id, content[:n])
		if content, credit = content[n:], credit-n; len(content) == 0 {
			return
		}
		for credit == 0 {
			g := h.event()
			if g.Event == EvCredit && g.conn == conn && g.id == id {
				credit += int((&record{payload: g.payload}).u64())
			} else {
				h.later = append(h.later, g)
			}
		}
	}
}

func TestHTTP(t *testing.T) {
	h := open(t, Config{})
	client, server, _ := h.h3Pair()
	for _, size := range []int{0, 10, 100_000} {
		for _, small := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d/%v", size, small), func(t *testing.T) {
				h.t = t
				id, content := h.handle(), noise(1, size)
				h.do(CmdRequest, flagFin, client, id, get("GET", "/page?a=b", "cookie", "a", "x-empty", ""))
				r := h.want(EvRequest, server)
				if f := r.fields(t); !r.fin() || f[":method"] != "GET" || f[":path"] != "/page?a=b" || f["cookie"] != "a" || f[":authority"] != "localhost" {
					t.Errorf("request %+v", f)
				}
				if small && size < 50_000 {
					h.do(CmdRespond, flagFin, server, r.id, response("200", content, "x-a", "b"))
				} else {
					h.do(CmdRespond, 0, server, r.id, response("200", nil, "x-a", "b"))
					h.pour(server, r.id, content, true)
				}
				a := h.want(EvResponse, client)
				if f := a.fields(t); a.id != id || f[":status"] != "200" || f["x-a"] != "b" {
					t.Errorf("response %+v for %d", f, a.id)
				}
				if !a.fin() {
					if got, trailers := h.body(client, id); !bytes.Equal(got, content) || trailers != nil {
						t.Errorf("%d bytes of %d, trailers %v", len(got), size, trailers)
					}
				} else if size > 0 {
					t.Error("response without content")
				}
				for _, c := range []uint32{client, server} {
					if f := h.want(EvEnded, c).failure(); f.kind != OK {
						t.Errorf("end of %d: %+v", c, f)
					}
				}
			})
		}
	}
}

func TestHTTPUpload(t *testing.T) {
	h := open(t, Config{})
	client, server, _ := h.h3Pair()
	id, content := h.handle(), noise(2, 3<<20)
	h.do(CmdRequest, 0, client, id, get("POST", "/upload"))
	r := h.want(EvRequest, server)
	h.do(CmdInform, 0, server, r.id, response("103", nil, "link", "</style.css>"))
	if f := h.want(EvInform, client).fields(t); f[":status"] != "103" || f["link"] == "" {
		t.Errorf("interim response %v", f)
	}
	w := newWorld(h)
	x := w.tube(client, id)
	x.toSend = content
	w.pump(x)
	h.commit()
	got := []byte{}
	trailers := map[string]string(nil)
	for trailers == nil {
		g := h.event()
		switch {
		case g.conn == server && g.Event == EvData:
			got = append(got, g.payload...)
			h.do(CmdCredit, 0, server, r.id, le64(uint64(len(g.payload))))
		case g.conn == client && g.Event == EvCredit:
			x.credit += int((&record{payload: g.payload}).u64())
			w.pump(x)
			h.commit()
		case g.Event == EvTrailers:
			trailers = g.fields(t)
		default:
			t.Fatalf("event %+v", g)
		}
		if len(x.toSend) == 0 && !x.sentFin {
			x.sentFin = true
			h.do(CmdTrailers, 0, client, id, appendFields(nil, pairs("x-sum", "1")))
		}
	}
	if !bytes.Equal(got, content) || trailers["x-sum"] != "1" {
		t.Errorf("%d bytes of %d, trailers %v", len(got), len(content), trailers)
	}
	h.do(CmdRespond, 0, server, r.id, response("200", []byte("thanks, ")))
	h.do(CmdWrite, 0, server, r.id, []byte("friend"))
	h.do(CmdTrailers, 0, server, r.id, appendFields(nil, pairs("x-took", "long")))
	h.want(EvResponse, client)
	if body, trailers := h.body(client, id); string(body) != "thanks, friend" || trailers["x-took"] != "long" {
		t.Errorf("response %q, trailers %v", body, trailers)
	}
}

// TestHTTPAbort: either side gives a request up, and the other learns of it.
func TestHTTPAbort(t *testing.T) {
	h := open(t, Config{})
	client, server, _ := h.h3Pair()
	id := h.handle()
	h.do(CmdRequest, 0, client, id, get("POST", "/"))
	r := h.want(EvRequest, server)
	h.do(CmdReset, 0, client, id, le64(0x10c))
	if f := h.want(EvReset, server).failure(); f.code != 0x10c || !f.remote || f.kind != ErrStream {
		t.Errorf("the server learns %+v", f)
	}
	h.want(EvEnded, server)
	h.want(EvEnded, client)
	id = h.handle()
	h.do(CmdRequest, flagFin, client, id, get("GET", "/"))
	r = h.want(EvRequest, server)
	h.do(CmdReset, 0, server, r.id, le64(0x102))
	if f := h.want(EvEnded, client).failure(); f.code != 0x102 || !f.remote {
		t.Errorf("the client learns %+v", f)
	}
	for _, bad := range [][]byte{get("GET", "no slash"), get("GET", "/", "bad name", "x"), get("GET", "/", "a", "x\ny"), {1, 2, 3}} {
		id = h.handle()
		h.do(CmdRequest, flagFin, client, id, bad)
		if g := h.want(EvEnded, client); g.id != id || g.failure().kind != ErrCommand {
			t.Errorf("bad request: %+v", g.failure())
		}
	}
}

func TestRoutes(t *testing.T) {
	h := open(t, Config{})
	client, server, listener := h.h3Pair()
	route := append(appendFields(nil, pairs(":path", "/fixed", ":status", "200", "content-type", "text/plain")), "always"...)
	h.do(CmdRoute, 0, listener, 0, route)
	for _, method := range []string{"GET", "HEAD"} {
		id := h.handle()
		h.do(CmdRequest, flagFin, client, id, get(method, "/fixed"))
		a := h.want(EvResponse, client)
		if f := a.fields(t); f[":status"] != "200" || f["content-length"] != "6" || f["date"] == "" || f["content-type"] != "text/plain" {
			t.Errorf("%s: %v", method, f)
		}
		if method == "GET" {
			if body, _ := h.body(client, id); string(body) != "always" {
				t.Errorf("content %q", body)
			}
		}
		h.want(EvEnded, client)
	}
	h.do(CmdRoute, 0, listener, 0, appendFields(nil, pairs(":path", "/fixed")))
	h.do(CmdRequest, flagFin, client, h.handle(), get("GET", "/fixed"))
	h.want(EvRequest, server)
	for _, g := range h.later {
		t.Errorf("event %+v", g)
	}
}

// TestHTTPGraceful: requests under way are answered, then the connection is closed.
func TestHTTPGraceful(t *testing.T) {
	h := open(t, Config{})
	client, server, listener := h.h3Pair()
	h.do(CmdRequest, flagFin, client, h.handle(), get("GET", "/"))
	r := h.want(EvRequest, server)
	h.write(CmdClose, 0, closeGraceful, listener, 0, le64(0x100))
	h.commit()
	h.want(EvDraining, client)
	h.do(CmdRespond, flagFin, server, r.id, response("204", nil))
	h.want(EvResponse, client)
	for _, conn := range []uint32{client, server} {
		if f := h.want(EvClosed, conn).failure(); f.code != 0x100 || f.kind != ErrApplication {
			t.Errorf("closed with %+v", f)
		}
	}
	h.want(EvClosed, listener)
}

func TestManyRequests(t *testing.T) {
	h := open(t, Config{Commands: MinRing, Events: MinRing})
	client, server, _ := h.h3Pair()
	const n = 3000
	answered := 0
	status := func(i int) string { return strconv.Itoa(200 + i%90) }
	want := make(map[uint32]string)
	for i := range n {
		id := h.handle()
		want[id] = status(i)
		h.write(CmdRequest, flagFin, 0, client, id, get("GET", "/"+strconv.Itoa(i), "x-long", strings.Repeat("a", i%200)))
	}
	h.commit()
	for answered < n {
		switch g := h.event(); g.Event {
		case EvRequest:
			i, _ := strconv.Atoi(g.fields(t)[":path"][1:])
			h.do(CmdRespond, flagFin, server, g.id, response(status(i), nil))
		case EvResponse:
			if f := g.fields(t); f[":status"] != want[g.id] {
				t.Errorf("%v for %d", f, g.id)
			}
			answered++
		case EvEnded:
			if f := g.failure(); f.kind != OK {
				t.Fatalf("%+v", f)
			}
		}
	}
}

func TestFields(t *testing.T) {
	for _, fields := range [][]qpack.Field{nil, pairs("a", "b"), pairs("", "", "long", strings.Repeat("x", 70_000), "z", "")} {
		b := append(appendFields([]byte("before"), fields), "after"...)
		got, rest, err := consumeFields(nil, b[6:])
		if err != nil || string(rest) != "after" || fmt.Sprint(got) != fmt.Sprint(fields) {
			t.Errorf("%v, rest %q, %v", got, rest, err)
		}
	}
	for _, bad := range [][]byte{{}, {1, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 'a'}, bytes.Repeat([]byte{255}, 24)} {
		if got, _, err := consumeFields(nil, bad); err == nil {
			t.Errorf("%x gives %v", bad, got)
		}
	}
}
