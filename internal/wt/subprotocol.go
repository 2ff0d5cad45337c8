package wt

import (
	"slices"
	"strings"
)

// The fields for choosing a subprotocol (Section 3.3).
const (
	FieldAvailableProtocols = "wt-available-protocols"
	FieldProtocol           = "wt-protocol"
)

// maxProtocols bounds the subprotocols of one offer.
const maxProtocols = 64

// OfferedProtocols returns the subprotocols of a request's FieldAvailableProtocols,
// the best first.
func OfferedProtocols(field string) []string {
	offered, _ := parseProtocols(field)
	return offered
}

// ChooseProtocol returns the first of the subprotocols that a server knows which the
// client offers, "" for none. The error is ErrProtocol if there has to be one.
func ChooseProtocol(known, offered []string, require bool) (string, error) {
	for _, protocol := range known {
		if slices.Contains(offered, protocol) {
			return protocol, nil
		}
	}
	if require {
		return "", ErrProtocol
	}
	return "", nil
}

// CheckProtocol returns the subprotocol that a server's FieldProtocol chooses, "" for
// none. The error is ErrProtocol if it was not offered or there has to be one; then
// the CONNECT stream is to be reset with CodeALPN.
func CheckProtocol(offered []string, field string, require bool) (string, error) {
	chosen, ok := parseProtocols(field)
	if !ok || len(chosen) != 1 {
		chosen = []string{""}
	}
	if chosen[0] == "" && require || chosen[0] != "" && !slices.Contains(offered, chosen[0]) {
		return "", ErrProtocol
	}
	return chosen[0], nil
}

// parseProtocols reads a List of Strings (RFC 9651, Sections 3.1 and 3.3.3), with
// their parameters ignored. Anything else makes the whole field invalid, which is
// then taken for absent.
func parseProtocols(field string) ([]string, bool) {
	var list []string
	rest := strings.Trim(field, " ")
	for rest != "" {
		item, after, ok := parseString(rest)
		if !ok || len(list) == maxProtocols {
			return nil, false
		}
		list = append(list, item)
		after, ok = skipParameters(after)
		if !ok {
			return nil, false
		}
		after = strings.TrimLeft(after, " \t")
		if after == "" {
			return list, true
		}
		if after[0] != ',' {
			return nil, false
		}
		if rest = strings.TrimLeft(after[1:], " \t"); rest == "" {
			return nil, false // a comma at the end
		}
	}
	return list, true
}

// parseString reads a String (RFC 9651, Section 4.2.5).
func parseString(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\':
			if i++; i == len(s) || (s[i] != '"' && s[i] != '\\') {
				return "", s, false
			}
			c = s[i]
		case c < ' ' || c > '~':
			return "", s, false
		}
		b.WriteByte(c)
	}
	return "", s, false
}

// skipParameters skips the parameters of an item (RFC 9651, Section 3.1.2).
func skipParameters(s string) (rest string, ok bool) {
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" || s[0] != ';' {
			return s, true
		}
		s = strings.TrimLeft(s[1:], " ")
		end := strings.IndexAny(s, "=;, ")
		if end < 0 {
			return "", s != ""
		}
		if end == 0 {
			return s, false
		}
		if s = s[end:]; s[0] != '=' {
			continue
		}
		if s = s[1:]; s != "" && s[0] == '"' {
			if _, s, ok = parseString(s); !ok {
				return s, false
			}
			continue
		}
		if end = strings.IndexAny(s, ";, "); end < 0 {
			return "", s != ""
		}
		s = s[end:]
	}
}

// FormatProtocols returns the field that names subprotocols, or one of them. It
// returns false when a name is no String: only visible ASCII and blanks are.
func FormatProtocols(names []string) (string, bool) {
	quoted := make([]string, 0, len(names))
	for _, name := range names {
		for i := range len(name) {
			if name[i] < ' ' || name[i] > '~' {
				return "", false
			}
		}
		quoted = append(quoted, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)+`"`)
	}
	return strings.Join(quoted, ", "), true
}
