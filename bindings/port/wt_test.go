package port

import (
	"bytes"
	"fmt"
	"testing"
)

// wtPair returns both ends of a connection with WebTransport.
func (h *host) wtPair() (client, server uint32) {
	h.t.Helper()
	client, server, _ = h.h3Pair("webtransport", "1")
	return client, server
}

// sessions returns both ends of a session.
func (h *host) sessionPair(client, server uint32) (ours, theirs uint32) {
	h.t.Helper()
	ours = h.handle()
	h.do(CmdSession, 0, client, ours, appendFields(nil, pairs(":authority", "localhost", ":path", "/chat?room=1", ":subprotocol", "v2", ":subprotocol", "v1", "x-token", "secret")))
	asked := h.want(EvSession, server)
	if f := asked.fields(h.t); asked.flags != flagSecure || f[":path"] != "/chat?room=1" || f[":subprotocol"] != "v2, v1" || f["x-token"] != "secret" {
		h.t.Errorf("session asked for with flags %d: %v", asked.flags, f)
	}
	h.do(CmdAccept, 0, server, asked.id, appendFields(nil, pairs(":subprotocol", "v1", "x-hello", "you")))
	if g := h.want(EvSessionOpen, server); g.id != asked.id || g.aux != 15 {
		h.t.Errorf("session %d of draft %d is there at the server", g.id, g.aux)
	}
	g := h.want(EvSessionOpen, client)
	if f := g.fields(h.t); g.id != ours || f[":status"] != "200" || f[":subprotocol"] != "v1" || f["x-hello"] != "you" {
		h.t.Errorf("session %d is there at the client: %v", g.id, f)
	}
	return ours, asked.id
}

func inSession(id uint32) []byte { return append(le64(uint64(id)), 0, 0, 0, 0)[:8] }

func TestSession(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, theirs := h.sessionPair(client, server)
	ends := map[uint32]uint32{client: ours, server: theirs}
	for _, from := range []uint32{client, server} {
		to := client + server - from
		for _, uni := range []uint8{0, flagUni} {
			for _, size := range []int{0, 1, 100_000, 1 << 20} {
				t.Run(fmt.Sprintf("from %d, flags %d, %d bytes", from, uni, size), func(t *testing.T) {
					h.t = t
					id, content := h.handle(), noise(4, size)
					h.do(CmdOpen, uni, from, id, inSession(ends[from]))
					h.do(CmdWrite, 0, from, id, nil)
					h.pourThrough(from, id, to, ends[to], uni, content)
				})
			}
		}
		for _, size := range []int{1, 1000} {
			h.t = t
			want := noise(5, size)
			h.do(CmdDatagram, 0, from, ends[from], want)
			if g := h.want(EvDatagram, to); !bytes.Equal(g.payload, want) || g.id != ends[to] {
				t.Errorf("datagram of %d bytes for %d", len(g.payload), g.id)
			}
		}
	}
	h.do(CmdDrain, 0, server, theirs, nil)
	if g := h.want(EvDraining, client); g.id != ours {
		t.Errorf("%d is to be ended", g.id)
	}
	h.do(CmdClose, 0, client, ours, append(le64(77), "enough"...))
	if g := h.want(EvClosed, server); g.id != theirs || g.failure() != (failure{kind: ErrSession, code: 77, remote: true, text: "enough"}) {
		t.Errorf("%d closed: %+v", g.id, g.failure())
	}
	if g := h.want(EvClosed, client); g.id != ours || g.failure().remote || g.failure().code != 77 {
		t.Errorf("%d closed: %+v", g.id, g.failure())
	}
}

// pourThrough writes content to a stream of a session, which the other end sends back if
// it can.
func (h *host) pourThrough(from, id, to, session uint32, uni uint8, content []byte) {
	h.t.Helper()
	w := newWorld(h)
	w.server[to] = uni == 0
	x := w.tube(from, id)
	x.toSend, x.fin = content, true
	w.pump(x)
	h.commit()
	var peer *tube
	ended := 0
	for ended < 2 {
		switch g := w.step(); g.Event {
		case EvStream:
			peer = w.tube(g.conn, g.id)
			if g.conn != to || g.flags != uni || (&record{payload: g.payload[8:]}).u32() != session {
				h.t.Errorf("stream %+v", g)
			}
		case EvEnded:
			ended++
		}
	}
	got := x.got
	if uni != 0 {
		got = peer.got
	}
	if !bytes.Equal(got, content) {
		h.t.Errorf("%d bytes of %d", len(got), len(content))
	}
}

func TestSessionStreamEnds(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, theirs := h.sessionPair(client, server)
	id := h.handle()
	h.do(CmdOpen, 0, client, id, inSession(ours))
	h.do(CmdWrite, 0, client, id, []byte("x"))
	s := h.want(EvStream, server)
	h.do(CmdReset, 0, client, id, le64(0xffffffff))
	if f := h.want(EvReset, server).failure(); f.kind != ErrStream || f.code != 0xffffffff || !f.remote {
		t.Errorf("reset %+v", f)
	}
	h.do(CmdReset, 0, server, s.id, le64(30))
	if f := h.want(EvReset, client).failure(); f.kind != ErrStream || f.code != 30 {
		t.Errorf("reset %+v", f)
	}
	h.want(EvEnded, client)
	h.want(EvEnded, server)
	// What is open ends with the session, and before it.
	id = h.handle()
	h.do(CmdOpen, 0, client, id, inSession(ours))
	h.do(CmdWrite, 0, client, id, []byte("x"))
	s = h.want(EvStream, server)
	h.later = nil
	h.do(CmdClose, 0, server, theirs, append(le64(5), "bye"...))
	over := map[uint32]bool{}
	for closed := 0; closed < 2; {
		switch g := h.event(); g.Event {
		case EvEnded:
			over[g.conn] = true
			if f := g.failure(); g.id != id && g.id != s.id || f.kind != ErrSession || f.code != 5 {
				t.Errorf("stream %d ended %+v", g.id, f)
			}
		case EvClosed:
			if closed++; !over[g.conn] {
				t.Error("the session ended before its stream")
			}
		}
	}
}

func TestSessionRefused(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	id := h.handle()
	h.do(CmdSession, 0, client, id, appendFields(nil, pairs(":authority", "localhost", ":path", "/", "origin", "https://elsewhere.example")))
	asked := h.want(EvSession, server)
	if asked.flags != 0 {
		t.Error("a page of another origin counts as one's own")
	}
	h.do(CmdRespond, flagFin, server, asked.id, response("403", []byte("no"), "x-why", "origin"))
	if f := h.want(EvRejected, client).fields(t); f[":status"] != "403" || f["x-why"] != "origin" {
		t.Errorf("refused with %v", f)
	}
	if g := h.want(EvEnded, client); g.id != id || g.failure().kind != OK {
		t.Errorf("ended %+v", g.failure())
	}
	h.want(EvEnded, server)
	for _, bad := range [][]byte{appendFields(nil, pairs(":path", "/")), appendFields(nil, pairs(":authority", "a b", ":path", "/")), {1}} {
		h.do(CmdSession, 0, client, h.handle(), bad)
		if f := h.want(EvEnded, client).failure(); f.kind != ErrCommand {
			t.Errorf("bad session: %+v", f)
		}
	}
	plain, _, _ := h.h3Pair()
	h.do(CmdSession, 0, plain, h.handle(), appendFields(nil, pairs(":authority", "localhost", ":path", "/")))
	if f := h.want(EvError, plain).failure(); f.kind != ErrCommand {
		t.Errorf("without the option: %+v", f)
	}
}

// TestSessionUnsupported: the server does not offer WebTransport.
func TestSessionUnsupported(t *testing.T) {
	h := open(t, Config{})
	_, address := h.listen("protocol", "h3")
	client := h.connect(address, "protocol", "h3", "webtransport", "1")
	h.do(CmdSession, 0, client, h.handle(), appendFields(nil, pairs(":authority", "localhost", ":path", "/")))
	if f := h.want(EvEnded, client).failure(); f.kind != ErrUnsupported {
		t.Errorf("%+v", f)
	}
}

// TestManySessions: more than the limit wait for a place, or are refused.
func TestManySessions(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	for range 30 {
		ours, _ := h.sessionPair(client, server)
		h.do(CmdClose, 0, client, ours, le64(0))
		h.want(EvClosed, client)
		h.want(EvClosed, server)
	}
}

// TestSessionLimit: a stream of more than a session's limit of bytes goes on whenever the
// peer raises it, though the last writes before were allowed in part.
func TestSessionLimit(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, theirs := h.sessionPair(client, server)
	id := h.handle()
	h.do(CmdOpen, flagUni, client, id, inSession(ours))
	h.pourThrough(client, id, server, theirs, flagUni, noise(6, 48<<20+77))
}
