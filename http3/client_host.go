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
