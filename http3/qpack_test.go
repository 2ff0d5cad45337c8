package http3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// TestDynamicTables has both ends of a connection fill dynamic tables and use
// them.
func TestDynamicTables(t *testing.T) {
	field := qpack.Field{Name: "x-repeats", Value: "a value that is the same in every message"}
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Repeats", r.Header.Get("X-Repeats"))
		io.WriteString(w, "hello")
	})
	for range 5 {
		ts.do(t, "GET", "/", nil, func(r *http.Request) { r.Header.Set("X-Repeats", field.Value) })
	}
	ends := map[string]*conn{"server": &ts.liveConns()[0].conn}
	ts.transport.mu.Lock()
	for cc := range ts.transport.live {
		ends["client"] = &cc.conn
	}
	ts.transport.mu.Unlock()
	for end, c := range ends {
		var rs h3.RequestStream
		c.machine.BeginRequest(&rs, 1<<20, new(waitingStream), http.MethodGet, false)
		if b := rs.AppendHeaders(nil, []qpack.Field{field}); len(b) != 6 || b[5]&0xc0 != 0x80 {
			t.Errorf("%s: frame %x has no dynamic reference", end, b)
		}
	}
}

// TestDynamicTablesUnderLoad sends many requests at once, with fields that repeat
// and fields that do not, trailers in both directions, and some given up.
func TestDynamicTablesUnderLoad(t *testing.T) {
	const clients, requests = 16, 50
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Checksum")
		for key, values := range r.Header {
			if strings.HasPrefix(key, "X-") {
				w.Header()[key] = values
			}
		}
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = w.Write(content)
		w.Header().Set("Checksum", r.Trailer.Get("Checksum"))
	})
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			for i := range requests {
				if !ts.exchange(t, fmt.Sprintf("%d of %d", i, client), i) {
					return
				}
			}
		})
	}
	running.Wait()
	if conns := ts.liveConns(); len(conns) != 1 {
		t.Errorf("%d connections, want one", len(conns))
	}
	ts.do(t, "GET", "/", nil)
}

// exchange sends a request and checks that everything comes back.
func (ts *testServer) exchange(t *testing.T, name string, i int) bool {
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", ts.url+"/"+strings.ReplaceAll(name, " ", "/"), io.NopCloser(strings.NewReader(name)))
	if err != nil {
		t.Error(err)
		return false
	}
	req.Header = http.Header{
		"X-Name": {name}, "X-Same": {"the same in all requests"},
		"X-Some": {fmt.Sprint("one of seven: ", i%7)}, "X-Many": {fmt.Sprint("one of many: ", i%40)},
	}
	req.Trailer = http.Header{"Checksum": {fmt.Sprint("sum ", i%5)}}
	if i%10 == 9 {
		go cancel()
	}
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		if i%10 != 9 {
			t.Errorf("%s: %v", name, err)
		}
		return i%10 == 9
	}
	defer resp.Body.Close()
	for key, want := range req.Header {
		if got := resp.Header[key]; len(got) != 1 || got[0] != want[0] {
			t.Errorf("%s: %s came back as %q, want %q", name, key, got, want)
		}
	}
	content, err := io.ReadAll(resp.Body)
	if i%10 == 9 && err != nil {
		return true
	}
	if string(content) != name || err != nil || resp.Trailer.Get("Checksum") != req.Trailer.Get("Checksum") {
		t.Errorf("%s: %q, %v, trailers %v", name, content, err, resp.Trailer)
		return false
	}
	return true
}
