package http3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// queued are a connection's requests that are to be sent, in the order they came. The loop
// takes all that there are in one turn.
type queued struct {
	mu          sync.Mutex
	first, last *clientStream // linked by next
	ended       error         // why there is no connection any more
}

// enqueue has the loop send a request. An error says that the connection has ended.
func (c *clientConn) enqueue(st *clientStream) error {
	q := &c.queued
	q.mu.Lock()
	if q.ended != nil {
		q.mu.Unlock()
		return q.ended
	}
	alone := q.first == nil
	if alone {
		q.first = st
	} else {
		q.last.next = st
	}
	q.last = st
	q.mu.Unlock()
	if alone {
		event.Run(c.qc, c.beginQueued) // or HandleClose comes, which takes them as well
	}
	return nil
}

// take calls f with each request of which RoundTrip has not given up. With an error none is
// taken in any more. On the loop.
func (q *queued) take(ended error, f func(*clientStream)) {
	q.mu.Lock()
	first := q.first
	q.first, q.last = nil, nil
	if ended != nil {
		q.ended = ended
	}
	q.mu.Unlock()
	for st := first; st != nil; {
		next := st.next
		st.next = nil
		if st.waiting.stage.CompareAndSwap(stageQueued, stageBegun) {
			f(st)
		}
		st = next
	}
}

// beginAll sends what is queued.
func (c *clientConn) beginAll(t event.Turn) {
	c.turn = t
	c.queued.take(nil, (*clientStream).begin)
}

// firstBytes is what a request begins with, made before there is a stream for it.
type firstBytes struct {
	fields   []qpack.Field
	content  []byte // all of it
	trailers []qpack.Field
}

// emptied returns the memory for the next request, without the strings of this one.
func (f *firstBytes) emptied() firstBytes {
	if cap(f.fields) > maxScratchFields {
		return firstBytes{content: f.content[:0]}
	}
	clear(f.fields)
	return firstBytes{fields: f.fields[:0], content: f.content[:0]}
}

// prepare makes what the request begins with. An error is an *unsentError or an
// *uploadError.
func (st *clientStream) prepare() (err error) {
	if st.first.fields, err = st.appendHeader(st.first.fields); err != nil {
		return err
	}
	switch {
	case st.isSmall():
		err = st.readContent()
	case hasBody(st.req):
		st.expectContinue()
		st.upload.follows = true
		return nil
	}
	if err == nil && len(st.req.Trailer) > 0 {
		st.first.trailers = appendFields(nil, st.req.Trailer, validTrailer)
	}
	return err
}

// hasBody reports whether a request has a body, be it empty.
func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// isSmall reports whether the request's content is little and in memory already, as that
// of most: then it leaves along with the header. Reading another body might take long. It
// can be had once more, as nothing else is kept of it.
func (st *clientStream) isSmall() bool {
	n := sendLength(st.req)
	if n <= 0 || n > smallContent || st.req.GetBody == nil || !inMemory(st.req.Body) {
		return false
	}
	toContinue, _ := expectation(st.req.Header)
	return !toContinue
}

// Types of what io.NopCloser returns, as which http.NewRequest makes bodies of readers.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(new(bytes.Reader)))
)

// inMemory reports whether a body is a known reader of bytes in memory, as net/http finds
// it out.
func inMemory(body io.Reader) bool {
	if t := reflect.TypeOf(body); t == nopCloser || t == nopCloserWriterTo {
		body, _ = reflect.ValueOf(body).Field(0).Interface().(io.Reader)
	}
	switch body.(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	}
	return false
}

// readContent reads the request's content, and closes its body.
func (st *clientStream) readContent() error {
	length := int(sendLength(st.req))
	if cap(st.first.content) <= length {
		st.first.content = make([]byte, length+1)
	}
	b := st.first.content[:length+1] // to see whether there is more
	n, err := io.ReadFull(st.req.Body, b)
	if closeErr := st.closeRequestBody(); closeErr != nil {
		return &uploadError{closeErr}
	}
	switch {
	case err == nil:
		return errLongBody(st.req)
	case err != io.ErrUnexpectedEOF && err != io.EOF:
		return &uploadError{err}
	case n < length:
		return errShortBody(st.req)
	}
	st.first.content = b[:n]
	return nil
}

// begin opens the request's stream and sends what the request begins with, or all of it. On
// the loop.
func (st *clientStream) begin() {
	c, t := st.conn, st.conn.turn
	ref, err := t.Open(false, st)
	if err != nil {
		st.finish(&unbegunError{err})
		return
	}
	c.awaited.add(st)
	st.Ref, st.early = ref, !t.HandshakeComplete()
	rs := &st.body.rs
	c.machine.BeginRequest(rs, ref.ID(), st, st.req.Method, Protocol(st.req) != "")
	if st.trace.Got1xxResponse != nil {
		rs.AnyInterim() // the hook has its own mind
	}
	if st.upload.follows {
		st.upload.stream = ref.DetachSend()
		st.waiting.sendErr = rs.SendHeaders(st.first.fields, false)
		st.upload.unsent = rs.TakeUnsent()
		st.limitExpectation(t)
		st.tell(newsSent)
		return
	}
	st.waiting.sendErr = rs.SendMessage(st.first.fields, st.first.content, st.first.trailers)
	st.limitHeader(t)
	if st.trace.WroteHeaders != nil || st.trace.WroteRequest != nil {
		st.tell(newsSent)
	}
}

// sent is called when the loop has sent what the request begins with.
func (st *clientStream) sent() {
	if st.trace.WroteHeaders != nil {
		st.trace.WroteHeaders()
	}
	if st.upload.follows {
		st.beginUpload()
	} else {
		st.wroteRequest(st.waiting.sendErr)
	}
}

// unprepared returns how a request has failed of which nothing was sent.
func (st *clientStream) unprepared(err error) *attemptError {
	st.conn.transport.unused(st.conn)
	if own := (*uploadError)(nil); errors.As(err, &own) {
		return &attemptError{cause: own.cause, sent: st.req, own: true}
	}
	return &attemptError{cause: err, sent: st.req, unsent: true, untouched: true}
}

// unbegunError says why no stream was opened for a request.
type unbegunError struct{ cause error }

func (e *unbegunError) Error() string { return e.cause.Error() }

// unbegun returns how a request has failed for which no stream was opened, and takes back
// that it was counted; but for a limit of streams, of which the caller takes note.
func (st *clientStream) unbegun(cause error) *attemptError {
	c, ctx := st.conn, st.req.Context()
	failed := &attemptError{cause: cause, sent: st.req, untouched: len(st.first.content) == 0}
	switch {
	case cause == event.ErrStreamLimit:
		failed.unsent = true
		return failed
	case ctx.Err() != nil:
		failed.cause = context.Cause(ctx)
	default:
		c.transport.retire(c)
		failed.cause, failed.unprocessed = describe(cause), true
	}
	c.transport.unused(c)
	return failed
}

// failed ends a request that gets no response, and says how it failed.
func (st *clientStream) failed(err error) *attemptError {
	if unbegun := (*unbegunError)(nil); errors.As(err, &unbegun) {
		return st.unbegun(unbegun.cause)
	}
	if st.upload.follows && st.upload.unwatch == nil {
		_ = st.closeRequestBody() // the upload has not begun
	}
	result := &attemptError{cause: st.explain(err), sent: st.req}
	result.own = st.upload.err.Load() != nil
	if ctx := st.req.Context(); ctx.Err() != nil && !result.own {
		result.cause = context.Cause(ctx)
	}
	var reset *quic.StreamError
	switch {
	case st.req.Context().Err() != nil || result.own:
		// It is not the server's doing.
	case st.waiting.moved:
		result.moved = true
	case errors.As(err, &reset):
		result.unprocessed = reset.Remote && ErrorCode(reset.Code) == ErrCodeRequestRejected
		if result.unprocessed && !st.conn.transport.isGone(st.conn) {
			result.busy = st.conn
		}
	case st.early && st.conn.unshaken(err):
		st.conn.transport.retire(st.conn)
		result.lost, result.moved = true, true
	case isConnEnd(err):
		st.conn.transport.retire(st.conn)
		<-st.conn.qc.Done() // a GOAWAY that came along has been read then
		result.lost = true
		result.taken = st.taken(err)
		result.unprocessed = st.Ref.ID() >= st.conn.goAway.Load() || st.Ref.NothingSent()
	}
	st.endResponse()
	st.done()
	return result
}
