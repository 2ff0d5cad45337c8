package http3_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// A server and a client, and a shutdown that lets requests finish.
func Example() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()

	server := &http3.Server{
		TLSConfig: &tls.Config{Certificates: pair.TLS.Certificates},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello over %s", r.Proto)
		}),
	}
	listener, err := server.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- listener.Serve() }()

	transport := &http3.Transport{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
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
	fmt.Println(<-served)
	// Output:
	// 200 OK "hello over HTTP/3.0" <nil>
	// http: Server closed
}

// Where others can connect, a server needs a certificate.
func ExampleListenAndServe() {
	err := http3.ListenAndServe(":8443", http.FileServer(http.Dir(".")))
	fmt.Println(err)
	// Output: http3: no certificate for :8443: set Server.TLSConfig, or call ListenAndServeTLS; one is made at localhost only
}

// HTTP/1.1, HTTP/2 and HTTP/3 at one port, with a certificate that godwit cert, mkcert or
// an authority has made.
func ExampleListenAndServeTLS() {
	err := http3.ListenAndServeTLS(":8443", "missing.pem", "missing-key.pem", http.FileServer(http.Dir(".")))
	fmt.Println(err != nil)
	// Output: true
}

// A server that knows its port only when it listens, and ends with its work done.
func ExampleServer() {
	server := &http3.Server{Addr: "localhost:0", Handler: http.NotFoundHandler()}
	served := make(chan error)
	go func() { served <- server.ListenAndServe() }()
	// …
	if err := server.Shutdown(context.Background()); err != nil {
		server.Close() // requests under way fail
	}
	fmt.Println(<-served)
	// Output: http: Server closed
}

// Tests listen at a port that is free.
func ExampleListener() {
	server := &http3.Server{Handler: http.NotFoundHandler(), DisableTCP: true}
	listener, err := server.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().Network())
	server.Close()
	fmt.Println(listener.Serve())
	// Output:
	// udp
	// http: Server closed
}

// A server and clients at one socket, whose statistics are the transport's.
func ExampleServer_ListenOn() {
	socket, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer socket.Close()
	server := &http3.Server{Handler: http.NotFoundHandler()}
	listener, err := server.ListenOn(socket)
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Close()
	fmt.Println(listener.Addr().String() == socket.LocalAddr().String(), socket.Stats().Connections)
	// Output: true 0
}

// A handler that looks at its connection.
func ExampleRequestConn() {
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn := http3.RequestConn(r); conn != nil {
			fmt.Fprint(w, "QUIC ", conn.Stats().Version)
			return
		}
		fmt.Fprint(w, "not HTTP/3")
	}))
	h3 := new(http3.Server)
	if err := http3.Attach(ts.Config, h3); err != nil {
		log.Fatal(err)
	}
	ts.StartTLS()
	defer ts.Close()
	defer h3.Close()

	transport := &http3.Transport{TLSClientConfig: ts.Client().Transport.(*http.Transport).TLSClientConfig}
	defer transport.Close()
	for _, client := range []*http.Client{ts.Client(), {Transport: transport}} {
		resp, err := client.Get(ts.URL)
		if err != nil {
			log.Fatal(err)
		}
		content, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%s %v\n", content, err)
	}
	// Output:
	// not HTTP/3 <nil>
	// QUIC v1 <nil>
}

// A handler that does not answer resets its request.
func ExampleError() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	server := &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: pair.TLS.Certificates}}
	listener, err := server.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go listener.Serve()
	defer server.Close()

	transport := &http3.Transport{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	defer transport.Close()
	_, err = (&http.Client{Transport: transport}).Get("https://" + listener.Addr().String())
	var reset *http3.Error
	if errors.As(err, &reset) {
		fmt.Println(reset.Code, reset.Code == http3.ErrCodeInternalError, reset.Remote, reset.WholeConn)
	}
	// Output: H3_INTERNAL_ERROR true true false
}

// A health check that nothing in the handler sees.
func ExampleFixedResponse() {
	healthy := http3.NewFixedResponse(http.StatusOK, nil, []byte("healthy\n"))
	mux := http.NewServeMux()
	mux.Handle("/health", healthy) // over TCP
	server := &http3.Server{
		Handler:       mux,
		BypassHandler: map[string]*http3.FixedResponse{"/health": healthy}, // over HTTP/3
	}
	defer server.Close()

	w := httptest.NewRecorder()
	server.Handler.ServeHTTP(w, httptest.NewRequest("GET", "/health", nil))
	fmt.Print(w.Body)
	// Output: healthy
}
