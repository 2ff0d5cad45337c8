package http3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
)

// TestBodies has the request's own body fail.
func TestBodies(t *testing.T) {
	handled, started := make(chan error, 1), make(chan struct{}, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		handled <- err
	})
	why := errors.New("disk on fire")
	for _, tt := range []struct {
		name   string
		body   *closer
		length int64
		want   string
	}{
		{"read error", &closer{Reader: strings.NewReader("abc"), readErr: why}, -1, "disk on fire"},
		{"close error", &closer{Reader: strings.NewReader("abc"), closeErr: why}, -1, "disk on fire"},
		{"too short", &closer{Reader: strings.NewReader("abc")}, 5, "shorter than its Content-Length 5"},
		{"too long", &closer{Reader: strings.NewReader("abc")}, 2, "longer than its Content-Length 2"},
	} {
		tt.body.gate = started // or the request is over before there is a handler
		req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url, tt.body)
		req.ContentLength = tt.length
		if _, err := ts.transport.RoundTrip(req); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		wantError(t, wait(t, "the handler", handled), h3.RequestCancelled, true, false)
	}
}

// closer is a request's body that waits for its gate and ends as told.
type closer struct {
	io.Reader
	gate              <-chan struct{}
	readErr, closeErr error
	closed            bool
}

func (c *closer) Read(p []byte) (int, error) {
	if c.gate != nil {
		<-c.gate
		c.gate = nil
	}
	n, err := c.Reader.Read(p)
	if err == io.EOF && c.readErr != nil {
		err = c.readErr
	}
	return n, err
}

func (c *closer) Close() error { c.closed = true; return c.closeErr }

func TestInvalidRequests(t *testing.T) {
	valid := func() *http.Request {
		return &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "127.0.0.1:9", Path: "/"}, Header: http.Header{}}
	}
	for want, spoil := range map[string]func(*http.Request){
		"without a URL":                     func(r *http.Request) { r.URL = nil },
		`unsupported scheme "http"`:         func(r *http.Request) { r.URL.Scheme = "http" },
		"without a host":                    func(r *http.Request) { r.URL.Host = "" },
		`invalid method "G T"`:              func(r *http.Request) { r.Method = "G T" },
		`invalid field name "a b"`:          func(r *http.Request) { r.Header["a b"] = nil },
		"invalid value of field X":          func(r *http.Request) { r.Header["X"] = []string{"secret\n"} },
		`invalid trailer "Content-Length"`:  func(r *http.Request) { r.Trailer = http.Header{"Content-Length": nil} },
		"invalid value of field X-Trailing": func(r *http.Request) { r.Trailer = http.Header{"X-Trailing": {"\x00"}} },
	} {
		req := valid()
		body := &closer{Reader: strings.NewReader("x")}
		req.Body = body
		spoil(req)
		_, err := new(Transport).RoundTrip(req)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, want)
		}
		if !body.closed {
			t.Errorf("%s: the body was not closed", want)
		}
	}
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	for want, spoil := range map[string]func(*http.Request){
		"invalid host":       func(r *http.Request) { r.Host = "a b" },
		`invalid path "//x"`: func(r *http.Request) { r.URL = &url.URL{Scheme: "https", Host: ts.addr, Opaque: "x"} },
	} {
		req := valid().WithContext(testContext(t))
		req.URL.Host = ts.addr
		spoil(req)
		if want == `invalid path "//x"` {
			want = "invalid path"
		}
		if _, err := ts.transport.RoundTrip(req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestOriginAddr(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x":   "a.example:443",
		"https://a.example:8/x": "a.example:8",
		"https://[::1]/":        "[::1]:443",
		"https://[::1]:8":       "[::1]:8",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := originAddr(u); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestRequestHeader(t *testing.T) {
	for _, tt := range []struct {
		edit func(*http.Request)
		want []string
		not  string
	}{
		{func(r *http.Request) {}, []string{"{:method GET}", "{:scheme https}", "{:authority a.example}", "{:path /x?y}", "{user-agent godwit-http3}"}, "content-length"},
		{func(r *http.Request) { r.Host = "b.example:8" }, []string{"{:authority b.example:8}"}, "host "},
		{func(r *http.Request) { r.URL.User = url.UserPassword("me", "secret") }, []string{"{:authority a.example}"}, "me:secret"},
		{func(r *http.Request) { r.Header.Set("User-Agent", "me") }, []string{"{user-agent me}"}, "godwit"},
		{func(r *http.Request) { r.Header.Set("User-Agent", "") }, nil, "user-agent"},
		{func(r *http.Request) { r.Method = "" }, []string{"{:method GET}"}, "content-length"},
		{func(r *http.Request) { r.Method = "PUT" }, []string{"{content-length 0}"}, "upgrade"},
		{func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1 }, []string{"{content-length 1}"}, "upgrade"},
		{func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("x")) }, nil, "content-length"},
		{func(r *http.Request) {
			r.Header = http.Header{"Connection": {"x"}, "Upgrade": {"x"}, "Te": {"gzip"}, "Content-Length": {"7"}, "X-Y": {"1", "2"}}
		}, []string{"{x-y 1} {x-y 2}"}, "upgrade"},
		{func(r *http.Request) { r.Header = http.Header{"Te": {"trailers", "gzip"}} }, []string{"{te trailers}"}, "gzip"},
		{func(r *http.Request) { r.Trailer = http.Header{"B": nil, "A": nil} }, []string{"{trailer A,B}"}, "upgrade"},
	} {
		req, _ := http.NewRequest("GET", "https://a.example/x?y", nil)
		tt.edit(req)
		st := &clientStream{conn: &clientConn{conn: conn{machine: h3.NewConn(h3.Config{}, nil, nil)}}, req: req, trace: noTrace}
		fields, err := st.appendHeader(nil)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(fields)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not contain %s", got, want)
			}
		}
		if strings.Contains(got, tt.not) {
			t.Errorf("%s contains %s", got, tt.not)
		}
	}
}
