package webtransport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/webtransport"
)

// A server that speaks two versions of a chat, and says goodbye.
func ExampleUpgradeConfig() {
	upgrader := &webtransport.UpgradeConfig{
		AllowedOrigins: []string{"https://chat.example"}, // beside pages of its own
		Protocols:      []string{"chat.v2", "chat.v1"},
	}
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates}
	srv := &http3.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := upgrader.Upgrade(w, r)
		if err != nil {
			return // the client has been told
		}
		session.CloseWithError(7, "no more "+session.Protocol())
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	dialer.Protocols = []string{"chat.v1"}
	session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
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
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates}
	srv := &http3.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.CloseWithError(0, "")
	stream, err := session.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	stream.CancelWrite(41)
	_, err = io.ReadAll(stream)
	fmt.Println(err)
	// Output: webtransport: stream cancelled by the peer with code 42
}

// Streams in one direction: one for each question, and one for each answer.
func ExampleSession() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates}
	srv := &http3.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return
		}
		var question *webtransport.ReceiveStream
		if question, err = session.AcceptUniStream(session.Context()); err != nil {
			return
		}
		text, err := io.ReadAll(question)
		if err != nil {
			return
		}
		var answer *webtransport.SendStream
		if answer, err = session.OpenUniStream(session.Context()); err != nil {
			return
		}
		fmt.Fprintf(answer, "%s? Yes.", text)
		answer.Close()
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.CloseWithError(0, "")
	question, err := session.OpenUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(question, "Anybody there")
	question.Close()
	answer, err := session.AcceptUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(answer)
	fmt.Printf("%s %v\n", text, err)
	// Output: Anybody there? Yes. <nil>
}

// A server may answer in any other way than by Upgrade, and says no with that.
func ExampleRejectedError() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates}
	srv := &http3.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "members only", http.StatusForbidden)
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	_, resp, err := dialer.Dial(ctx, "https://"+ln.Addr().String(), nil)
	var rejected *webtransport.RejectedError
	if !errors.As(err, &rejected) {
		log.Fatal(err)
	}
	content, err := io.ReadAll(resp.Body)
	fmt.Printf("%d %s", rejected.StatusCode, content)
	// Output: 403 members only
}

// Both ends say which drafts they speak; the newest that is common to them is used.
func ExampleDraft() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates}
	srv := &http3.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = webtransport.Upgrade(w, r)
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	dialer.Config = &webtransport.Config{Drafts: []webtransport.Draft{webtransport.Draft02, webtransport.Draft13}}
	session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.CloseWithError(0, "")
	fmt.Println(session.Draft())
	// Output: draft-ietf-webtrans-http3-13
}

// Many sessions by one socket, which is worth its while for a client that dials many
// servers.
func ExampleDialer() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates}
	srv := &http3.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return
		}
		session.SendDatagram([]byte("hello from " + r.URL.Path))
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: pair.Client().Transport.(*http.Transport).TLSClientConfig}
	socket, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer socket.Close()
	dialer.QUICTransport = socket
	for _, path := range []string{"/a", "/b"} {
		session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String()+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		greeting, err := session.ReceiveDatagram(ctx)
		fmt.Printf("%s %v\n", greeting, err)
		session.CloseWithError(0, "")
	}
	// Output:
	// hello from /a <nil>
	// hello from /b <nil>
}
