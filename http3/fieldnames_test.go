package http3

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/godwit-quic/godwit/internal/qpack"
)

func TestFieldNames(t *testing.T) {
	for _, name := range append([]string{"x-unheard-of", "a", "www-authenticate-not"}, commonNames...) {
		key := canonicalName(name)
		if key != http.CanonicalHeaderKey(name) {
			t.Errorf("%s: key %s", name, key)
		}
		if got := lowerName(key); got != name {
			t.Errorf("%s: name %s", key, got)
		}
	}
	if got := lowerName("not-Canonical"); got != "not-canonical" {
		t.Errorf("name %s", got)
	}
}

func TestTrailerNames(t *testing.T) {
	h := http.Header{"Trailer": {"a, Content-Length", " B-c ,,te, if-match"}, "X": {"y"}}
	if got, want := takeTrailerNames(h), (http.Header{"A": nil, "B-C": nil}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if want := (http.Header{"X": {"y"}}); !reflect.DeepEqual(h, want) {
		t.Errorf("left %v, want %v", h, want)
	}
	if got := takeTrailerNames(h); got != nil {
		t.Errorf("%v without a Trailer field", got)
	}
}

func TestMergeTrailers(t *testing.T) {
	got := mergeTrailers(http.Header{"A": nil}, []qpack.Field{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"},
		{Name: "content-length", Value: "5"}, {Name: "authorization", Value: "x"}, {Name: "if-none-match", Value: "x"}})
	if want := (http.Header{"A": {"1", "3"}, "B": {"2"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestSharedBacking checks that the slices of single values, which share their
// memory, do not grow into each other.
func TestSharedBacking(t *testing.T) {
	h := make(http.Header)
	addFields(h, []qpack.Field{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, nil)
	h.Add("A", "3")
	if want := (http.Header{"A": {"1", "3"}, "B": {"2"}}); !reflect.DeepEqual(h, want) {
		t.Errorf("%v, want %v", h, want)
	}
}
