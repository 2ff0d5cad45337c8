package http3_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
)

// A server and a client, and a shutdown that lets requests finish.
func Example() {
	cert, _, err := devcert.Make(time.Now()) // a program has its own
	if err != nil {
		log.Fatal(err)
	}
	server := &http3.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello over %s", r.Proto)
		}),
	}
	listener, err := server.Listen("localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- listener.Serve() }()

	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.Close()
	client := &http.Client{Transport: transport}
	resp, err := client.Get("https://" + listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	content, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	fmt.Printf("%s %q %v\n", resp.Status, content, err)

	if err := server.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-done)
	// Output:
	// 200 OK "hello over HTTP/3.0" <nil>
	// http: Server closed
}

// A handler served by net/http over TCP tells clients that HTTP/3 is there.
func ExampleServer_Advertise() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	h3 := &http3.Server{Addr: ":443", Handler: handler}
	tcp := &http.Server{Addr: ":443", Handler: h3.Advertise(handler)}
	fmt.Println(tcp.Addr == h3.Addr, http3.AltSvc(443))
	// Output: true h3=":443"; ma=86400
}

// A test of a handler over HTTP/3, with the server, certificate and client of httptest.
func ExampleAttach() {
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello over %s", r.Proto)
	}))
	h3 := new(http3.Server)
	if err := http3.Attach(ts.Config, h3); err != nil {
		log.Fatal(err)
	}
	ts.StartTLS()
	defer ts.Close()
	defer h3.Close()

	overTCP := ts.Client()
	transport := &http3.Transport{TLSClientConfig: overTCP.Transport.(*http.Transport).TLSClientConfig}
	defer transport.Close()
	for _, client := range []*http.Client{overTCP, {Transport: transport}} {
		resp, err := client.Get(ts.URL)
		if err != nil {
			log.Fatal(err)
		}
		content, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s %v\n", content, err)
	}
	// Output:
	// hello over HTTP/1.1 <nil>
	// hello over HTTP/3.0 <nil>
}
