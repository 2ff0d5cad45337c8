package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// clientStream is a request and its response at a client. It is made in the goroutine of
// RoundTrip, which waits from then on. Until the response has begun it lives on the
// connection's loop; what is not there by then is read by whoever has the response.
type clientStream struct {
	h3event.Stream             // while it is the loop's
	stream         quic.Stream // once the response's reader has it

	conn   *clientConn
	req    *http.Request
	trace  *httptrace.ClientTrace
	gunzip bool // gzip was asked for on the user's behalf
	first  firstBytes
	upload upload
	body   body // of the response

	stop     func() bool // ends the watch on the request's context; nil for none
	answered bool        // RoundTrip returns the response
	heard    bool        // the hook for the first byte was called

	waiting waiting

	// Of the loop's goroutine:
	timer      event.Timer   // for the upload to begin, and then for the response
	over       bool          // RoundTrip was told how it ended
	early      bool          // it was sent before the handshake was complete
	aside      http.Header   // of a header section that was decoded elsewhere
	next, prev *clientStream // in the connection's queue of requests to be sent, then in its awaited ones

	// open counts what is under way: RoundTrip, the response, and the upload if there
	// is one. With nothing left the request is done.
	open      atomic.Int32
	responded atomic.Bool // the response has ended
	unused    atomic.Bool // nobody has any more use for the stream
	users     atomic.Int32
}

func newClientStream(c *clientConn, req *http.Request) *clientStream {
	st, ok := c.transport.streams.Get().(*clientStream)
	if !ok {
		st = &clientStream{waiting: waiting{wake: make(chan struct{}, 1)}}
	}
	st.Turn, st.conn = &c.turn, c
	st.req, st.trace, st.gunzip = req, traceOf(req.Context()), c.transport.wantsGzip(req)
	st.body.conn, st.body.owner, st.body.rs.App = &c.conn, st, st
	st.open.Store(2)
	st.users.Store(2)
	return st
}

// letGo is called when the loop, or RoundTrip, has no more use for the request's memory. It
// is given back by the second of them.
func (st *clientStream) letGo() {
	if st.users.Add(-1) > 0 || !st.body.rs.Reusable() {
		return
	}
	pool, first, wake := &st.conn.transport.streams, st.first.emptied(), st.waiting.wake
	*st = clientStream{first: first, waiting: waiting{wake: wake}}
	pool.Put(st)
}

func (st *clientStream) content() *body { return &st.body }

// Read reads what has arrived, of which a hook may want to be told.
func (st *clientStream) Read(p []byte) (int, error) {
	n, err := st.Stream.Read(p)
	if n > 0 && st.trace.GotFirstResponseByte != nil {
		st.tell(newsFirstByte) // once more does no harm
	}
	return n, err
}

// HandleEnd is called when a part of the stream has ended.
func (st *clientStream) HandleEnd(t event.Turn, s event.Stream, end event.End) {
	switch {
	case end.Kind == event.PeerReset && st.Handled():
		st.Stream.HandleEnd(t, s, end)
	case end.Kind == event.PeerReset:
		st.body.signal() // its reader
	case end.Kind == event.StreamEnded:
		if st.unused.Load() {
			t.Release(s)
		}
		if st.over { // or the machine still has what was read
			st.letGo()
		}
	}
}

// done is called for each part of the exchange that is over.
func (st *clientStream) done() {
	if st.open.Add(-1) > 0 {
		return
	}
	st.unused.Store(true)
	if st.stop != nil {
		st.stop()
	}
	if st.answered {
		endWatch(st.req)
	}
	st.conn.transport.release(st.conn)
}

// endResponse says that the response has ended, in any way.
func (st *clientStream) endResponse() {
	if st.responded.CompareAndSwap(false, true) {
		st.done()
	}
}

// explain returns what the user should learn of an error of the stream: rather
// why this end cancelled the request than that it was cancelled.
func (st *clientStream) explain(err error) error {
	if upload := st.upload.err.Load(); upload != nil {
		return *upload
	}
	var stream *quic.StreamError
	if ctx := st.req.Context(); ctx.Err() != nil && errors.As(err, &stream) && !stream.Remote {
		return context.Cause(ctx)
	}
	if errors.Is(err, h3.ErrSectionTooLarge) {
		// In net/http's words.
		reason := fmt.Sprintf("server response headers exceeded %d bytes", st.conn.transport.maxHeaderBytes())
		return resetBy(h3.ExcessiveLoad, reason, err)
	}
	return describe(err)
}

// handleTrailers adds the response's trailers.
func (st *clientStream) handleTrailers(fields []qpack.Field) {
	resp := st.waiting.resp
	resp.Trailer = mergeTrailers(resp.Trailer, fields)
}

// handleBodyEnd ends the response; the request is reset unless the response is complete,
// and the connection closed when the server broke the protocol.
func (st *clientStream) handleBodyEnd(err error) error {
	defer st.endResponse()
	switch err {
	case io.EOF:
		return err
	case http.ErrBodyReadAfterClose:
		cancel(st.Ref, h3.RequestCancelled)
		return err
	}
	st.distrust(err)
	return st.explain(err)
}

// distrust has the connection get no further requests when the server broke the protocol,
// before the next request takes it.
func (st *clientStream) distrust(err error) {
	if _, wholeConn := h3.Code(err); wholeConn {
		st.conn.transport.retire(st.conn)
	}
}

// responseBody is a clientStream as the response's Body.
type responseBody clientStream

func (b *responseBody) Read(p []byte) (int, error) { return b.body.Read(p) }

// Close ends the exchange. An upload that goes on is not wanted any more, either: in
// net/http, too, it ends with the response.
func (b *responseBody) Close() error {
	st := (*clientStream)(b)
	err := st.body.Close()
	if st.uploading() {
		st.Ref.CancelWrite(uint64(h3.RequestCancelled))
	}
	return err
}

func (st *clientStream) closeCode() h3.ErrorCode { return h3.RequestCancelled }
