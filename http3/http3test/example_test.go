package http3test_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3/http3test"
	"github.com/godwit-quic/godwit/quic/quictest"
)

// A server, and a client that trusts it.
func ExampleServer() {
	srv := http3test.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello over "+r.Proto)
	}))
	defer srv.Close()

	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%s %v\n", body, err)
	// Output: hello over HTTP/3.0 <nil>
}

// A server and its clients on a network in memory, which loses a tenth of all packets.
func ExampleNewUnstartedServer() {
	srv := http3test.NewUnstartedServer(http.FileServer(http.Dir(".")))
	srv.Network = quictest.NewNetwork(quictest.Link{Delay: time.Millisecond, Loss: 0.1, Seed: 1})
	srv.Start()
	defer srv.Close()

	resp, err := srv.Client().Get(srv.URL + "/server.go")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, resp.Header.Get("Content-Type"))
	// Output: 200 text/x-go; charset=utf-8
}
