package http3

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// errHandlerReturned is what a response returns that is used too late.
var errHandlerReturned = errors.New("http3: the handler has returned already")

// responseWriter is the http.ResponseWriter of a server. As net/http asks,
// handlers use it from one goroutine at a time, and not after they returned. Its
// lock is for those that do: their bytes must not end in somebody else's
// response, whose buffers were theirs.
//
// The header section is encoded as soon as the status is known, so that later
// changes of the header need no copy of it, and kept open for the fields that
// depend on the content. Content is held back until there is too much of it, so
// that a small response is a single write, its end included.
type responseWriter struct {
	conn   *serverConn
	header http.Header

	mu        sync.Mutex // guards the response
	*response            // nil from letGo on, when it may be another's

	using    sync.Mutex // held while deadlines of the stream are set
	returned bool       // the handler has: nobody may set deadlines; guarded by using
}

// response is a responseWriter's part of an exchange.
type response struct {
	exchange *exchange

	status    int              // 0 until WriteHeader
	out       *responseBuffers // nil before WriteHeader and after the end
	isHead    bool             // answers HEAD: no content leaves
	isTunnel  bool             // answers CONNECT: its content has no length
	continued bool             // status 100 was sent
	sent      bool             // the header section has left
	hasType   bool             // the handler set Content-Type, or wants none
	hasLength bool             // likewise Content-Length
	hasDate   bool

	wholeFrame bool  // all content is one DATA frame, whose header has been sent
	length     int64 // the handler's Content-Length, or -1
	written    int64 // bytes of content, sent or not
	err        error // of writing to the stream

	trailers map[string]struct{} // keys announced in the Trailer field; nil without any

	deadline int64 // for writing, in nanoseconds as time.Time.UnixNano has them; 0 for none; guarded by responseWriter.using
}

// responseBuffers is the memory of a response being written.
type responseBuffers struct {
	frames  []byte        // to be sent next: the header section, and frames' headers
	content []byte        // held back, up to its capacity
	fields  []qpack.Field // of the header section
}

var responseBuffersPool = sync.Pool{New: func() any {
	return &responseBuffers{frames: make([]byte, 0, writeBufferSize+1024), content: make([]byte, 0, writeBufferSize)}
}}

func (w *responseWriter) begin(x *exchange) {
	w.response = &x.resp
	w.exchange, w.length = x, -1
	w.isHead, w.isTunnel = x.req.Method == http.MethodHead, x.req.Method == http.MethodConnect
}

// Header returns the header, and in the end the trailer, to fill in.
func (w *responseWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader sets the status; the header's fields are those it has now. An
// interim response (1xx) is sent at once, and another one or the final one must
// follow.
func (w *responseWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.isGone() || w.status != 0: // which may be too late for an invalid one, too
		_, file, line, _ := runtime.Caller(1)
		w.conn.srv.logger().Warn("http3: superfluous WriteHeader", "status", status, "caller", file+":"+strconv.Itoa(line))
		return
	case status < 100 || status > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %d", status)) // as net/http says it
	case status < 200:
		w.writeInterim(status)
		return
	}
	w.setStatus(status)
}

// letGo leaves the response's memory to another. The handler has returned.
func (w *responseWriter) letGo() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.response = nil
}

// isGone reports whether the handler has returned, and the response is over. The lock is
// held.
func (w *responseWriter) isGone() bool { return w.response == nil }

// setDeadline sets a deadline of the stream, unless the handler has returned.
func (w *responseWriter) setDeadline(set func(*quic.Stream) error) error {
	w.using.Lock()
	defer w.using.Unlock()
	if w.returned {
		return errHandlerReturned
	}
	if !w.exchange.detached.Load() {
		return http.ErrNotSupported // a tunnel's, which is the loop's
	}
	return set(&w.exchange.stream)
}

// setStatus begins the header section.
func (w *responseWriter) setStatus(status int) {
	w.status = status
	w.beginHeader()
}

// Write adds content.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.prepare(len(p)); err != nil {
		return 0, err
	}
	if n := min(len(p), cap(w.out.content)-len(w.out.content)); n == len(p) || w.isHead {
		// What is kept for HEAD is to guess the type from.
		w.out.content = append(w.out.content, p[:n]...)
		return len(p), nil
	}
	return w.send(p)
}

// WriteString adds content.
func (w *responseWriter) WriteString(s string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.prepare(len(s)); err != nil {
		return 0, err
	}
	if n := min(len(s), cap(w.out.content)-len(w.out.content)); n == len(s) || w.isHead {
		w.out.content = append(w.out.content, s[:n]...)
		return len(s), nil
	}
	return w.send([]byte(s))
}

// start makes the status 200 if there is none, and checks whether something may be sent.
func (w *responseWriter) start() error {
	if w.isGone() {
		return errHandlerReturned
	}
	if w.status == 0 {
		w.setStatus(http.StatusOK)
	}
	if w.err == nil && w.out == nil {
		return errHandlerReturned
	}
	return w.err
}

// prepare checks whether n bytes of content may follow.
func (w *responseWriter) prepare(n int) error {
	if err := w.start(); err != nil {
		return err
	}
	switch {
	case !allowsContent(w.status):
		return http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(n) > w.length:
		return http.ErrContentLength
	}
	w.written += int64(n)
	return nil
}

// send sends what has been held back and then p.
func (w *responseWriter) send(p []byte) (int, error) {
	out := w.out
	if w.isTunnel {
		w.exchange.detach() // that of an extended CONNECT is event-driven so far
	}
	if !w.sent {
		w.endHeader(p, false)
		w.sent = true
	}
	if !w.isHead {
		w.appendContent(p)
	}
	n, err := 0, error(nil)
	if len(out.frames) > 0 {
		// The beginning of p leaves with its frame's header.
		n = min(len(p), cap(out.content))
		out.frames = append(out.frames, p[:n]...)
		_, err = w.exchange.write(out.frames, false)
		out.frames = out.frames[:0]
	}
	if err == nil && n < len(p) {
		var m int
		m, err = w.exchange.write(p[n:], false)
		n += m
	}
	if err != nil {
		w.err = describe(err)
	}
	return n, w.err
}

// appendContent appends the header of a DATA frame for what has been held back
// and p, and then the former.
func (w *responseWriter) appendContent(p []byte) {
	out := w.out
	if n := uint64(len(out.content) + len(p)); n > 0 && !w.wholeFrame {
		if w.length > 0 {
			// The length is known: one frame for all.
			n, w.wholeFrame = uint64(w.length), true
		}
		out.frames = h3.AppendFrameHeader(out.frames, h3.FrameData, n)
		w.exchange.body.rs.TraceData(int(n))
	}
	out.frames = append(out.frames, out.content...)
	out.content = out.content[:0]
}

// FlushError sends what has been held back.
func (w *responseWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.start(); err != nil || w.sent && len(w.out.content) == 0 {
		return err
	}
	_, err := w.send(nil)
	return err
}

// Flush implements http.Flusher.
func (w *responseWriter) Flush() { _ = w.FlushError() }

// SetReadDeadline sets until when the request's content can be read, for
// http.ResponseController.
func (w *responseWriter) SetReadDeadline(t time.Time) error {
	return w.setDeadline(func(s *quic.Stream) error {
		if p := w.exchange.pacing; p != nil {
			p.userRead, t = t, earlier(t, p.readUntil)
		}
		return w.exchange.body.setReadDeadline(t)
	})
}

// SetWriteDeadline sets until when the response can be written, for
// http.ResponseController.
func (w *responseWriter) SetWriteDeadline(t time.Time) error {
	return w.setDeadline(func(s *quic.Stream) error {
		if w.deadline = 0; !t.IsZero() {
			w.deadline = t.UnixNano()
		}
		if p := w.exchange.pacing; p != nil {
			t = earlier(t, p.writeUntil)
		}
		return s.SetWriteDeadline(t)
	})
}

// EnableFullDuplex does nothing, for http.ResponseController: in HTTP/3, reading
// and writing are independent.
func (w *responseWriter) EnableFullDuplex() error { return nil }

// finish sends the rest of the response and its end. It reports false when the
// stream has to be reset.
//
// A response that is shorter than its Content-Length is malformed (RFC 9114, Section
// 4.1.2): as over HTTP/1.1, the client gets all there is of it, and then an error.
func (w *responseWriter) finish() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.release()
	if w.status == 0 {
		w.setStatus(http.StatusOK)
	}
	isShort := w.length > w.written && !w.isHead && allowsContent(w.status)
	switch {
	case w.err != nil:
		return false
	case isShort && w.wholeFrame:
		// A frame must not end early (RFC 9114, Section 7.1).
		if _, err := w.send(nil); err == nil {
			w.exchange.stream.MarkReliable()
		}
		return false
	case isShort:
		w.length = -1 // of the frame: that is as long as its content
	}
	if !w.sent {
		w.endHeader(nil, !isShort)
	}
	if !w.isHead {
		w.appendContent(nil)
		w.appendTrailers()
	}
	if w.isTunnel {
		w.exchange.detach()
	}
	_, err := w.exchange.write(w.out.frames, true)
	return err == nil
}

// keepSent has what was sent arrive although the stream is about to be reset, unless
// somebody is writing: a client should see how a response began that is aborted.
func (w *responseWriter) keepSent() {
	if !w.mu.TryLock() {
		return
	}
	defer w.mu.Unlock()
	if w.sent && w.err == nil {
		w.exchange.stream.MarkReliable()
	}
}

// discard gives up the response.
func (w *responseWriter) discard() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.release()
}

// release gives the buffers back; nothing can be written any more.
func (w *responseWriter) release() {
	if w.status == 0 {
		w.status = http.StatusInternalServerError // too late for another
	}
	if out := w.out; out != nil {
		w.out = nil
		if cap(out.frames) > maxPooledBuffer {
			return
		}
		clear(out.fields) // the strings are the handler's
		out.frames, out.content, out.fields = out.frames[:0], out.content[:0], out.fields[:0]
		responseBuffersPool.Put(out)
	}
}
