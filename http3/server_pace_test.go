package http3

import (
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

func TestPace(t *testing.T) {
	const s = time.Second
	p := pace{rate: 100, left: 10 * s, grace: 10 * s}
	for i, step := range []struct {
		wait  time.Duration
		bytes int
		left  time.Duration
	}{
		{4 * s, 0, 6 * s},
		{s, 200, 7 * s},
		{0, 1 << 30, 10 * s}, // no more than the grace is earned
		{9 * s, 0, s},
		{s + 5*s, 500, 0},
	} {
		if tooSlow := p.waited(step.wait, step.bytes); p.left != step.left || tooSlow != (step.left <= 0) {
			t.Errorf("step %d: %v left, too slow %v, want %v", i, p.left, tooSlow, step.left)
		}
	}
}

// TestMinReadRate has a client send half of a request's content, and then nothing.
func TestMinReadRate(t *testing.T) {
	read := make(chan error, 2)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Hour))
		for range 2 { // it is too slow for good
			_, err := io.ReadAll(r.Body)
			read <- err
		}
	}, func(s *Server) { s.MinReadRate, s.grace = 1000, short })
	s := ts.dialRaw(t).request(false, join(headers(postFields), frame(h3.FrameData, "half")))
	for range 2 {
		if err := wait(t, "the handler", read); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
	}
	readMessage(t, s) // the handler could answer
}

// TestMinWriteRate has a client take nothing: with a handler that writes more than is
// buffered, and with one that has returned.
func TestMinWriteRate(t *testing.T) {
	written := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour))
		_, err := w.Write(make([]byte, 4<<20))
		written <- err
	}, func(s *Server) { s.MinWriteRate, s.grace = 1000, short })
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, &quic.Config{InitialStreamWindow: 10_000, MaxStreamWindow: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	defer qc.CloseWithError(0, "")
	c := &rawConn{t: t, qc: qc}
	s := c.request(true, headers(getFields))
	if err := wait(t, "the handler", written); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	wantReset(t, "too slow", s, h3.InternalError)
}

// TestRatesOfOthers: clients that are fast enough do not notice, and neither do
// handlers that take their time.
func TestRatesOfOthers(t *testing.T) {
	const size = 1 << 20
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * short)
		n, err := io.Copy(w, r.Body)
		if n != size || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}, func(s *Server) { s.MinReadRate, s.MinWriteRate, s.grace = 1, 1, 2*short })
	if _, content := ts.do(t, "POST", "/", io.LimitReader(zeros{}, size)); len(content) != size {
		t.Errorf("%d bytes", len(content))
	}
}
