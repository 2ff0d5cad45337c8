package http3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestMaxHandlers: no client gets more than half of the handlers that are left, but
// each gets one, and requests that get none may be sent again.
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
	for _, takes := range []int{3, 2, 1, 1, 1, 1} {
		taken = append(taken, ask(ts.dialRaw(t), takes)...)
	}
	close(release)
	for _, s := range taken {
		readMessage(t, s)
	}
	readMessage(t, ts.dialRaw(t).request(true, headers(getFields)))
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
		if err := wait(t, "too many unfinished header sections", rejected); !errors.As(err, &reset) || ErrorCode(reset.Code) != h3.RequestRejected {
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
		s.Fixed = map[string]*FixedResponse{"/": NewFixedResponse(http.StatusOK, nil, make([]byte, size))}
	})
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{NextProto}
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
	for _, row := range []string{"| handlers | `http3.Server.MaxHandlers` | %d |", "| handlers that wait for their client | %d |"} {
		if want := fmt.Sprintf(row, DefaultMaxHandlers); !strings.Contains(string(doc), want) {
			t.Errorf("there is no %q", want)
		}
	}
}
