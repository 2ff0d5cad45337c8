package http3_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// A client that finds an origin's server where it says itself, as with a service mesh or a
// proxy. The socket may be one of its own, too: over a tunnel, or at an interface.
func ExampleTransport_route() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello of ", r.Host) })
	server := &http3.Server{Handler: handler}
	ln, err := server.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(ln)
	defer server.Close()

	transport := &http3.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the server made its certificate for localhost
		Route: func(_ context.Context, origin string) (*quic.Transport, string, error) {
			return nil, ln.Addr().String(), nil
		},
	}
	defer transport.Close()
	resp, err := (&http.Client{Transport: transport}).Get("https://inner.example/")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	fmt.Println(string(content), err)
	// Output: hello of inner.example <nil>
}
