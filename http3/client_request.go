package http3

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// userAgent is sent unless the request says otherwise.
const userAgent = "godwit-http3"

// checkRequest refuses what cannot be sent.
func checkRequest(req *http.Request) error {
	switch {
	case req.URL == nil:
		return errors.New("http3: request without a URL")
	case req.URL.Scheme != "https":
		return fmt.Errorf("http3: unsupported scheme %q: HTTP/3 needs https", req.URL.Scheme)
	case req.URL.Host == "":
		return errors.New("http3: request URL without a host")
	case req.Body == nil && req.ContentLength > 0:
		return fmt.Errorf("http3: Content-Length %d without a body", req.ContentLength)
	case req.Method != "" && !h3.ValidMethod(req.Method):
		return fmt.Errorf("http3: invalid method %q", req.Method)
	}
	for _, host := range []string{req.Host, req.URL.Host} {
		if _, err := asciiHost(host); err != nil {
			return fmt.Errorf("http3: invalid host %q: %w", host, err)
		}
	}
	if err := checkConnectionFields(req.Header); err != nil {
		return err
	}
	for _, h := range []http.Header{req.Header, req.Trailer} {
		for key, values := range h {
			if !h3.ValidFieldName(lowerName(key)) {
				return fmt.Errorf("http3: invalid field name %q", key)
			}
			if !slices.ContainsFunc(values, func(v string) bool { return !h3.ValidFieldValue(v) }) {
				continue
			}
			return fmt.Errorf("http3: invalid value of field %s", key) // which may be secret
		}
	}
	for key := range req.Trailer {
		if !validTrailer(key) {
			return fmt.Errorf("http3: invalid trailer %q", key)
		}
	}
	return nil
}

// connectionFields are the fields that checkConnectionFields looks at, with the values
// that change nothing.
var connectionFields = []struct {
	key      string
	harmless []string
}{
	{"Upgrade", nil},
	{"Transfer-Encoding", []string{"chunked"}},
	{"Connection", []string{"close", "keep-alive"}},
}

// checkConnectionFields refuses fields that ask for something HTTP/3 does not have
// (RFC 9114, Section 4.2), as net/http does for HTTP/2. Those that ask for what
// it does anyway are left out.
func checkConnectionFields(h http.Header) error {
	for _, f := range connectionFields {
		values := h[f.key]
		if len(values) == 0 || len(values) == 1 && (values[0] == "" || slices.Contains(f.harmless, strings.ToLower(values[0]))) {
			continue
		}
		return fmt.Errorf("http3: field %s is not of HTTP/3: %q", f.key, values)
	}
	return nil
}

// originAddr returns the "host:port" of a URL that checkRequest has accepted.
func originAddr(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	ascii, err := asciiHost(host)
	switch {
	case err == nil && ascii != host:
		host = ascii
	case port != "" && len(u.Host) == len(host)+1+len(port):
		return u.Host // which is that already
	}
	if port == "" {
		port = "443"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// sendLength returns the length of a request's content, or -1 when it is not
// known.
func sendLength(req *http.Request) int64 {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return 0
	case req.ContentLength == 0 || isConnect(req):
		return -1 // with a body, 0 means unknown
	}
	return req.ContentLength
}

// isConnect reports whether a request asks a proxy for a tunnel to its Host: what its
// body and the response's carry are the tunnel's bytes (RFC 9114, Section 4.4).
func isConnect(req *http.Request) bool {
	return req.Method == http.MethodConnect && Protocol(req) == ""
}

// eachRequestField calls add for every field of a request's header section.
// gzip says whether the response is asked for in gzip.
func eachRequestField(req *http.Request, gzip bool, add func(name, value string)) error {
	authority := req.Host
	if authority == "" {
		authority = req.URL.Host
	}
	authority, err := asciiHost(withoutZone(authority))
	if err != nil || !h3.ValidAuthority(authority) {
		return fmt.Errorf("invalid host %q", authority)
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	add(":method", method)
	add(":authority", authority)
	if !isConnect(req) {
		path := req.URL.RequestURI()
		if path != "*" && !strings.HasPrefix(path, "/") {
			return fmt.Errorf("invalid path %q", path)
		}
		add(":scheme", "https")
		add(":path", path)
	}
	if protocol := Protocol(req); protocol != "" {
		add(protocolKey, protocol)
	}
	eachField(req.Header, isRequestField, add)
	if values, ok := req.Header["User-Agent"]; !ok {
		add("user-agent", userAgent)
	} else if len(values) > 0 && values[0] != "" {
		add("user-agent", values[0])
	}
	if slices.Contains(req.Header["Te"], "trailers") {
		add("te", "trailers") // its only valid value
	}
	if gzip {
		add("accept-encoding", "gzip")
	}
	if n := sendLength(req); n > 0 || (n == 0 && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch)) {
		add("content-length", strconv.FormatInt(n, 10))
	}
	if len(req.Trailer) > 0 {
		add("trailer", trailerNames(req.Trailer))
	}
	return nil
}

// appendHeader appends the fields of the request's header section. Their size, as
// RFC 9114, Section 4.2.2, counts it, must not exceed what the server accepts.
func (st *clientStream) appendHeader(fields []qpack.Field) ([]qpack.Field, error) {
	size := 0
	err := eachRequestField(st.req, st.gunzip, func(name, value string) {
		f := qpack.Field{Name: name, Value: value}
		fields = append(fields, f)
		size += f.Size()
		if st.trace.WroteHeaderField != nil {
			st.trace.WroteHeaderField(name, []string{value})
		}
	})
	if err == nil {
		err = st.checkSize(size)
	}
	return fields, err
}

// checkSize refuses a header section that the server does not accept. What it does
// accept is waited for before a large one is sent, which a server would refuse in
// ways that do not say whether the request may be sent by other means.
func (st *clientStream) checkSize(size int) error {
	peer := st.conn.machine.PeerSettings()
	if peer == nil && size > certainSize {
		if err := st.conn.settled(st.req.Context()); err != nil {
			return err
		}
		peer = st.conn.machine.PeerSettings()
	}
	if peer != nil && peer.MaxFieldSectionSize > 0 && uint64(size) > peer.MaxFieldSectionSize {
		return fmt.Errorf("header section of %d bytes is larger than the server's limit of %d", size, peer.MaxFieldSectionSize)
	}
	return nil
}

// isRequestField reports whether a field of a request's Header is sent as it is.
func isRequestField(key string) bool {
	switch key {
	case "Host", "Content-Length", "Trailer", "User-Agent", "Te":
		return false
	}
	return true
}

func trailerNames(trailer http.Header) string {
	names := make([]string, 0, len(trailer))
	for key := range trailer {
		names = append(names, http.CanonicalHeaderKey(key))
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func (st *clientStream) wroteRequest(err error) {
	if st.trace.WroteRequest != nil {
		st.trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
}
