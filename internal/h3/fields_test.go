package h3

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// fieldsOf reads fields written as "name=value" and separated by blanks; a plus
// sign in a value stands for a blank.
func fieldsOf(s string) []qpack.Field {
	var fields []qpack.Field
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }) {
		i := strings.Index(f[1:], "=") + 1
		fields = append(fields, qpack.Field{Name: f[:i], Value: strings.ReplaceAll(f[i+1:], "+", " ")})
	}
	return fields
}

const get = ":method=GET :scheme=https :authority=a.example :path=/ "

func TestValidRequests(t *testing.T) {
	for _, tt := range []struct {
		fields string
		want   RequestHeader
	}{
		{get, RequestHeader{Method: "GET", Scheme: "https", Authority: "a.example", Path: "/", Host: "a.example", ContentLength: -1}},
		{":path=/x?y=z :authority=[::1]:443 :scheme=http :method=POST content-length=012 content-length=12",
			RequestHeader{Method: "POST", Scheme: "http", Authority: "[::1]:443", Path: "/x?y=z", Host: "[::1]:443", ContentLength: 12}},
		{":method=OPTIONS :scheme=https :path=* host=A.example te=trailers",
			RequestHeader{Method: "OPTIONS", Scheme: "https", Path: "*", Host: "A.example", ContentLength: -1}},
		{get + "host=A.EXAMPLE", RequestHeader{Method: "GET", Scheme: "https", Authority: "a.example", Path: "/", Host: "A.EXAMPLE", ContentLength: -1}},
		{":method=CONNECT :authority=a.example:25", RequestHeader{Method: "CONNECT", Authority: "a.example:25", Host: "a.example:25", ContentLength: -1}},
		{":method=GET :scheme=urn :path=x", RequestHeader{Method: "GET", Scheme: "urn", Path: "x", ContentLength: -1}},
		{":method=M-SEARCH :scheme=HTTPS :authority=a :path=/\xc3\xa4 x-y_z=+a\t\xff+", RequestHeader{Method: "M-SEARCH", Scheme: "HTTPS", Authority: "a", Path: "/\xc3\xa4", Host: "a", ContentLength: -1}},
	} {
		fields := fieldsOf(tt.fields)
		pseudo := slices.IndexFunc(fields, func(f qpack.Field) bool { return f.Name[0] != ':' })
		if pseudo < 0 {
			pseudo = len(fields)
		}
		tt.want.Fields = fields[pseudo:]
		if got, err := ParseRequest(fields); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", tt.fields, got, err, tt.want)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	without := func(name string) string {
		var kept []string
		for _, f := range strings.Fields(get) {
			if !strings.HasPrefix(f, name+"=") {
				kept = append(kept, f)
			}
		}
		return strings.Join(kept, " ") + " "
	}
	for name, fields := range map[string]string{
		"nothing":                        "",
		"no :method":                     without(":method"),
		"no :scheme":                     without(":scheme"),
		"no :path":                       without(":path"),
		"no authority":                   without(":authority"),
		"empty :method":                  without(":method") + ":method=",
		"empty :scheme":                  without(":scheme") + ":scheme=",
		"empty :path":                    without(":path") + ":path=",
		"empty :authority":               without(":authority") + ":authority=",
		"empty :authority and host":      without(":authority") + ":authority= host=a",
		"empty host":                     without(":authority") + "host=",
		":method twice":                  get + ":method=GET",
		":path twice":                    get + ":path=/",
		":method with a blank":           without(":method") + ":method=G+ET",
		":method with a control":         without(":method") + ":method=G\x00ET",
		":scheme with a slash":           without(":scheme") + ":scheme=https://a/",
		":path without a slash":          without(":path") + ":path=x",
		":path is * but GET":             without(":path") + ":path=*",
		":path with a blank":             without(":path") + ":path=/+HTTP/1.1",
		":path with a line end":          without(":path") + ":path=/\x01",
		":path with a fragment":          without(":path") + ":path=/#x",
		":authority with a user":         without(":authority") + ":authority=u:p@a",
		":authority with a path":         without(":authority") + ":authority=a/b",
		":authority with a blank":        without(":authority") + ":authority=a+b",
		":status":                        get + ":status=200",
		":protocol":                      get + ":protocol=websocket",
		":protocol without CONNECT path": ":method=CONNECT :protocol=x :scheme=https :authority=a",
		":protocol is no token":          ":method=CONNECT :protocol=a/b :scheme=https :authority=a :path=/",
		":protocol without authority":    ":method=CONNECT :protocol=a :scheme=https host=a :path=/",
		"unknown pseudo-header field":    get + ":unknown=1",
		"pseudo-header field late":       without(":path") + "x=y :path=/",
		"CONNECT with :scheme":           ":method=CONNECT :authority=a:1 :scheme=https",
		"CONNECT with :path":             ":method=CONNECT :authority=a:1 :path=/",
		"CONNECT without :authority":     ":method=CONNECT",
		"CONNECT with host alone":        ":method=CONNECT host=a:1",
		"host differs":                   get + "host=b.example",
		"host twice":                     get + "host=a.example host=a.example",
		"host with a user":               without(":authority") + "host=u@a",
		"uppercase name":                 get + "Accept=x",
		"name with a colon":              get + "x:y=z",
		"name beyond ASCII":              get + "x\xc3\xa4=z",
		"value with NUL":                 get + "x=a\x00",
		"value with DEL":                 get + "x=a\x7f",
		"connection":                     get + "connection=close",
		"keep-alive":                     get + "keep-alive=1",
		"proxy-connection":               get + "proxy-connection=close",
		"transfer-encoding":              get + "transfer-encoding=chunked",
		"upgrade":                        get + "upgrade=h2c",
		"te":                             get + "te=gzip",
		"Content-Length of letters":      get + "content-length=x",
		"Content-Length with a sign":     get + "content-length=-1",
		"Content-Length empty":           get + "content-length=",
		"Content-Length in a list":       get + "content-length=1,1",
		"Content-Length of many digits":  get + "content-length=1000000000000000000",
		"Content-Length twice":           get + "content-length=1 content-length=2",
	} {
		_, err := ParseRequest(fieldsOf(fields))
		wantCode(t, name, err, MessageError, false)
	}
}

// TestForbiddenOctets tries every octet in every place.
func TestForbiddenOctets(t *testing.T) {
	const (
		token     = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
		upper     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		authority = "-._~%!$&'()*+,;=:[]0123456789abcdefghijklmnopqrstuvwxyz" + upper
		scheme    = "+-.0123456789abcdefghijklmnopqrstuvwxyz" + upper
	)
	for c := range 256 {
		s := string([]byte{byte(c)})
		visible := c > 0x20 && c < 0x7f
		for _, tt := range []struct {
			where  string
			fields []qpack.Field
			want   bool
		}{
			{"method", []qpack.Field{{Name: ":method", Value: "a" + s}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "a"}, {Name: ":path", Value: "/"}},
				strings.Contains(token+upper, s)},
			{"scheme", []qpack.Field{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "a" + s}, {Name: ":authority", Value: "a"}, {Name: ":path", Value: "/"}},
				strings.Contains(scheme, s)},
			{"authority", []qpack.Field{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "a" + s}, {Name: ":path", Value: "/"}},
				strings.Contains(authority, s)},
			{"path", []qpack.Field{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "a"}, {Name: ":path", Value: "/" + s}},
				(visible && c != '#') || c >= 0x80},
			{"host", append(fieldsOf(":method=GET :scheme=https :path=/"), qpack.Field{Name: "host", Value: "a" + s}),
				strings.Contains(authority, s)},
			{"name", append(fieldsOf(get), qpack.Field{Name: "a" + s, Value: "x"}), strings.Contains(token, s)},
			{"value", append(fieldsOf(get), qpack.Field{Name: "a", Value: s}), visible || c == ' ' || c == '\t' || c >= 0x80},
		} {
			_, err := ParseRequest(tt.fields)
			want := MessageError
			if tt.want {
				want = 0
			}
			wantCode(t, tt.where+" with "+strconv.Quote(s), err, want, false)
		}
	}
}

func TestResponseHeaders(t *testing.T) {
	got, err := ParseResponse(fieldsOf(":status=204 content-length=7 server=x"))
	if want := (ResponseHeader{Status: 204, ContentLength: 7, Fields: fieldsOf("content-length=7 server=x")}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, status := range []string{"100", "103", "200", "599", "999"} {
		_, err := ParseResponse(fieldsOf(":status=" + status))
		wantCode(t, status, err, 0, false)
	}
	for _, fields := range []string{
		"", "server=x", "server=x :status=200", ":status=200 :status=200", ":status=200 :path=/",
		":method=GET :status=200", ":status=", ":status=20", ":status=2000", ":status=099", ":status=+20",
		":status=101", ":status=200 connection=close", ":status=200 Server=x", ":status=200 x=\x00",
		":status=200 content-length=1 content-length=2",
	} {
		_, err := ParseResponse(fieldsOf(fields))
		wantCode(t, fields, err, MessageError, false)
	}
}

func TestTrailers(t *testing.T) {
	wantCode(t, "none", ParseTrailers(nil), 0, false)
	wantCode(t, "one", ParseTrailers(fieldsOf("digest=x")), 0, false)
	for _, fields := range []string{":status=200", ":path=/", "x=y :path=/", "Digest=x", "upgrade=x", "x=\x01"} {
		wantCode(t, fields, ParseTrailers(fieldsOf(fields)), MessageError, false)
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	request := fieldsOf(get + "user-agent=x content-length=5 accept=y te=trailers cookie=z")
	response := fieldsOf(":status=200 content-length=5 content-type=text/plain")
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := ParseRequest(request); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseResponse(response); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(":method\nGET\n:scheme\nhttps\n:authority\na\n:path\n/\ncontent-length\n5")
	f.Add(":status\n200\nx\ny")
	f.Fuzz(func(t *testing.T, s string) {
		// Any text becomes fields: names and values in turn, line by line.
		var fields []qpack.Field
		lines := strings.Split(s, "\n")
		for i := 0; i+1 < len(lines); i += 2 {
			fields = append(fields, qpack.Field{Name: lines[i], Value: lines[i+1]})
		}
		request, err := ParseRequest(fields)
		if err == nil && (request.Method == "" || (request.Method != "CONNECT" && request.Path == "")) {
			t.Fatalf("%q passed as %+v", fields, request)
		}
		if err == nil && ParseTrailers(request.Fields) != nil {
			t.Fatalf("%q are valid in %q and not alone", request.Fields, fields)
		}
		if response, err := ParseResponse(fields); err == nil && (response.Status < 100 || response.Status > 999) {
			t.Fatalf("%q passed as %+v", fields, response)
		}
	})
}

func BenchmarkParseRequest(b *testing.B) {
	request := fieldsOf(get + "user-agent=Mozilla/5.0+(X11;+Linux+x86_64;+rv:153.0) accept=text/html,*/* accept-encoding=gzip,+br priority=u=0")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = ParseRequest(request)
	}
}
