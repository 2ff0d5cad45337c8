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
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// clientStream is a request and its response at a client.
type clientStream struct {
	conn    *clientConn
	stream  *quic.Stream
	req     *http.Request
	resp    *http.Response
	body    body        // of the response
	failure error       // why there is no response
	stop    func() bool // ends the watch on the request's context
	trace   *httptrace.ClientTrace

	upload  upload
	timeout headerTimeout
	gunzip  bool // gzip was asked for on the user's behalf

	// open counts the directions in use: the response, and the upload if there
	// is one. With neither left the request is done.
	open      atomic.Int32
	responded atomic.Bool // the response has ended

	next, prev *clientStream // in the connection's awaited
	moved      atomic.Bool   // the request is to be sent on another connection
}

func newClientStream(c *clientConn, s *quic.Stream, req *http.Request) *clientStream {
	st := &clientStream{conn: c, stream: s, req: req, trace: traceOf(req.Context()), gunzip: c.transport.wantsGzip(req)}
	st.body.conn, st.body.owner, st.body.rs.App, st.body.stream = &c.conn, st, st, s
	st.body.firstByte = st.trace.GotFirstResponseByte
	waiting := (*waitingStream)(&st.body)
	c.machine.BeginRequest(&st.body.rs, s.ID(), waiting, req.Method, Protocol(req) != "")
	st.body.rs.Detach(waiting)
	if st.trace.Got1xxResponse != nil {
		st.body.rs.AnyInterim() // the hook has its own mind
	}
	st.open.Store(1)
	return st
}

func (st *clientStream) content() *body { return &st.body }

// done is called for each direction that has ended.
func (st *clientStream) done() {
	if st.open.Add(-1) == 0 {
		st.stop()
		if st.resp != nil {
			endWatch(st.req)
		}
		st.conn.transport.release(st.conn)
	}
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
	st.resp.Trailer = mergeTrailers(st.resp.Trailer, fields)
}

// handleBodyEnd ends the response; the request is reset unless the response is complete,
// and the connection closed when the server broke the protocol.
func (st *clientStream) handleBodyEnd(err error) error {
	defer st.endResponse()
	switch err {
	case io.EOF:
		return err
	case http.ErrBodyReadAfterClose:
		cancel(st.stream.Ref(), h3.RequestCancelled)
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
		st.stream.CancelWrite(uint64(h3.RequestCancelled))
	}
	return err
}

func (st *clientStream) closeCode() h3.ErrorCode { return h3.RequestCancelled }
