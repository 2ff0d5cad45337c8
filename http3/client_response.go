package http3

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
)

// HandleLargeSection has a header section decoded in a goroutine that is too large for the
// event loop.
func (c *clientConn) HandleLargeSection(rs *h3.RequestStream, s *h3.LargeSection) {
	go func() {
		var header http.Header
		if h := s.DecodeResponse(); h != nil && h.Status >= 200 {
			header = make(http.Header, len(h.Fields))
			addFields(header, h.Fields, nil)
		}
		c.Post(func() {
			if st, ok := rs.App.(*clientStream); ok {
				st.aside = header
			}
			c.machine.HandleDecoded(h3event.Now(c.turn), s)
		})
	}()
}

// respond makes the response, and takes what there is of its content. On the loop.
func (st *clientStream) respond(h *h3.ResponseHeader) {
	header := st.aside
	if header == nil {
		header = make(http.Header, len(h.Fields))
		addFields(header, h.Fields, nil)
	}
	resp := &http.Response{
		Status:        statusLine(h.Status),
		StatusCode:    h.Status,
		Proto:         "HTTP/3.0",
		ProtoMajor:    3,
		Header:        header,
		ContentLength: h.ContentLength,
		Trailer:       takeTrailerNames(header),
		Request:       st.req,
		TLS:           st.conn.tls.Load(),
	}
	if isConnect(st.req) && h.Status/100 == 2 {
		resp.ContentLength = -1 // it is a tunnel (RFC 9110, Section 9.3.6)
	}
	if h.ContentLength < 0 && !allowsContent(h.Status) {
		resp.ContentLength = 0
	}
	st.waiting.resp, resp.Body = resp, st.takeBody()
	if st.gunzip {
		decompress(resp)
	}
	st.finish(nil)
}

// takeBody returns the response's body. If all of it is there, that does not lead to the
// request's memory, which is let go when RoundTrip has returned.
func (st *clientStream) takeBody() io.ReadCloser {
	rs := &st.body.rs
	if rs.Whole() {
		// A caller that forgets to close the body does no harm.
		st.body.finish(io.EOF)
		st.unused.Store(!st.upload.follows)
		return http.NoBody
	}
	if !st.upload.follows {
		if content, ok := rs.TakeContent(); ok {
			st.body.finish(io.EOF)
			st.unused.Store(true)
			return &wholeBody{rest: content}
		}
	}
	st.stream = *st.Ref.Detach()
	st.body.detach(&st.stream)
	return (*responseBody)(st)
}

// wholeBody is the content of a response that has come all at once.
type wholeBody struct {
	mu   sync.Mutex
	rest []byte
	err  error // what Read returns after that, once it has
}

// Read implements io.Reader.
func (b *wholeBody) Read(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	case len(b.rest) == 0:
		b.err = io.EOF
		return 0, io.EOF
	}
	n = copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close may be called while another goroutine reads.
func (b *wholeBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest, b.err = nil, http.ErrBodyReadAfterClose
	return nil
}

// unanswered returns why the response is not one for RoundTrip's caller: the request, an
// origin's, is to be sent again, later or elsewhere. It is nil for others.
func (st *clientStream) unanswered(origin string) error {
	switch st.waiting.resp.StatusCode {
	case http.StatusTooEarly:
		if st.early {
			return errTooEarly
		}
	case http.StatusMisdirectedRequest:
		if st.conn.addr == origin {
			break
		}
		if st.conn.transport.separate(origin); hasContentAgain(st.req) {
			return errMisdirected
		}
	}
	return nil
}

// deliver returns the response, which RoundTrip's caller gets if the request is answered: in
// that case the watch on its Cancel ends with the response.
func (st *clientStream) deliver(answered bool) *http.Response {
	resp := st.waiting.resp
	st.answered = answered
	kept := !st.responded.Load() || st.upload.follows
	if ctx := st.req.Context(); kept && ctx.Done() != nil {
		st.stop = context.AfterFunc(ctx, func() {
			cancel(st.Ref, h3.RequestCancelled)
			st.body.signal()
		})
	}
	st.done()
	if !kept {
		st.letGo()
	}
	return resp
}

// statusLine returns what HTTP/1.1 would say: the code and its meaning.
func statusLine(code int) string {
	if code == http.StatusOK {
		return "200 OK"
	}
	return strconv.Itoa(code) + " " + http.StatusText(code)
}
