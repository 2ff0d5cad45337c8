package qpack

// sensitiveCookie is the length in bytes below which a cookie may be short
// enough to be guessed.
const sensitiveCookie = 20

// isSensitive reports whether a field is never inserted into a dynamic table, and
// marked so that intermediaries do not either (RFC 9204, Section 7.1.3): an
// attacker who can have fields of his own sent on the same connection could try
// out its value.
func isSensitive(name, value string) bool {
	switch name {
	case "authorization", "proxy-authorization":
		return true
	case "cookie", "set-cookie":
		return len(value) < sensitiveCookie
	}
	return false
}
