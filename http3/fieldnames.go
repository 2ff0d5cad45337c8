package http3

import (
	"net/http"
	"net/textproto"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// commonNames are field names that need no work in either direction, beyond
// those net/http itself remembers.
var commonNames = strings.Fields(`
	accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials
	access-control-allow-headers access-control-allow-methods access-control-allow-origin
	access-control-expose-headers access-control-max-age access-control-request-headers
	access-control-request-method age allow alt-svc authorization cache-control content-disposition
	content-encoding content-language content-length content-location content-range
	content-security-policy content-type cookie date dnt early-data etag expect expires forwarded from
	host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link
	location origin pragma priority proxy-authenticate proxy-authorization purpose range referer
	refresh retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode
	sec-fetch-site sec-fetch-user server server-timing set-cookie strict-transport-security te
	timing-allow-origin trailer upgrade-insecure-requests user-agent vary via www-authenticate
	x-content-type-options x-forwarded-for x-forwarded-host x-forwarded-proto x-frame-options
	x-request-id x-requested-with x-xss-protection`)

// canonicalNames and lowerNames translate between the wire's names and those of
// http.Header.
var canonicalNames, lowerNames = func() (canonical, lower map[string]string) {
	canonical, lower = make(map[string]string, len(commonNames)), make(map[string]string, len(commonNames))
	for _, name := range commonNames {
		key := http.CanonicalHeaderKey(name)
		canonical[name], lower[key] = key, name
	}
	return canonical, lower
}()

// canonicalName returns the key that http.Header has for a name on the wire.
func canonicalName(name string) string {
	if key, ok := canonicalNames[name]; ok {
		return key
	}
	return http.CanonicalHeaderKey(name)
}

// lowerName returns the name on the wire for a key of an http.Header.
func lowerName(key string) string {
	if name, ok := lowerNames[key]; ok {
		return name
	}
	return strings.ToLower(key)
}

// specialFields says which fields a header has that a server looks at, most
// requests having none of them.
type specialFields uint8

const (
	hasCookie specialFields = 1 << iota
	hasExpect
	hasHost
	hasPriority
	hasTrailer
)

// specialOf returns the bit of a key, 0 for most.
func specialOf(key string) specialFields {
	switch key {
	case "Cookie":
		return hasCookie
	case "Expect":
		return hasExpect
	case "Host":
		return hasHost
	case "Priority":
		return hasPriority
	case "Trailer":
		return hasTrailer
	}
	return 0
}

// addFields adds fields to an empty header and joins what browsers split: a cookie
// in several fields is one again (RFC 9114, Section 4.2.1). A peer chooses the
// fields, and one byte on the wire may stand for a large one; so the work is
// proportional to their decoded size, whatever they are. The slices of one value are
// parts of values, if that has room for all, so that a message need not have memory
// of its own for them.
func addFields(h http.Header, fields []qpack.Field, values []string) (special specialFields) {
	if cap(values) < len(fields) {
		values = make([]string, 0, len(fields))
	}
	for _, f := range fields {
		key := canonicalName(f.Name)
		special |= specialOf(key)
		old, ok := h[key]
		switch {
		case !ok:
			values = append(values, f.Value)
			h[key] = values[len(values)-1 : len(values) : len(values)]
		default:
			h[key] = append(old, f.Value)
		}
	}
	if special&hasCookie != 0 {
		if crumbs := h["Cookie"]; len(crumbs) > 1 {
			h["Cookie"] = []string{strings.Join(crumbs, "; ")}
		}
	}
	return special
}

// takeTrailerNames removes the Trailer field from h and returns the trailer it
// announces, with a nil value for each name; nil when there is none.
func takeTrailerNames(h http.Header) http.Header {
	announced, ok := h["Trailer"]
	if !ok {
		return nil
	}
	delete(h, "Trailer")
	var trailer http.Header
	for _, line := range announced {
		for name := range strings.SplitSeq(line, ",") {
			key := http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			if !validTrailer(key) {
				continue
			}
			if trailer == nil {
				trailer = make(http.Header)
			}
			trailer[key] = nil
		}
	}
	return trailer
}

// isConnectionSpecific reports whether a field concerns a hop of HTTP/1.1, so
// that it must not be sent (RFC 9114, Section 4.2).
func isConnectionSpecific(key string) bool {
	switch key {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// validTrailer reports whether a field may be in a trailer section. Those that
// frame the message, direct or authorise the request, or say how to process the
// content may not: they are too late there (RFC 9110, Section 6.5.1).
func validTrailer(key string) bool {
	switch key {
	case "Authorization", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
		"Cookie", "Expect", "Host", "Max-Forwards", "Pragma", "Proxy-Authenticate", "Proxy-Authorization", "Range",
		"Set-Cookie", "Te", "Trailer", "Www-Authenticate":
		return false
	}
	return !isConnectionSpecific(key) && !strings.HasPrefix(key, "If-") && h3.ValidFieldName(lowerName(key))
}

// appendFields appends the fields that eachField finds.
func appendFields(fields []qpack.Field, h http.Header, want func(key string) bool) []qpack.Field {
	eachField(h, want, func(name, value string) { fields = append(fields, qpack.Field{Name: name, Value: value}) })
	return fields
}

// eachField calls add for the fields of h for whose keys want is true, leaving
// out what cannot be sent: as net/http does, without an error.
func eachField(h http.Header, want func(key string) bool, add func(name, value string)) {
	for key, values := range h {
		if want(key) {
			eachLine(key, values, add)
		}
	}
}

// eachLine calls add for the values of a key that can be sent.
func eachLine(key string, values []string, add func(name, value string)) {
	name := lowerName(key)
	if isConnectionSpecific(key) || !h3.ValidFieldName(name) {
		return
	}
	for _, v := range values {
		if h3.ValidFieldValue(v) {
			add(name, textproto.TrimString(v)) // RFC 9110, Section 5.5
		}
	}
}
