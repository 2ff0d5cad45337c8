package http3

import (
	"net/http"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// writeInterim sends an interim response (1xx) with the header's present fields,
// at once (RFC 9114, Section 4.1). The lock is held.
func (w *responseWriter) writeInterim(status int) {
	switch {
	case w.err != nil:
		return
	case status == http.StatusSwitchingProtocols:
		// RFC 9114, Section 4.5.
		w.conn.srv.logger().Warn("http3: status 101 does not exist in HTTP/3", "uri", w.exchange.req.RequestURI)
		return
	case status == http.StatusContinue:
		w.continued = true
	}
	x := w.exchange
	fields := appendFields([]qpack.Field{statusField(status)}, w.header, isInterimField)
	if err := x.sendHead(x.body.rs.AppendHeaders(nil, fields)); err != nil {
		w.err = describe(err)
	}
}

// isInterimField reports whether a field may be in an interim response, which
// has neither content nor trailers.
func isInterimField(key string) bool { return key != "Content-Length" && key != "Trailer" }

// sendContinue tells the client to send its content (RFC 9110, Section 10.1.1)
// unless it has been told, or the header of the response has left, which tells it
// too. A header that is held back leaves now: the client may wait for it.
func (w *responseWriter) sendContinue() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isGone() || w.continued || w.sent || w.err != nil || (w.status != 0 && w.out == nil) {
		return
	}
	w.continued = true
	b, mark := h3.BeginHeaders(make([]byte, 0, 16))
	b = qpack.AppendField(qpack.AppendPrefix(b), ":status", "100")
	if err := w.exchange.sendHead(h3.EndHeaders(b, mark)); err != nil {
		w.err = describe(err)
	} else if w.status != 0 {
		_, _ = w.send(nil) // w keeps the error
	}
}

// expectedBody is the content of a request that the client sends only when told
// so: by the first Read.
type expectedBody struct {
	*body
	rw   *responseWriter
	told atomic.Bool
}

// Read asks for the content and reads it.
func (b *expectedBody) Read(p []byte) (int, error) {
	if !b.closed.Load() && b.told.CompareAndSwap(false, true) {
		b.rw.sendContinue()
	}
	return b.body.Read(p)
}
