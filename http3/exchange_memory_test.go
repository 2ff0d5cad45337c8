package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
	"unsafe"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// TestHandedSize: what is made for each request has a size that Go has memory of.
func TestHandedSize(t *testing.T) {
	if size := unsafe.Sizeof(handed{}); size > 320 {
		t.Errorf("what a handler is given takes %d bytes", size)
	}
}

// TestExchangesServeAgain: the memory of an exchange, of which handlers have nothing, is
// another request's when the response has arrived.
func TestExchangesServeAgain(t *testing.T) {
	const requests = 300
	seen := make(chan *exchange, requests)
	ts := serve(t, func(w http.ResponseWriter, _ *http.Request) { seen <- w.(*responseWriter).exchange })
	for range requests {
		ts.do(t, "GET", "/", nil)
	}
	distinct := make(map[*exchange]bool)
	for range requests {
		distinct[<-seen] = true
	}
	if len(distinct) > requests/2 { // the race detector has pools forget
		t.Errorf("%d requests had %d exchanges", requests, len(distinct))
	}
}

// TestLateWriterWritesNowhere: who uses a ResponseWriter when its handler has returned does
// nothing to the request that has its memory by then.
func TestLateWriterWritesNowhere(t *testing.T) {
	var late []http.ResponseWriter
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, old := range late {
			old.WriteHeader(http.StatusTeapot)
			if _, err := io.WriteString(old, "late"); !errors.Is(err, errHandlerReturned) {
				t.Errorf("WriteString: %v", err)
			}
			rc := http.NewResponseController(old)
			if err := rc.Flush(); !errors.Is(err, errHandlerReturned) {
				t.Errorf("Flush: %v", err)
			}
			if err := rc.SetWriteDeadline(time.Now().Add(-time.Hour)); !errors.Is(err, errHandlerReturned) {
				t.Errorf("SetWriteDeadline: %v", err)
			}
			if _, err := AcceptTunnel(old); !errors.Is(err, ErrNoTunnel) {
				t.Errorf("AcceptTunnel: %v", err)
			}
			old.Header().Set("X-Late", "1")
		}
		late = append(late, w)
		io.WriteString(w, "in time")
	})
	for range 20 {
		resp, content := ts.do(t, "GET", "/", nil)
		if resp.StatusCode != http.StatusOK || content != "in time" || resp.Header.Get("X-Late") != "" {
			t.Fatalf("status %d, content %q, header %v", resp.StatusCode, content, resp.Header)
		}
	}
}

// TestDeadlineOfReturned: the loop looks for a deadline whose handler has returned, whose
// ResponseWriter has no response any more.
func TestDeadlineOfReturned(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Errorf("SetWriteDeadline: %v", err)
		}
	})
	for range 100 {
		if resp, _ := ts.do(t, "GET", "/", nil); resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}
}

// TestBodyReplaced: what a handler puts in the place of the request's Body does not keep
// the client from learning that nobody wants the rest.
func TestBodyReplaced(t *testing.T) {
	ts := serve(t, func(_ http.ResponseWriter, r *http.Request) { r.Body = http.NoBody })
	s := ts.dialRaw(t).request(false, join(headers(postFields), frame(h3.FrameData, "a part")))
	readMessage(t, s)
	wait(t, "STOP_SENDING", s.SendStream.Context().Done())
	var stopped *quic.StreamError
	if err := context.Cause(s.SendStream.Context()); !errors.As(err, &stopped) || h3.ErrorCode(stopped.Code) != h3.NoError {
		t.Errorf("the sending half ended with %v", err)
	}
}
