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

// TestParsePlain says which targets need no work.
func TestParsePlain(t *testing.T) {
	for path, plain := range map[string]bool{"/": true, "/hello/world.html": true, "/a?b=%20": true, "/a%20b": false, "*": false, "": false} {
		var u url.URL
		if got := parsePlain(&u, &h3.RequestHeader{Scheme: "https", Path: path}); got != plain {
			t.Errorf("%q: %v", path, got)
		}
	}
}
