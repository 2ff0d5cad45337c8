package webtransport_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/webtransport"
)

// startServer starts a server on loopback and returns its URL and what to dial it
// with.
func startServer(handler http.HandlerFunc) (url string, dialer *webtransport.Dialer, stop func() error) {
	cert, hash, err := devcert.Make(time.Now())
	if err != nil {
		log.Fatal(err)
	}
	srv := &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	webtransport.Enable(srv, nil)
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	return "https://" + ln.Addr().String(), &webtransport.Dialer{ServerCertificateHashes: [][sha256.Size]byte{hash}}, srv.Close
}

// A server that speaks two versions of a chat, and says goodbye.
func ExampleUpgrader() {
	upgrader := &webtransport.Upgrader{
		AllowedOrigins: []string{"https://chat.example"}, // beside pages of its own
		Protocols:      []string{"chat.v2", "chat.v1"},
	}
	url, dialer, stop := startServer(func(w http.ResponseWriter, r *http.Request) {
		session, err := upgrader.Upgrade(w, r)
		if err != nil {
			return // the client has been told
		}
		session.CloseWithError(7, "no more "+session.Protocol())
	})
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer.Protocols = []string{"chat.v1"}
	session, _, err := dialer.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	<-session.Context().Done()
	var closed *webtransport.SessionError
	if errors.As(context.Cause(session.Context()), &closed) {
		fmt.Println(closed.Code, closed.Reason)
	}
	// Output: 7 no more chat.v1
}

// Streams are cancelled with codes, by who writes or who reads.
func ExampleStream() {
	url, dialer, stop := startServer(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return
		}
		stream, err := session.AcceptStream(session.Context())
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, stream)
		var cancelled *webtransport.StreamError
		if errors.As(err, &cancelled) {
			stream.CancelWrite(cancelled.Code + 1)
		}
	})
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	session, _, err := dialer.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.CloseWithError(0, "")
	stream, err := session.OpenStream(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	stream.CancelWrite(41)
	_, err = io.ReadAll(stream)
	fmt.Println(err)
	// Output: webtransport: stream cancelled by the peer with code 42
}

// Many sessions by one socket, which is worth its while for a client that dials many
// servers.
func ExampleDialer() {
	url, dialer, stop := startServer(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return
		}
		session.SendDatagram([]byte("hello from " + r.URL.Path))
	})
	defer stop()

	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer transport.Close()
	dialer.QUICTransport = transport
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, path := range []string{"/a", "/b"} {
		session, _, err := dialer.Dial(ctx, url+path, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		greeting, err := session.ReceiveDatagram(ctx)
		fmt.Printf("%s %v\n", greeting, err)
		session.CloseWithError(0, "")
	}
	// Output:
	// hello from /a <nil>
	// hello from /b <nil>
}
