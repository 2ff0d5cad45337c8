package demo_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/demo"
)

func ExampleNew() {
	handler := demo.New(demo.Options{})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("POST", "/digest", strings.NewReader("abc")))
	fmt.Print(w.Body)
	// Output: {"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
}
