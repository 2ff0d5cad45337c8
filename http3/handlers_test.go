package http3

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestMaxHandlers: no connection gets more than half of the handlers that are left, and
// no source more than three quarters of what the others leave, however many connections
// it has, or has had. Each source gets one, and requests that get none may be sent again.
func TestMaxHandlers(t *testing.T) {
	const limit = 8
	began, release := make(chan struct{}, 2*limit), make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-release
		io.WriteString(w, "done")
	}, func(s *Server) { s.MaxHandlers = limit })
	ask := func(c *rawConn, takes int) (taken []*quic.Stream) {
		t.Helper()
		for range takes {
			taken = append(taken, c.request(true, headers(getFields)))
			wait(t, "a handler", began)
		}
		wantReset(t, "one too many", c.request(true, headers(getFields)), h3.RequestRejected)
		return taken
	}
	var taken []*quic.Stream
	for _, tt := range []struct {
		from  string
		takes []int // by each connection
	}{
		{"127.0.0.1", []int{3, 2, 1, 0, 0}},
		{"127.0.0.2", []int{1, 1, 0, 0}},
		{"127.0.0.3", []int{1, 0}},
	} {
		var first *rawConn
		for _, takes := range tt.takes {
			c := ts.dialRawFrom(t, tt.from)
			taken = append(taken, ask(c, takes)...)
			if first == nil {
				first = c
			}
		}
		if tt.from == "127.0.0.1" {
			_ = first.qc.CloseWithError(uint64(h3.NoError), "") // its handlers go on
			taken = taken[3:]
			ask(ts.dialRawFrom(t, tt.from), 0)
		}
	}
	close(release)
	for _, s := range taken {
		readMessage(t, s)
	}
	readMessage(t, ts.dialRaw(t).request(true, headers(getFields)))
	if !eventually(func() bool { return ts.running() == 0 }) {
		t.Errorf("%d handlers run", ts.running())
	}
}

// dialRawFrom is dialRaw from another address of loopback.
func (ts *testServer) dialRawFrom(t testing.TB, ip string) *rawConn {
	t.Helper()
	tr, err := quic.NewTransport(ip+":0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	qc, err := tr.Dial(testContext(t), ts.addr, clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &rawConn{t: t, qc: qc}
	c.control = c.uni(join([]byte{0x00}, frame(h3.FrameSettings, "")))
	return c
}

// TestSourcesAreForgotten: of a source of which neither a connection nor a handler is
// left nothing is kept, in whatever order they end.
func TestSourcesAreForgotten(t *testing.T) {
	var s sources
	for _, handlerLast := range []bool{false, true} {
		one, two := s.join(&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}), s.join(&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1})
		if one != two {
			t.Error("two connections from one address have two sources")
		}
		s.count(one, 1)
		if s.leave(two); s.running(one.id) != 1 {
			t.Errorf("%d handlers run", s.running(one.id))
		}
		if handlerLast {
			s.leave(one)
			if s.running(one.id) != 1 {
				t.Error("a handler is forgotten with its connection")
			}
			s.count(one, -1)
		} else {
			s.count(one, -1)
			s.leave(one)
		}
		if len(s.list) != 0 {
			t.Errorf("%d sources are left", len(s.list))
		}
	}
}

// TestAttackUnfinishedHeaders: header sections that are not complete are bounded for
// a connection, and count as memory of the transport until they are given up.
func TestAttackUnfinishedHeaders(t *testing.T) {
	const section, sent, enough = 50_000, 30_000, 10
	ts := serve(t, nil, func(s *Server) { s.MaxHeaderBytes = 64 << 10 })
	c := ts.dialRaw(t)
	begin := append(h3.AppendFrameHeader(nil, h3.FrameHeaders, section), make([]byte, sent)...)
	var streams []*quic.Stream
	for range enough {
		streams = append(streams, c.request(false, begin))
	}
	// Their packets are mixed, so that any of them may come too late.
	rejected := make(chan error, enough)
	for _, s := range streams {
		go func() {
			_, err := io.ReadAll(s)
			rejected <- err
		}()
	}
	for range enough / 2 {
		var reset *quic.StreamError
		if err := wait(t, "too many unfinished header sections", rejected); !errors.As(err, &reset) || h3.ErrorCode(reset.Code) != h3.RequestRejected {
			t.Errorf("too many unfinished header sections: %v, want %v", err, h3.RequestRejected)
		}
	}
	if !eventually(func() bool { held := ts.buffered(); return held >= 2*sent && held <= enough*sent/2 }) {
		t.Errorf("%d bytes are held, of %d header sections of which each has %d", ts.buffered(), enough, sent)
	}
	for _, s := range streams {
		s.CancelWrite(0)
	}
	if !eventually(func() bool { return ts.buffered() == 0 }) {
		t.Errorf("%d bytes are still held", ts.buffered())
	}
}

// buffered returns how many bytes the server's buffers hold.
func (ts *testServer) buffered() (n int64) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for l := range ts.listeners {
		n += l.Transport().Stats().BufferedBytes
	}
	return n
}

// TestFixedResponseWaits: a fixed response that the client does not take at once is
// left to a handler, who waits, and not held for it.
func TestFixedResponseWaits(t *testing.T) {
	const size = 100_000
	ts := serve(t, nil, func(s *Server) {
		s.BypassHandler = map[string]*FixedResponse{"/": NewFixedResponse(http.StatusOK, nil, make([]byte, size))}
	})
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, &quic.Config{InitialStreamWindow: 1200, MaxStreamWindow: 1200})
	if err != nil {
		t.Fatal(err)
	}
	defer qc.CloseWithError(0, "")
	c := &rawConn{t: t, qc: qc}
	s := c.request(true, headers(getFields))
	if !eventually(func() bool { return ts.running() == 1 }) {
		t.Error("no handler waits")
	}
	if held := ts.buffered(); held > size/2 {
		t.Errorf("%d bytes are held for who takes 1200", held)
	}
	if b, err := io.ReadAll(s); len(b) < size || err != nil {
		t.Errorf("read %d bytes, %v", len(b), err)
	}
}

// TestOperatingTableOfHandlers: docs/operating.md says what the default is.
func TestOperatingTableOfHandlers(t *testing.T) {
	doc, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"| handlers | `http3.Server.MaxHandlers` | %d | 6144 |", "| handlers that wait for their client | %d |"} {
		if want := fmt.Sprintf(row, defaultMaxHandlers); !strings.Contains(string(doc), want) {
			t.Errorf("there is no %q", want)
		}
	}
}
