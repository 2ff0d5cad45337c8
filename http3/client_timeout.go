package http3

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"
)

// headerTimeout is the time for a response's header.
type headerTimeout struct {
	mu      sync.Mutex
	arrived bool // there is none any more
}

// beginHeaderTimeout begins the Transport's time for the response's header. As in
// net/http, that is when the request was written, with its content. What of it the
// peer does not want counts as written.
func (st *clientStream) beginHeaderTimeout() {
	limit := st.conn.transport.ResponseHeaderTimeout
	if limit <= 0 {
		return
	}
	st.timeout.mu.Lock()
	defer st.timeout.mu.Unlock()
	if !st.timeout.arrived {
		_ = st.body.setReadDeadline(time.Now().Add(limit))
	}
}

// awaitResponse is readResponse within the Transport's time.
func (st *clientStream) awaitResponse() (*http.Response, error) {
	st.conn.awaited.add(st)
	defer st.conn.awaited.remove(st)
	if st.conn.transport.ResponseHeaderTimeout <= 0 {
		return st.readResponse()
	}
	resp, err := st.readResponse()
	st.timeout.mu.Lock()
	defer st.timeout.mu.Unlock()
	st.timeout.arrived = true
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errHeaderTimeout
	}
	_ = st.body.setReadDeadline(time.Time{})
	return resp, err
}

// errHeaderTimeout is a net.Error.
var errHeaderTimeout error = &timeoutError{"http3: timeout awaiting response headers"}

type timeoutError struct{ text string }

func (e *timeoutError) Error() string   { return e.text }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

// Is has the error count as context.DeadlineExceeded, as http.Transport's does.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
