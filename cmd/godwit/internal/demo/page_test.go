package demo

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// servePath returns what the handler answers to a GET.
func servePath(t *testing.T, opts Options, path string) *httptest.ResponseRecorder {
	t.Helper()
	handler := New(opts)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// TestPageParts: everything that the page and its scripts load is there, from the
// same origin, with a type that browsers accept.
func TestPageParts(t *testing.T) {
	types := map[string]string{"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
	loads := regexp.MustCompile(`(?:src|href|from)[= ]"((?:/page|\.)/[a-z]+\.([a-z]+))"`)
	seen := make(map[string]bool)
	for paths := []string{"/"}; len(paths) > 0; paths = paths[1:] {
		w := servePath(t, Options{}, paths[0])
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d, %v", paths[0], w.Code, w.Header())
		}
		for _, m := range loads.FindAllStringSubmatch(w.Body.String(), -1) {
			path := strings.Replace(m[1], "./", "/page/", 1)
			if got := servePath(t, Options{}, path).Header().Get("Content-Type"); got != types[m[2]] {
				t.Errorf("%s is %q", path, got)
			}
			if !seen[path] {
				seen[path] = true
				paths = append(paths, path)
			}
		}
	}
	files, err := pageFiles.ReadDir("page")
	if err != nil || len(seen) != len(files)-1 { // all but the template
		t.Errorf("the page loads %v of %d files, %v", seen, len(files), err)
	}
	for _, path := range []string{"/page/page.html", "/page/nothing.js", "/page/"} {
		if w := servePath(t, Options{}, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestPageHash: the page knows the certificate if there is something to know.
func TestPageHash(t *testing.T) {
	for _, hash := range []string{"", strings.Repeat("0f", 32)} {
		w := servePath(t, Options{CertHash: func() string { return hash }}, "/")
		if want := `data-cert-hash="` + hash + `"`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in the page", want)
		}
	}
}

// TestPageVersion: the page says which version it is of, if it is known, and how it came.
func TestPageVersion(t *testing.T) {
	page := servePath(t, Options{Version: "v1.2.3"}, "/").Body.String()
	for _, want := range []string{"<span>godwit v1.2.3</span>", `<div class="proto"><b>HTTP/1.1</b>`, "godwit get -k https://example.com/info"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in the page:\n%s", want, page)
		}
	}
	if page := servePath(t, Options{}, "/").Body.String(); !strings.Contains(page, "<span></span>") {
		t.Errorf("a version of nothing:\n%s", page)
	}
}
