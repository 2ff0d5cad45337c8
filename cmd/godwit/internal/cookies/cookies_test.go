package cookies

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func Example() {
	jar := New()
	at := &url.URL{Scheme: "https", Host: "example.org", Path: "/"}
	jar.SetCookies(at, []*http.Cookie{{Name: "a", Value: "1"}})
	fmt.Println(jar.Cookies(at))
	// Output: [a=1]
}

// TestFile: what is written is read again, for the same hosts, and what was refused or has
// ended is not written.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jar")
	jar := New()
	at := &url.URL{Scheme: "https", Host: "www.example.org", Path: "/dir/page"}
	jar.SetCookies(at, []*http.Cookie{
		{Name: "host", Value: "1", Secure: true}, {Name: "domain", Value: "2", Domain: "example.org", Path: "/", HttpOnly: true, MaxAge: 1000},
		{Name: "other", Value: "3", Domain: "elsewhere.org"}, {Name: "suffix", Value: "4", Domain: "org"}, {Name: "gone", Value: "5"},
	})
	jar.SetCookies(at, []*http.Cookie{{Name: "gone", MaxAge: -1}})
	if err := jar.Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); !strings.Contains(text, "\nwww.example.org\tFALSE\t/dir\tTRUE\t0\thost\t1\n") ||
		!strings.Contains(text, "\n#HttpOnly_.example.org\tTRUE\t/\tFALSE\t") || strings.Contains(text, "elsewhere") || strings.Contains(text, "suffix") || strings.Contains(text, "gone") {
		t.Errorf("%s", text)
	}
	again := New()
	if err := again.Load(path); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"https://www.example.org/dir/x": "[host=1 domain=2]", "https://www.example.org/": "[domain=2]", "https://example.org/": "[domain=2]",
		"http://www.example.org/dir/x": "[domain=2]", "https://elsewhere.org/": "[]",
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(again.Cookies(u)); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	for _, bad := range []string{"a\tb\n", "h\tFALSE\t/\tFALSE\tsoon\tn\tv\n"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := New().Load(path); err == nil || !strings.Contains(err.Error(), path+":1: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
