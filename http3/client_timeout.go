package http3

import (
	"context"

	"github.com/godwit-quic/godwit/quic/event"
)

// limitHeader begins the Transport's time for the response's header. As in net/http, that
// is when the request was written, with its content. What of it the peer does not want
// counts as written. On the loop.
func (st *clientStream) limitHeader(t event.Turn) {
	limit := st.conn.transport.ResponseHeaderTimeout
	if limit > 0 && !st.over {
		t.SetTimer(&st.timer, t.Now()+limit, st)
	}
}

// HandleTimer is called when the response's header has not come in time.
func (st *clientStream) HandleTimer(t event.Turn, _ *event.Timer) {
	st.conn.turn = t
	st.end(errHeaderTimeout)
}

// errHeaderTimeout is a net.Error.
var errHeaderTimeout error = &timeoutError{"http3: timeout awaiting response headers"}

type timeoutError struct{ text string }

func (e *timeoutError) Error() string   { return e.text }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

// Is has the error count as context.DeadlineExceeded, as http.Transport's does.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
