package http3_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

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

// A client that speaks HTTP/3 and nothing else.
func ExampleTransport() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s over %s", r.Method, r.Proto)
	})
	server := &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: pair.TLS.Certificates}}
	listener, err := server.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go listener.Serve()
	defer server.Close()

	transport := &http3.Transport{
		TLSClientConfig:       pair.Client().Transport.(*http.Transport).TLSClientConfig,
		ResponseHeaderTimeout: 10 * time.Second,
	}
	defer transport.Close()
	resp, err := transport.RoundTrip(httptest.NewRequest("HEAD", "https://"+listener.Addr().String(), nil))
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Proto, resp.Status)
	// Output: HTTP/3.0 200 OK
}

// A client that begins with TCP, and finds HTTP/3 by what the server says.
func ExampleUpgrader() {
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	h3 := new(http3.Server)
	if err := http3.Attach(ts.Config, h3); err != nil {
		log.Fatal(err)
	}
	ts.EnableHTTP2 = true
	ts.StartTLS()
	defer ts.Close()
	defer h3.Close()

	transport := &http3.Upgrader{
		TCP:       ts.Client().Transport,
		HeadStart: 10 * time.Second, // as much as an example likes to wait
	}
	defer transport.Close()
	client := &http.Client{Transport: transport}
	for range 2 {
		resp, err := client.Get(ts.URL)
		if err != nil {
			log.Fatal(err)
		}
		content, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s %v\n", content, err)
	}
	// Output:
	// HTTP/2.0 <nil>
	// HTTP/3.0 <nil>
}

// What is known of a server can be said before the first request, and asked.
func ExampleAltSvcCache() {
	cache := new(http3.AltSvcCache)
	cache.Learn("example.com:443", `h3="edge.example.net:8443"; ma=3600`)
	fmt.Println(cache.Lookup("example.com:443"))
	transport := &http3.Upgrader{Cache: cache}
	defer transport.Close()
	// Output: edge.example.net:8443 true
}

// A handler served by net/http over TCP tells clients that HTTP/3 is there.
func ExampleServer_Advertise() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	h3 := &http3.Server{Addr: ":443", Handler: handler}
	tcp := &http.Server{Addr: ":443", Handler: h3.Advertise(handler)}
	fmt.Println(tcp.Addr == h3.Addr)
	// Output: true
}
