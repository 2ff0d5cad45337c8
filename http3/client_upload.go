package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// upload is what a request has whose content is not sent along with its header.
type upload struct {
	follows bool             // the header, on its own; without, all of the request is sent at once
	stream  *quic.SendStream // which is not the loop's
	unsent  []byte           // of the header
	proceed chan bool        // tells it to begin, or that it need not; nil if it does not wait
	unwatch func() bool      // ends the watch on the sending half

	bodyClosed atomic.Bool
	over       atomic.Bool // it is not counted in clientStream.open any more
	// err is why the request's own body could not be sent.
	err atomic.Pointer[error]
}

// beginUpload starts the upload. However the sending half of the stream ends, since
// the server wants no more, the request was cancelled or the connection is lost, it
// ends the upload, too, even if that waits for the user's body: as net/http does it,
// the body is closed, which has to make Read return, in a goroutine of its own.
func (st *clientStream) beginUpload() {
	st.open.Add(1)
	st.upload.unwatch = context.AfterFunc(st.upload.stream.Context(), st.abandonUpload)
	go st.send()
}

// abandonUpload ends the upload from outside.
func (st *clientStream) abandonUpload() {
	_ = st.closeRequestBody()
	st.endUpload()
}

// endUpload says that the upload is over, in any way.
func (st *clientStream) endUpload() {
	if st.upload.over.CompareAndSwap(false, true) {
		if st.conn.transport.ResponseHeaderTimeout > 0 {
			event.Run(st.conn.qc, st.limitHeader)
		}
		st.done()
	}
}

// uploading reports whether the upload is under way.
func (st *clientStream) uploading() bool {
	return st.upload.unwatch != nil && !st.upload.over.Load()
}

// closeRequestBody closes the request's body, unless that was done.
func (st *clientStream) closeRequestBody() error {
	if st.upload.bodyClosed.CompareAndSwap(false, true) {
		return st.req.Body.Close()
	}
	return nil
}

// uploadBuffer is the memory an upload passes through, with room for a frame's
// header in front.
type uploadBuffer [h3.MaxFrameHeaderSize + uploadBufferSize]byte

var uploadBuffers = sync.Pool{New: func() any { return new(uploadBuffer) }}

// send sends the request's content and trailers, in a goroutine of its own.
func (st *clientStream) send() {
	defer st.endUpload()
	if !st.awaitContinue() {
		st.forgoUpload()
		return
	}
	_, err := st.upload.stream.Write(st.upload.unsent)
	if err == nil {
		err = st.copyBody()
	}
	if st.upload.bodyClosed.Load() {
		// What the body says is due to this end's having closed it.
		st.wroteRequest(context.Cause(st.upload.stream.Context()))
		return
	}
	closeErr := st.closeRequestBody()
	if err == nil && closeErr != nil {
		err = &uploadError{closeErr}
	}
	if err == nil {
		st.upload.unwatch()
		_, err = st.upload.stream.WriteLast(appendTrailers(nil, &st.body.rs, st.req.Trailer))
	}
	st.wroteRequest(err)
	var own *uploadError
	if errors.As(err, &own) {
		// The request is not what the user wanted to send.
		st.upload.err.CompareAndSwap(nil, &own.cause)
		cancel(st.Ref, h3.RequestCancelled)
	}
}

// copyBody sends the request's content.
func (st *clientStream) copyBody() error {
	buf := uploadBuffers.Get().(*uploadBuffer)
	defer uploadBuffers.Put(buf)
	length := sendLength(st.req)
	var sent int64
	for {
		n, readErr := st.req.Body.Read(buf[h3.MaxFrameHeaderSize:])
		if length >= 0 && sent+int64(n) > length {
			return errLongBody(st.req)
		}
		if n > 0 {
			// With a known length all content is one DATA frame.
			frame := int64(n)
			if length > 0 {
				frame = length
			}
			piece := buf[h3.MaxFrameHeaderSize : h3.MaxFrameHeaderSize+n]
			if length <= 0 || sent == 0 {
				st.body.rs.TraceData(int(frame))
				piece = withFrameHeader(buf, n, frame)
			}
			if _, err := st.upload.stream.Write(piece); err != nil {
				return err
			}
			sent += int64(n)
		}
		switch {
		case readErr == io.EOF && length >= 0 && sent < length:
			return errShortBody(st.req)
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return &uploadError{readErr}
		}
	}
}

// uploadError is an error of the user's body rather than of the stream.
type uploadError struct{ cause error }

func (e *uploadError) Error() string { return e.cause.Error() }

func errLongBody(req *http.Request) error {
	return &uploadError{fmt.Errorf("http3: request body is longer than its Content-Length %d", req.ContentLength)}
}

func errShortBody(req *http.Request) error {
	return &uploadError{fmt.Errorf("http3: request body is shorter than its Content-Length %d", req.ContentLength)}
}

// withFrameHeader returns the n bytes of content in buf with the header of a
// DATA frame of the given length in front.
func withFrameHeader(buf *uploadBuffer, n int, length int64) []byte {
	var header [h3.MaxFrameHeaderSize]byte
	h := h3.AppendFrameHeader(header[:0], h3.FrameData, uint64(length))
	start := h3.MaxFrameHeaderSize - len(h)
	copy(buf[start:], h)
	return buf[start : h3.MaxFrameHeaderSize+n]
}
