package http3

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// newRequest makes the request a handler sees.
func (x *exchange) newRequest(h *requestHead) (*http.Request, error) {
	x.give()
	target, uri := &x.url, h.Path
	if h.Method == http.MethodConnect || !parsePlain(target, &h.RequestHeader) {
		var err error
		if target, uri, err = parseTarget(&h.RequestHeader); err != nil {
			return nil, err
		}
	}
	h.collect(x.values[:0])
	header := h.header
	x.special = h.special
	if x.special&hasHost != 0 {
		delete(header, "Host") // net/http promotes it
	}
	if h.Protocol != "" {
		header[protocolKey] = []string{h.Protocol}
	}
	req := http.Request{
		Method:        h.Method,
		URL:           target,
		Proto:         "HTTP/3.0",
		ProtoMajor:    3,
		Header:        header,
		Body:          x.body,
		ContentLength: h.ContentLength,
		Host:          h.Host,
		RemoteAddr:    x.conn.remoteAddr(),
		RequestURI:    uri,
		TLS:           x.conn.tls.Load(),
	}
	if x.body.rs.Whole() {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	if x.special&hasTrailer != 0 {
		if limit := x.conn.srv.maxHeaderValueCount(); limit > 0 && countNames(header["Trailer"]) > limit {
			return nil, errTooManyFields
		}
		req.Trailer = takeTrailerNames(header)
	}
	if x.special&hasExpect != 0 && req.Body != http.NoBody {
		if expects, _ := expectation(header); expects {
			req.Body = &expectedBody{body: x.body, rw: &x.rw}
		}
	}
	return req.WithContext(&x.ctx), nil
}

// give makes what the handler is given.
func (x *exchange) give() {
	x.handed = &handed{rw: responseWriter{conn: x.conn}}
	x.ctx.rw = &x.rw
	if x.takenBack != nil {
		x.ctx.peerReset(x.takenBack)
	}
}

// errTooManyFields says that a request announces more trailers than it may have fields.
var errTooManyFields = errors.New("http3: too many trailers")

// expectation reports whether a request waits for status 100 before it sends its
// content, and whether it expects something else, which no server can meet
// (RFC 9110, Section 10.1.1).
func expectation(header http.Header) (toContinue, unknown bool) {
	value := header.Get("Expect")
	if toContinue = strings.EqualFold(value, "100-continue"); toContinue {
		return true, false
	}
	return false, value != ""
}

// parsePlain parses a target as parseTarget does if nothing in it needs work: a
// path of letters, digits and some signs, perhaps with a query.
func parsePlain(u *url.URL, h *h3.RequestHeader) bool {
	if h.Scheme != "https" || len(h.Path) == 0 || h.Path[0] != '/' {
		return false
	}
	for i := range len(h.Path) {
		switch c := h.Path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '_', c == '.', c == '~':
		case c == '?' && i+1 < len(h.Path) && isQuery(h.Path[i+1:]):
			u.Path, u.RawQuery = h.Path[:i], h.Path[i+1:]
			return true
		default:
			return false
		}
	}
	u.Path = h.Path
	return true
}

// isQuery reports whether a query is of printable ASCII characters, which net/url
// leaves as they are.
func isQuery(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '#' {
			return false
		}
	}
	return true
}

// parseTarget returns the request's URL and what RequestURI is.
func parseTarget(h *h3.RequestHeader) (*url.URL, string, error) {
	switch {
	case h.Method == http.MethodConnect && h.Protocol == "":
		return &url.URL{Host: h.Authority}, h.Authority, nil
	case h.Scheme != "https" && h.Scheme != "http":
		return nil, "", errors.New("http3: request with scheme " + h.Scheme)
	}
	target, err := url.ParseRequestURI(h.Path)
	return target, h.Path, err
}

// countNames counts what the lines of a list name.
func countNames(lines []string) (n int) {
	for _, line := range lines {
		n += 1 + strings.Count(line, ",")
	}
	return n
}

// mergeTrailers adds trailers that arrived. Like HTTP/1.1's, they appear whether
// they were announced or not, but for those that must not be trailers
// (RFC 9110, Section 6.5.1).
func mergeTrailers(trailer http.Header, fields []qpack.Field) http.Header {
	if trailer == nil {
		trailer = make(http.Header, len(fields))
	}
	for _, f := range fields {
		if key := canonicalName(f.Name); validTrailer(key) {
			trailer[key] = append(trailer[key], f.Value)
		}
	}
	return trailer
}
