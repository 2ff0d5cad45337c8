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

// short is a timeout that a test waits for.
const short = 50 * time.Millisecond

// TestHeaderTimeout sends half of a header section and waits.
func TestHeaderTimeout(t *testing.T) {
	for name, configure := range map[string]func(*Server){
		"ReadHeaderTimeout": func(s *Server) { s.ReadHeaderTimeout, s.ReadTimeout = short, time.Hour },
		"ReadTimeout":       func(s *Server) { s.ReadTimeout = short },
	} {
		ts := serve(t, func(w http.ResponseWriter, r *http.Request) {}, configure)
		c := ts.dialRaw(t)
		s := c.request(false, headers(getFields)[:5])
		wantReset(t, name, s, h3.RequestRejected)
		if m := readMessage(t, c.request(true, headers(getFields))); len(m.fields) == 0 {
			t.Error("the next request is not answered")
		}
	}
}

// TestReadTimeout sends half of a request's content and waits.
func TestReadTimeout(t *testing.T) {
	read := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}, func(s *Server) { s.ReadTimeout = short })
	s := ts.dialRaw(t).request(false, join(headers(postFields), frame(h3.FrameData, "half")))
	if err := wait(t, "the handler", read); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	readMessage(t, s) // the handler could answer
}

// TestWriteTimeout has a client take nothing: with a handler that writes more
// than is buffered, and with one that has returned.
func TestWriteTimeout(t *testing.T) {
	for name, size := range map[string]int{"writing": 4 << 20, "returned": 3000} {
		written := make(chan error, 1)
		ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := w.Write(make([]byte, size))
			written <- err
		}, func(s *Server) { s.WriteTimeout = short })
		_, clientTLS := peertest.TLS(t)
		clientTLS.NextProtos = []string{h3.NextProto}
		qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, &quic.Config{InitialStreamWindow: 1500, MaxStreamWindow: 1500})
		if err != nil {
			t.Fatal(err)
		}
		defer qc.CloseWithError(0, "")
		c := &rawConn{t: t, qc: qc}
		s := c.request(true, headers(getFields))
		err = wait(t, "the handler", written)
		if timedOut := errors.Is(err, os.ErrDeadlineExceeded); timedOut != (name == "writing") {
			t.Errorf("%s: %v", name, err)
		}
		time.Sleep(2 * short) // only then is anything read
		wantReset(t, name, s, h3.InternalError)
	}
}

// TestIdleTimeout closes a connection that has no requests and is kept alive, and
// not one that waits for a response.
func TestIdleTimeout(t *testing.T) {
	release := make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			<-release
		}
	}, func(s *Server) { s.IdleTimeout = 8 * short })
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	dial := func() *rawConn {
		qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, &quic.Config{KeepAlivePeriod: short / 10})
		if err != nil {
			t.Fatal(err)
		}
		return &rawConn{t: t, qc: qc}
	}
	busy := dial()
	s := busy.request(true, headers(postFields))
	idle := dial()
	readMessage(t, idle.request(true, headers(getFields)))
	idle.wantClose("idle", h3.NoError)
	if err := busy.qc.Err(); err != nil {
		t.Errorf("the busy connection was closed: %v", err)
	}
	close(release)
	readMessage(t, s)
	busy.wantClose("idle in the end", h3.NoError)
}
