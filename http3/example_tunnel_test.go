package http3_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

// A protocol of one's own: a tunnel that returns what it is sent.
func ExampleTunnel() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if http3.Protocol(r) != "echo" {
			http.Error(w, "this is for echo", http.StatusNotImplemented)
			return
		}
		tunnel, err := http3.AcceptTunnel(w)
		if err != nil {
			return
		}
		io.Copy(tunnel, tunnel)
		tunnel.Close()
	})
	server := &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: pair.TLS.Certificates}, EnableExtendedConnect: true, EnableDatagrams: true}
	listener, err := server.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go listener.Serve()
	defer server.Close()

	transport := &http3.Transport{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	defer transport.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequest(http.MethodConnect, "https://"+listener.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header[":protocol"] = []string{"echo"}
	tunnel, resp, err := transport.Connect(ctx, req)
	if err != nil {
		log.Fatal(err)
	}
	if tunnel == nil {
		log.Fatal(resp.Status)
	}
	fmt.Fprint(tunnel, "hello")
	tunnel.Close()
	answer, err := io.ReadAll(tunnel)
	fmt.Printf("%s %v\n", answer, err)
	// Output: hello <nil>
}

// Capsules of type 1 and up to 100 bytes are read, others are not stored.
func ExampleCapsuleReader() {
	stream := http3.AppendCapsule(nil, 1, []byte("hello"))
	stream = http3.AppendCapsule(stream, 2, bytes.Repeat([]byte("skipped"), 1000))
	stream = http3.AppendCapsule(stream, 1, []byte("world"))
	r := http3.NewCapsuleReader(bytes.NewReader(stream), func(t uint64) int {
		if t == 1 {
			return 100
		}
		return -1
	})
	for {
		t, value, err := r.Next()
		if err == io.EOF {
			return
		}
		fmt.Printf("%d %s %v\n", t, value, err)
	}
	// Output:
	// 1 hello <nil>
	// 1 world <nil>
}
