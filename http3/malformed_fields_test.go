package http3

import (
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// malformedFields are field sections that no request may have, by the rule of
// RFC 9114 that they break; each is H3_MESSAGE_ERROR for its stream (Section
// 4.1.2). Package h3 has more of each kind.
var malformedFields = map[string]string{
	"4.2: uppercase name":           getFields + "Accept=x",
	"4.2: connection":               getFields + "connection=close",
	"4.2: keep-alive":               getFields + "keep-alive=1",
	"4.2: proxy-connection":         getFields + "proxy-connection=close",
	"4.2: transfer-encoding":        getFields + "transfer-encoding=chunked",
	"4.2: upgrade":                  getFields + "upgrade=h2c",
	"4.2: te":                       getFields + "te=gzip",
	"4.3: unknown pseudo-header":    ":new=1 " + getFields,
	"4.3: :status":                  ":status=200 " + getFields,
	"4.3: late pseudo-header":       ":method=GET :scheme=https :authority=a x=y :path=/",
	"4.3.1: no :method":             ":scheme=https :authority=a :path=/",
	"4.3.1: no :scheme":             ":method=GET :authority=a :path=/",
	"4.3.1: no :path":               ":method=GET :scheme=https :authority=a",
	"4.3.1: empty :path":            ":path= :method=GET :scheme=https :authority=a",
	"4.3.1: two :method":            ":method=GET " + getFields,
	"4.3.1: two :path":              ":path=/ " + getFields,
	"4.3.1: neither authority":      ":method=GET :scheme=https :path=/",
	"4.3.1: empty :authority":       ":authority= :method=GET :scheme=https :path=/",
	"4.3.1: empty host":             ":method=GET :scheme=https :path=/ host=",
	"4.3.1: authorities differ":     getFields + "host=elsewhere",
	"4.3.1: user information":       ":authority=u:p@localhost :method=GET :scheme=https :path=/",
	"4.3.1: relative :path":         ":path=x :method=GET :scheme=https :authority=a",
	"4.3.1: * without OPTIONS":      ":path=* :method=GET :scheme=https :authority=a",
	"4.4: CONNECT with :scheme":     ":method=CONNECT :authority=a:1 :scheme=https",
	"4.4: CONNECT with :path":       ":method=CONNECT :authority=a:1 :path=/",
	"4.4: CONNECT without target":   ":method=CONNECT",
	"10.3: line end in a name":      getFields + "a\nb=c",
	"10.3: NUL in a value":          getFields + "a=b\x00c",
	"10.3: control in :path":        ":path=/\x01 :method=GET :scheme=https :authority=a",
	"4.1.2: two content-lengths":    postFields + "content-length=5 content-length=6",
	"4.1.2: no number":              postFields + "content-length=five",
	"RFC 9220: :protocol forbidden": ":method=CONNECT :protocol=x :scheme=https :authority=a :path=/",
}

// malformedResponseFields are field sections that no response may have.
var malformedResponseFields = map[string]string{
	"4.2: uppercase name":        ":status=200 Server=x",
	"4.2: connection":            ":status=200 connection=close",
	"4.2: transfer-encoding":     ":status=200 transfer-encoding=chunked",
	"4.3: unknown pseudo-header": ":new=1 :status=200",
	"4.3: request's":             ":status=200 :path=/",
	"4.3: late pseudo-header":    "x=y :status=200",
	"4.3.2: no :status":          "x=y",
	"4.3.2: two":                 ":status=200 :status=200",
	"4.3.2: no number":           ":status=ok",
	"4.5: 101":                   ":status=101",
	"10.3: NUL in a value":       ":status=200 a=b\x00c",
	"4.1.2: two content-lengths": ":status=200 content-length=5 content-length=6",
}

// fieldSection is headers for names and values with any octets but blanks.
func fieldSection(fields string) []byte {
	b, mark := h3.BeginHeaders(nil)
	b = qpack.AppendPrefix(b)
	for f := range strings.SplitSeq(strings.TrimSpace(fields), " ") {
		i := strings.Index(f[1:], "=") + 1
		b = qpack.AppendField(b, f[:i], f[i+1:])
	}
	return h3.EndHeaders(b, mark)
}

// TestMalformedFields sends them all on one connection, which survives.
func TestMalformedFields(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Good") == "" {
			t.Errorf("the handler was called for %s %s %v", r.Method, r.RequestURI, r.Header)
		}
	})
	c := ts.dialRaw(t)
	for name, fields := range malformedFields {
		wantReset(t, name, c.request(false, fieldSection(fields)), h3.MessageError)
	}
	readMessage(t, c.request(true, headers(getFields+"good=1")))
}

func TestMalformedResponseFields(t *testing.T) {
	names := make([]string, 0, len(malformedResponseFields))
	for name := range malformedResponseFields {
		names = append(names, name)
	}
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		if int(n) > len(names) {
			_, _ = s.WriteLast(headers(":status=200"))
		} else {
			_, _ = s.WriteLast(fieldSection(malformedResponseFields[names[n-1]]))
		}
		readRequest(s)
	})
	for _, name := range names {
		_, _, err := rs.get(t)
		t.Log(name)
		wantError(t, err, h3.MessageError, false, false)
	}
	if _, _, err := rs.get(t); err != nil {
		t.Errorf("a good response after those: %v", err)
	}
	if n := rs.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
