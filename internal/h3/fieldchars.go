package h3

// Classes of octets, for checking names and values in one look-up each.
const (
	className      = 1 << iota // in a field name: token characters in lower case (RFC 9110, Section 5.6.2)
	classMethod                // in a method: token characters
	classValue                 // in a field value (RFC 9110, Section 5.5)
	classAuthority             // in an authority, user information left out (RFC 3986, Section 3.2)
	classPath                  // in a path with a query, octets beyond ASCII let through
	classScheme                // in a scheme
)

var octetClass = func() (table [256]uint8) {
	for c := range 256 {
		lower, upper := c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z'
		digit := c >= '0' && c <= '9'
		visible := c > ' ' && c < 0x7f
		var class uint8
		if lower || digit || isOneOf(c, "!#$%&'*+-.^_`|~") {
			class |= className | classMethod
		}
		if upper {
			class |= classMethod
		}
		if visible || c == ' ' || c == '\t' || c >= 0x80 {
			class |= classValue
		}
		if lower || upper || digit || isOneOf(c, "-._~%!$&'()*+,;=:[]") {
			class |= classAuthority
		}
		if (visible && c != '#') || c >= 0x80 {
			class |= classPath
		}
		if lower || upper || digit || isOneOf(c, "+-.") {
			class |= classScheme
		}
		table[c] = class
	}
	return table
}()

func isOneOf(c int, set string) bool {
	for _, s := range []byte(set) {
		if int(s) == c {
			return true
		}
	}
	return false
}

// consistsOf reports whether all of s is of a class.
func consistsOf(s string, class uint8) bool {
	for i := 0; i < len(s); i++ {
		if octetClass[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// ValidFieldName reports whether s can be the name of a field: a token in lower
// case.
func ValidFieldName(s string) bool { return s != "" && consistsOf(s, className) }

// ValidFieldValue reports whether s can be the value of a field.
func ValidFieldValue(s string) bool { return consistsOf(s, classValue) }

// ValidMethod reports whether s can be a request's method.
func ValidMethod(s string) bool { return s != "" && consistsOf(s, classMethod) }

// ValidAuthority reports whether s can be a host with or without a port, without
// user information and without letters beyond ASCII.
func ValidAuthority(s string) bool { return s != "" && consistsOf(s, classAuthority) }
