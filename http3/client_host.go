package http3

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// asciiHost returns a host, perhaps with a port, as the wire has it: names beyond ASCII
// in their xn-- form (RFC 5891).
//
// net/http is asked for that by way of a request in HTTP/1.1, so that both agree, and
// every program is spared a second copy of Unicode's tables.
func asciiHost(host string) (string, error) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return host, nil
	}
	var b bytes.Buffer
	req := http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Host: host}
	if err := req.Write(&b); err != nil {
		return "", err
	}
	parsed, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		return "", err
	}
	return parsed.Host, nil
}

// withoutZone returns a host, perhaps with a port, without the zone of an IPv6 address,
// which means something to this machine alone (RFC 6874, Section 4).
func withoutZone(host string) string {
	begin, end := strings.IndexByte(host, '%'), strings.IndexByte(host, ']')
	switch {
	case begin < 0 || !strings.Contains(host[:begin], ":"):
		return host
	case end > begin:
		return host[:begin] + host[end:]
	}
	return host[:begin]
}
