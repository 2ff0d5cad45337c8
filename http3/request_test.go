package http3

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
)

// FuzzParsePlain compares with net/url what is parsed without it.
func FuzzParsePlain(f *testing.F) {
	for _, path := range []string{
		"/", "/hello", "/a/b.c-d_e~f", "//double", "///", "/a?b=c&d=%20", "/a?", "/a??", "/a?b#c", "/%41", "/a;b", "/a b", "/a?b c",
		"", "*", "a", "/\u00e4", "/a?\u00e4", "/a?\x7f", "/..", "/./a", "/a#b", "/a:b", "/:", "/?/", "/?//a",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		var got url.URL
		if !parsePlain(&got, &h3.RequestHeader{Method: "GET", Scheme: "https", Path: path}) {
			return
		}
		want, err := url.ParseRequestURI(path)
		if err != nil || !reflect.DeepEqual(&got, want) {
			t.Errorf("%q: %#v, want %#v, %v", path, &got, want, err)
		}
	})
}

// FuzzParseTarget takes any request that has come so far: what is parsed without net/url is
// the same with it, and what is not refused has a path or a host.
func FuzzParseTarget(f *testing.F) {
	for _, path := range []string{"/", "/a?b", "*", "", "a", "//a", "/%zz", "https://other/", "/\x00", "/a#b"} {
		f.Add("GET", "https", "localhost", path, "")
	}
	f.Add("CONNECT", "", "localhost:443", "", "")
	f.Add("CONNECT", "https", "[::1", "/", "webtransport")
	f.Fuzz(func(t *testing.T, method, scheme, authority, path, protocol string) {
		h := &h3.RequestHeader{Method: method, Scheme: scheme, Authority: authority, Path: path, Protocol: protocol}
		target, uri, err := parseTarget(h)
		if err != nil {
			return
		}
		if uri != path && uri != authority {
			t.Errorf("%+v: RequestURI %q", h, uri)
		}
		var plain url.URL
		if connect := method == "CONNECT" && protocol == ""; !connect && parsePlain(&plain, h) && !reflect.DeepEqual(&plain, target) {
			t.Errorf("%+v: %#v, want %#v", h, &plain, target)
		}
	})
}

// TestParsePlain says which targets need no work.
func TestParsePlain(t *testing.T) {
	for path, plain := range map[string]bool{"/": true, "/hello/world.html": true, "/a?b=%20": true, "/a%20b": false, "*": false, "": false} {
		var u url.URL
		if got := parsePlain(&u, &h3.RequestHeader{Scheme: "https", Path: path}); got != plain {
			t.Errorf("%q: %v", path, got)
		}
	}
}
