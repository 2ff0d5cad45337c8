package http3

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// FixedResponse is a response that is always the same: a health check, a small
// file, a redirect. It is an http.Handler, which may be used by many servers at once. A
// Server that has it in BypassHandler sends it without a goroutine, an http.Request or an
// allocation; it is encoded once a second then, for the Date.
type FixedResponse struct {
	status  int
	header  http.Header
	body    []byte
	encoded atomic.Pointer[encodedResponse]
}

// encodedResponse is a FixedResponse as it goes on the wire within one second.
type encodedResponse struct {
	second    int64
	get, head []byte
}

// NewFixedResponse makes a response with a status from 200 to 599. header, of which a copy is
// kept, may be nil. Content-Length is added, and so is Content-Type if header has none, by
// what body looks like. body is kept, and must not be changed afterwards; a HEAD request gets
// the header alone.
func NewFixedResponse(status int, header http.Header, body []byte) *FixedResponse {
	f := &FixedResponse{status: status, header: header.Clone(), body: body}
	if f.header == nil {
		f.header = http.Header{}
	}
	if allowsContent(status) {
		f.header.Set("Content-Length", strconv.Itoa(len(body)))
		if f.header.Get("Content-Type") == "" && len(body) > 0 {
			f.header.Set("Content-Type", http.DetectContentType(body))
		}
	} else {
		f.body = nil
	}
	return f
}

// ServeHTTP implements http.Handler.
func (f *FixedResponse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), f.header)
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) // the client may be gone
	}
}

// bytes returns the frames of the response to a GET or HEAD request.
func (f *FixedResponse) bytes(now time.Time, method string) []byte {
	e := f.encoded.Load()
	if e == nil || e.second != now.Unix() {
		e = f.encode(now)
		f.encoded.Store(e)
	}
	if method == http.MethodHead {
		return e.head
	}
	return e.get
}

func (f *FixedResponse) encode(now time.Time) *encodedResponse {
	b, mark := h3.BeginHeaders(nil)
	b = appendStatus(b, f.status)
	for _, name := range slices.Sorted(maps.Keys(f.header)) {
		for _, value := range f.header[name] {
			b = qpack.AppendField(b, strings.ToLower(name), value)
		}
	}
	if f.header.Get("Date") == "" {
		b = qpack.AppendField(b, "date", httpDate(now))
	}
	b = h3.EndHeaders(b, mark)
	e := &encodedResponse{second: now.Unix(), head: slices.Clone(b)}
	if len(f.body) > 0 {
		b = append(h3.AppendFrameHeader(b, h3.FrameData, uint64(len(f.body))), f.body...)
	}
	e.get = b
	return e
}

// fixed returns the fixed response to a request, or nil.
func (s *Server) fixed(h *h3.RequestHeader) *FixedResponse {
	if len(s.BypassHandler) == 0 || h.Method != http.MethodGet && h.Method != http.MethodHead {
		return nil
	}
	return s.BypassHandler[h.Path]
}

// serveFixed answers a request on the loop's goroutine. It reports false, and does
// nothing, if the client does not take so much at once: a handler can wait for it.
func (x *exchange) serveFixed(method string) bool {
	b := x.fixed.bytes(time.Now(), method)
	if len(b) > freeResponse && x.Room() < len(b) {
		return false
	}
	x.SetHandler(nil)
	_, _ = x.Write(b, true) // the client may be gone
	x.body.rs.Abandon()
	if ended, _ := x.body.rs.Ended(); !ended {
		x.Stop(h3.NoError) // RFC 9114, Section 4.1
	}
	x.conn.machine.AnsweredRequest()
	return true
}
