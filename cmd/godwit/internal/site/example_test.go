package site_test

import (
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/site"
)

func Example() {
	dir, err := os.MkdirTemp("", "site")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(dir+"/index.html", []byte("<h1>Hello</h1>"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	files, err := site.New(dir, site.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer files.Close()
	w := httptest.NewRecorder()
	files.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Body)
	// Output: 200 text/html; charset=utf-8 <h1>Hello</h1>
}
