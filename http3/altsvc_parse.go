package http3

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
)

const (
	// maxAltSvc bounds, in bytes, the value of Alt-Svc that is looked at. Real
	// ones have about a hundred.
	maxAltSvc = 4 << 10
	// maxAltSvcAge bounds for how long an alternative is believed: a server that
	// has forgotten what it once said is asked anew from time to time.
	maxAltSvcAge = 30 * 24 * time.Hour
)

// alternative is what an Alt-Svc field says of HTTP/3.
type alternative struct {
	addr string        // host:port, without a host for the origin's own
	age  time.Duration // for which it may be believed
}

// parseAltSvc reads the value of an Alt-Svc field (RFC 7838, Section 3) and
// returns the first alternative for HTTP/3. Clear says that there are none any
// more. What is malformed is left out.
func parseAltSvc(value string) (alt alternative, found, clear bool) {
	if len(value) > maxAltSvc {
		return alternative{}, false, false
	}
	if strings.TrimSpace(value) == "clear" {
		return alternative{}, false, true
	}
	for member := range splitQuoted(value, ',') {
		first := true
		for part := range splitQuoted(member, ';') {
			name, v, ok := strings.Cut(strings.TrimSpace(part), "=")
			v = unquote(v)
			switch {
			case first:
				host, port, err := net.SplitHostPort(v)
				if found = ok && name == h3.NextProto && err == nil && isPort(port) && !strings.Contains(host, `"`); found {
					alt = alternative{addr: net.JoinHostPort(host, port), age: altSvcMaxAge * time.Second}
				}
				first = false
			case found && strings.EqualFold(name, "ma"):
				if seconds, err := strconv.ParseUint(v, 10, 32); err == nil {
					alt.age = min(time.Duration(seconds)*time.Second, maxAltSvcAge)
				}
			}
		}
		if found {
			return alt, true, false
		}
	}
	return alternative{}, false, false
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// splitQuoted splits s at a separator, but not within quotes.
func splitQuoted(s string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case quoted && s[i] == '\\':
				i++
			case s[i] == '"':
				quoted = !quoted
			case s[i] == separator && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// unquote returns what a quoted string means, and other values as they are.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
