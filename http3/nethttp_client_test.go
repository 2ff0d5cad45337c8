package http3

//lint:file-ignore SA1019 Deprecated fields and methods have rows, too.

import (
	"context"
	"crypto/tls"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// tableRow is a row of docs/nethttp.md.
var tableRow = regexp.MustCompile("^\\| `(\\w+)` \\| (.+) \\| (Test\\w+) \\|$")

// documented returns the rows of a section of docs/nethttp.md: tests by name.
func documented(t *testing.T, section string) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "nethttp.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("there is no section %s", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	rows := make(map[string]string)
	for line := range strings.Lines(rest) {
		if m := tableRow.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			rows[m[1]] = m[3]
		}
	}
	return rows
}

// TestNetHTTPTable: each exported field and method of http.Transport, and each field of
// http.Request, has a row that says what becomes of it, and names a test.
func TestNetHTTPTable(t *testing.T) {
	sources := testSources(t)
	check := func(section string, names []string) {
		rows := documented(t, section)
		for _, name := range names {
			if rows[name] == "" {
				t.Errorf("%s.%s has no row in docs/nethttp.md", section, name)
			}
		}
		for name, test := range rows {
			if !strings.Contains(sources, "func "+test+"(") {
				t.Errorf("%s.%s: there is no %s", section, name, test)
			}
		}
	}
	transport := reflect.TypeFor[*http.Transport]()
	names := exportedFields(transport.Elem())
	for i := range transport.NumMethod() {
		names = append(names, transport.Method(i).Name)
	}
	check("http.Transport", names)
	check("http.Request", exportedFields(reflect.TypeFor[http.Request]()))
}

func exportedFields(typ reflect.Type) (names []string) {
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() {
			names = append(names, f.Name)
		}
	}
	return names
}

// testSources returns all of the package's tests.
func testSources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// TestUpgraderLeavesTCP: what concerns TCP alone does not keep HTTP/3 from being used, and
// is not called for it.
func TestUpgraderLeavesTCP(t *testing.T) {
	s := serveBoth(t, echoBody)
	u := newUpgrader(t)
	u.proto(t, "GET", s.url, "")
	tcp := u.TCP.(*http.Transport)
	tcp.CloseIdleConnections()
	refuse := func(_, _ string) (net.Conn, error) {
		t.Error("TCP was used")
		return nil, errTest
	}
	refuseContext := func(_ context.Context, network, addr string) (net.Conn, error) { return refuse(network, addr) }
	tcp.Dial, tcp.DialTLS, tcp.DialContext, tcp.DialTLSContext = refuse, refuse, refuseContext, refuseContext
	tcp.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error { return errTest }
	tcp.GetProxyConnectHeader = func(context.Context, *url.URL, string) (http.Header, error) { return nil, errTest }
	tcp.ProxyConnectHeader = http.Header{"bad name": {"x"}}
	tcp.MaxIdleConns, tcp.WriteBufferSize, tcp.ReadBufferSize, tcp.ForceAttemptHTTP2 = 1, 1, 1, false
	tcp.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	tcp.HTTP2, tcp.Protocols = &http.HTTP2Config{MaxConcurrentStreams: 1}, new(http.Protocols)
	req := mustRequest(t, s.url)
	resp, err := u.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	tcp.CancelRequest(req)
	if _, err := resp.Body.Read(make([]byte, 1)); resp.Proto != "HTTP/3.0" || err == nil || err.Error() != "EOF" {
		t.Errorf("%s, %v", resp.Proto, err)
	}
}

// TestRequestLeftovers: fields that servers set do nothing when a client sends them.
func TestRequestLeftovers(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/3.0" || r.ProtoMajor != 3 || r.ProtoMinor != 0 || len(r.TransferEncoding) > 0 || r.RemoteAddr == "left" || r.RequestURI != "/" ||
			r.ContentLength != 0 || r.Pattern != "" {
			t.Errorf("%+v", r)
		}
	})
	ts.do(t, "GET", "/", nil, func(r *http.Request) {
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0
		r.TransferEncoding = []string{"chunked"}
		r.Form, r.PostForm, r.MultipartForm = url.Values{"a": {"b"}}, url.Values{"a": {"b"}}, new(multipart.Form)
		r.RemoteAddr, r.RequestURI, r.Pattern = "left", "left", "left"
		r.TLS, r.Response = new(tls.ConnectionState), new(http.Response)
	})
}
