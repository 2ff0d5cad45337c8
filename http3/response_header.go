package http3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// beginHeader collects the status and the handler's fields.
func (w *responseWriter) beginHeader() {
	w.out = responseBuffersPool.Get().(*responseBuffers)
	fields := append(w.out.fields, statusField(w.status))
	for key, values := range w.header {
		if w.isHeaderField(key, values) {
			eachLine(key, values, func(name, value string) { fields = append(fields, qpack.Field{Name: name, Value: value}) })
		}
	}
	w.out.fields = fields
}

// isHeaderField reports whether a key of the header belongs into the header
// section, and takes note of what it means for the rest of the response. Those
// announced as trailers are in both sections if they are set by now, as in
// net/http. Status 304 tells nothing of the content (RFC 9110, Section 15.4.5).
func (w *responseWriter) isHeaderField(key string, values []string) bool {
	switch key {
	case "Content-Type":
		w.hasType = true
		return w.status != http.StatusNotModified
	case "Content-Length":
		return w.takeContentLength(values) && w.status != http.StatusNotModified
	case "Content-Encoding":
		if len(values) > 0 && values[0] != "" {
			w.hasType = true // what is visible of the content says nothing
		}
	case "Date":
		w.hasDate = true
	case "Trailer":
		w.announceTrailers(values)
	default:
		return !strings.HasPrefix(key, http.TrailerPrefix)
	}
	return true
}

// takeContentLength reads the handler's Content-Length, and removes it when it
// is none, or not allowed (RFC 9110, Section 8.6).
//
// One that is nil or empty keeps it out of the response, as in net/http.
func (w *responseWriter) takeContentLength(values []string) bool {
	if len(values) == 0 || values[0] == "" {
		w.hasLength = true
		return false
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 || w.status == http.StatusNoContent {
		delete(w.header, "Content-Length")
		return false
	}
	w.length = n
	return true
}

// endHeader completes and encodes the header section. p is content beyond what
// is held back; complete says that there will be no more.
func (w *responseWriter) endHeader(p []byte, complete bool) {
	fields := w.out.fields
	if !w.hasType && w.written > 0 {
		fields = append(fields, qpack.Field{Name: "content-type", Value: guessType(w.out.content, p)})
	}
	if complete && w.length < 0 && !w.hasLength && !w.isTunnel && allowsContent(w.status) && (!w.isHead || w.knowsContent()) {
		fields = append(fields, qpack.Field{Name: "content-length", Value: strconv.FormatInt(w.written, 10)})
	}
	if !w.hasDate {
		fields = append(fields, qpack.Field{Name: "date", Value: httpDate(time.Now())})
	}
	w.out.fields = fields
	w.out.frames = w.exchange.body.rs.AppendHeaders(w.out.frames, fields)
}

// knowsContent reports whether the handler has answered HEAD with all of the
// content, for its length, and not with less than GET would get.
func (w *responseWriter) knowsContent() bool {
	return w.written > 0 && w.written == int64(len(w.out.content))
}

// guessType is net/http's guess for content that begins with these parts.
func guessType(first, second []byte) string {
	if len(first) == 0 {
		return http.DetectContentType(second)
	}
	const sniffed = 512 // what DetectContentType looks at
	if len(first) < sniffed && len(second) > 0 {
		first = slices.Concat(first, second[:min(len(second), sniffed)])
	}
	return http.DetectContentType(first)
}

// announceTrailers takes note of the keys in the Trailer field.
func (w *responseWriter) announceTrailers(lines []string) {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if key := http.CanonicalHeaderKey(strings.Trim(name, " \t")); validTrailer(key) {
				if w.trailers == nil {
					w.trailers = make(map[string]struct{})
				}
				w.trailers[key] = struct{}{}
			}
		}
	}
}

// appendTrailers appends a trailer section, if the handler has set any trailers:
// those announced, and those whose keys begin with http.TrailerPrefix.
func (w *responseWriter) appendTrailers() {
	var trailer http.Header
	for key, values := range w.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			key = http.CanonicalHeaderKey(name)
		} else if _, announced := w.trailers[key]; !announced {
			continue
		}
		if validTrailer(key) {
			if trailer == nil {
				trailer = make(http.Header)
			}
			trailer[key] = append(trailer[key], values...)
		}
	}
	w.out.frames = appendTrailers(w.out.frames, &w.exchange.body.rs, trailer)
}

// allowsContent reports whether a response with this status can have content
// (RFC 9110, Section 6.4.1).
func allowsContent(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// statusField returns :status.
func statusField(status int) qpack.Field {
	if status == http.StatusOK {
		return qpack.Field{Name: ":status", Value: "200"}
	}
	return qpack.Field{Name: ":status", Value: strconv.Itoa(status)}
}

// appendStatus appends the beginning of a header section that needs no dynamic
// table.
func appendStatus(b []byte, status int) []byte {
	f := statusField(status)
	return qpack.AppendField(qpack.AppendPrefix(b), f.Name, f.Value)
}

// lastDate is the last value of Date, which changes once in a second.
var lastDate atomic.Pointer[datedSecond]

type datedSecond struct {
	second int64
	text   string
}

// httpDate formats t for the Date field (RFC 9110, Section 6.6.1).
func httpDate(t time.Time) string {
	d := lastDate.Load()
	if d == nil || d.second != t.Unix() {
		d = &datedSecond{t.Unix(), t.UTC().Format(http.TimeFormat)}
		lastDate.Store(d)
	}
	return d.text
}
