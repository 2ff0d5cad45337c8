package h3

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// RequestHeader is a request's header section. An absent pseudo-header field is
// the empty string.
type RequestHeader struct {
	Method, Scheme, Authority, Path string
	// Protocol is what an extended CONNECT asks for (RFC 9220). A server that
	// has not enabled it must take such a request as malformed.
	Protocol string
	// Host is the authority, be it from :authority or from the host field.
	Host string
	// ContentLength is the value of Content-Length, or -1 without it.
	ContentLength int64
	// Fields are the regular fields, a part of the slice given to ParseRequest.
	// The host field is among them.
	Fields []qpack.Field
}

// ResponseHeader is the header section of a response.
type ResponseHeader struct {
	Status        int           // 100 to 999
	ContentLength int64         // as in RequestHeader
	Fields        []qpack.Field // as in RequestHeader
}

// ParseRequest checks a request's header section (RFC 9114, Sections 4.1.2 to
// 4.4) and takes it apart. The error is a *StreamError: the message is malformed.
func ParseRequest(fields []qpack.Field) (RequestHeader, error) {
	var h RequestHeader
	var p pseudoFields
	for len(fields) > 0 && isPseudo(fields[0].Name) {
		if err := p.add(fields[0]); err != nil {
			return h, err
		}
		fields = fields[1:]
	}
	if p.has(pseudoStatus) {
		return h, malformed(":status in a request")
	}
	regular, err := checkFields(fields)
	if err != nil {
		return h, err
	}
	h = RequestHeader{
		Method: p[pseudoMethod].value, Scheme: p[pseudoScheme].value,
		Authority: p[pseudoAuthority].value, Path: p[pseudoPath].value, Protocol: p[pseudoProtocol].value,
		ContentLength: regular.contentLength, Fields: fields,
	}
	if err := checkRequestTarget(&p, &h); err != nil {
		return h, err
	}
	return h, checkHost(&p, &h, regular)
}

// ParseResponse checks a response's header section and takes it apart, as
// ParseRequest does.
func ParseResponse(fields []qpack.Field) (ResponseHeader, error) {
	var h ResponseHeader
	if len(fields) == 0 || fields[0].Name != ":status" {
		return h, malformed("response does not begin with :status")
	}
	status := fields[0].Value
	if len(status) != 3 || status[0] < '1' || !isDigits(status) {
		return h, malformed(":status is not a number of three digits")
	}
	h.Status = int(status[0]-'0')*100 + int(status[1]-'0')*10 + int(status[2]-'0')
	if h.Status == 101 {
		return h, malformed("status 101, which HTTP/3 does not have") // RFC 9114, Section 4.5
	}
	regular, err := checkFields(fields[1:])
	h.ContentLength, h.Fields = regular.contentLength, fields[1:]
	return h, err
}

// ParseTrailers checks a trailer section; what it may not contain makes the
// message malformed.
func ParseTrailers(fields []qpack.Field) error {
	_, err := checkFields(fields)
	return err
}

func checkRequestTarget(p *pseudoFields, h *RequestHeader) error {
	switch {
	case !ValidMethod(h.Method):
		return malformed("no valid :method")
	case !consistsOf(h.Authority, classAuthority):
		return malformed("invalid character in :authority")
	}
	if p.has(pseudoProtocol) {
		// Extended CONNECT has all the others (RFC 8441, Section 4).
		if h.Method != "CONNECT" || !ValidMethod(h.Protocol) || h.Authority == "" {
			return malformed(":protocol is no token, or not in a CONNECT request with :authority")
		}
	} else if h.Method == "CONNECT" {
		if h.Authority == "" || p.has(pseudoScheme) || p.has(pseudoPath) {
			return malformed("CONNECT needs :authority and neither :scheme nor :path")
		}
		return nil
	}
	switch {
	case h.Scheme == "" || !consistsOf(h.Scheme, classScheme):
		return malformed("no valid :scheme")
	case h.Path == "" || !consistsOf(h.Path, classPath):
		return malformed("no valid :path")
	case !isHTTPScheme(h.Scheme):
		return nil
	case h.Path[0] != '/' && (h.Path != "*" || h.Method != "OPTIONS"):
		return malformed(":path does not begin with a slash")
	}
	return nil
}

// checkHost holds the request to RFC 9114, Section 4.3.1: an http or https URI
// has an authority, which :authority and host agree about.
func checkHost(p *pseudoFields, h *RequestHeader, regular regularFields) error {
	h.Host = h.Authority
	if regular.hosts == 0 {
		if h.Authority == "" && (p.has(pseudoAuthority) || isHTTPScheme(h.Scheme)) {
			return malformed("neither :authority nor host")
		}
		return nil
	}
	switch {
	case regular.hosts > 1:
		return malformed("more than one host field")
	case !ValidAuthority(regular.host):
		return malformed("invalid host field")
	case p.has(pseudoAuthority) && !strings.EqualFold(regular.host, h.Authority):
		return malformed(":authority and host differ")
	}
	h.Host = regular.host
	return nil
}

func isHTTPScheme(s string) bool {
	return s == "https" || s == "http" || strings.EqualFold(s, "https") || strings.EqualFold(s, "http")
}

// The pseudo-header fields (RFC 9114, Section 4.3).
const (
	pseudoMethod = iota
	pseudoScheme
	pseudoAuthority
	pseudoPath
	pseudoStatus
	pseudoProtocol
	numPseudo
)

// pseudoFields are the pseudo-header fields found.
type pseudoFields [numPseudo]struct {
	value string
	set   bool
}

func (p *pseudoFields) has(i int) bool { return p[i].set }

func (p *pseudoFields) add(f qpack.Field) error {
	i := 0
	switch f.Name {
	case ":method":
		i = pseudoMethod
	case ":scheme":
		i = pseudoScheme
	case ":authority":
		i = pseudoAuthority
	case ":path":
		i = pseudoPath
	case ":status":
		i = pseudoStatus
	case ":protocol":
		i = pseudoProtocol
	default:
		return malformed("unknown pseudo-header field")
	}
	if p[i].set {
		return malformed(f.Name + " occurs twice")
	}
	p[i].value, p[i].set = f.Value, true
	return nil
}

func isPseudo(name string) bool { return len(name) > 0 && name[0] == ':' }

// regularFields is what checkFields learned on its way.
type regularFields struct {
	contentLength int64 // -1 without
	host          string
	hosts         int // how many host fields
}

// checkFields checks regular fields: names and values consist of what they may,
// and none is specific to a connection (RFC 9114, Sections 4.2 and 10.3). A
// pseudo-header field among them fails, as a name with a colon does.
func checkFields(fields []qpack.Field) (regularFields, error) {
	r := regularFields{contentLength: -1}
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		if !ValidFieldName(name) {
			return r, malformed("invalid field name, or pseudo-header field out of place")
		}
		if !ValidFieldValue(value) {
			return r, malformed("invalid character in a field value")
		}
		switch name {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
			return r, malformed("connection-specific field " + name)
		case "te":
			if value != "trailers" {
				return r, malformed("te with another value than trailers")
			}
		case "host":
			r.host = value
			r.hosts++
		case "content-length":
			n, ok := parseContentLength(value)
			if !ok || (r.contentLength >= 0 && n != r.contentLength) {
				return r, malformed("invalid Content-Length")
			}
			r.contentLength = n
		}
	}
	return r, nil
}

// parseContentLength reads a decimal number of at most 18 digits, all that is
// valid and surely fits (RFC 9110, Section 8.6).
func parseContentLength(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 || !isDigits(s) {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
