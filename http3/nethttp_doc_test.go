package http3

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// handlersSide are the types of net/http whose fields and methods docs/nethttp.md goes
// through.
var handlersSide = map[string]reflect.Type{
	"http.Server":                      reflect.TypeFor[*http.Server](),
	"http.Request, as handlers get it": reflect.TypeFor[*http.Request](),
	"http.ResponseWriter":              reflect.TypeFor[*responseWriter](),
}

var docRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.+) \\| (Test\\w+)(/.+)? \\|$")

// TestNetHTTPDocument: what Go's net/http has, in the version at hand, has a row that
// says what HTTP/3 does with it, and a test.
func TestNetHTTPDocument(t *testing.T) {
	doc, err := os.ReadFile("../docs/nethttp.md")
	if err != nil {
		t.Fatal(err)
	}
	sources, oracles := testSources(t), make(map[string]bool)
	for i := range oracle {
		oracles["/"+oracle[i].name] = true
	}
	for name, typ := range handlersSide {
		_, section, found := strings.Cut(string(doc), "\n## "+name+"\n")
		if !found {
			t.Errorf("no section %s", name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		rows := make(map[string]bool)
		for _, row := range docRow.FindAllStringSubmatch(section, -1) {
			if rows[row[1]] {
				t.Errorf("%s.%s has two rows", name, row[1])
			}
			rows[row[1]] = true
			if !strings.Contains(sources, "func "+row[3]+"(") || (row[4] != "" && !oracles[row[4]]) {
				t.Errorf("%s.%s: there is no test %s%s", name, row[1], row[3], row[4])
			}
		}
		for _, member := range members(typ) {
			if !rows[member] {
				t.Errorf("%s.%s has no row", name, member)
			}
		}
	}
}

// members returns the exported fields and methods of a pointer's type.
func members(typ reflect.Type) []string {
	names := exportedFields(typ.Elem())
	for method := range typ.Methods() {
		names = append(names, method.Name)
	}
	return names
}

// TestRequestOfServer looks at what handlers find in a request, and call of it, that no
// other test does.
func TestRequestOfServer(t *testing.T) {
	const form = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--\r\n"
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.GetBody != nil || r.TransferEncoding != nil || r.Close || cancelOf(r) != nil || r.Response != nil {
			t.Errorf("request %+v", r)
		}
		cookie, err := r.Cookie("b")
		if err != nil || cookie.Value != "2" || len(r.Cookies()) != 2 || len(r.CookiesNamed("a")) != 1 {
			t.Errorf("cookies %v, %v", r.Cookies(), err)
		}
		if !r.ProtoAtLeast(3, 0) || r.ProtoAtLeast(3, 1) || r.Referer() != "there" || r.UserAgent() != "me" {
			t.Errorf("%s, referer %q, user agent %q", r.Proto, r.Referer(), r.UserAgent())
		}
		switch r.URL.Path {
		case "/multipart":
			mr, err := r.MultipartReader()
			if err != nil {
				t.Error(err)
				return
			}
			if part, err := mr.NextPart(); err != nil || part.FormName() != "a" {
				t.Errorf("part %v, %v", part, err)
			}
		case "/form":
			if got := r.PostFormValue("a"); got != "1" {
				t.Errorf("a=%q", got)
			}
		case "/write":
			r.AddCookie(&http.Cookie{Name: "c", Value: "3"})
			r.SetBasicAuth("user", "pass")
			r.SetPathValue("id", "x")
			var plain, proxied bytes.Buffer
			if err := r.Clone(r.Context()).Write(&plain); err != nil || !strings.HasPrefix(plain.String(), "POST /write HTTP/1.1\r\n") {
				t.Errorf("%q, %v", plain.String(), err)
			}
			r.URL.Host, r.URL.Scheme = r.Host, "https"
			r.Body, r.ContentLength = http.NoBody, 0 // Write has read it
			if err := r.WriteProxy(&proxied); err != nil || !strings.HasPrefix(proxied.String(), "POST https://") {
				t.Errorf("%q, %v", proxied.String(), err)
			}
			if user, _, ok := r.BasicAuth(); !ok || user != "user" || r.PathValue("id") != "x" || len(r.Cookies()) != 3 {
				t.Errorf("user %q, id %q, cookies %v", user, r.PathValue("id"), r.Cookies())
			}
		}
	})
	for path, content := range map[string]string{"/multipart": form, "/form": "a=1", "/write": "content"} {
		ts.do(t, "POST", path, strings.NewReader(content), func(r *http.Request) {
			r.Header = http.Header{"Cookie": {"a=1; b=2"}, "Referer": {"there"}, "User-Agent": {"me"}, "Content-Type": {"application/x-www-form-urlencoded"}}
			if path == "/multipart" {
				r.Header.Set("Content-Type", "multipart/form-data; boundary=B")
			}
		})
	}
}

// TestAttachedFieldsLeftOut: what has no meaning for HTTP/3 does no harm to it.
func TestAttachedFieldsLeftOut(t *testing.T) {
	states := make(chan struct{}, 100)
	srv := &http.Server{
		Handler:   http.NotFoundHandler(),
		ConnState: func(net.Conn, http.ConnState) { states <- struct{}{} },
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: 1},
		Protocols: new(http.Protocols),
	}
	srv.Protocols.SetHTTP1(true)
	srv.SetKeepAlivesEnabled(false)
	a := serveAttached(t, srv)
	for range 2 {
		if got := a.get(t, http3, "GET", "/", nil); !strings.HasPrefix(got, "404") {
			t.Error(got)
		}
	}
	if len(states) != 0 {
		t.Errorf("%d states of connections", len(states))
	}
}

// TestAttachTLSListener: the certificate is that of the listener, which a version of Go
// may hide.
func TestAttachTLSListener(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if got := listenerConfig(plain); got != nil {
		t.Error("a listener without TLS has a configuration")
	}
	ln := tls.NewListener(plain, serverTLS)
	if got := listenerConfig(ln); got != serverTLS {
		t.Errorf("configuration %p, want %p", got, serverTLS)
	}
	srv, s := new(http.Server), new(Server)
	if err := Attach(srv, s); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if ctx := srv.BaseContext(ln); ctx != context.Background() || s.altSvc.Load() == nil {
		t.Errorf("context %v, HTTP/3 served: %v", ctx, s.altSvc.Load() != nil)
	}
}
