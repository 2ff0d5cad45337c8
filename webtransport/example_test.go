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
	"github.com/godwit-quic/godwit/webtransport"
)

// A server that sends streams back, and a client.
func Example() {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here; a program has its own
	defer pair.Close()

	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return // the client has been told
		}
		for {
			stream, err := session.AcceptStream(session.Context())
			if err != nil {
				return
			}
			go func() {
				io.Copy(stream, stream)
				stream.Close()
			}()
		}
	})
	srv := &http3.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: pair.TLS.Certificates}}
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
	session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String()+"/echo", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.CloseWithError(0, "")
	stream, err := session.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(stream, "hello")
	stream.Close()
	answer, err := io.ReadAll(stream)
	fmt.Printf("%s %v\n", answer, err)
	// Output: hello <nil>
}

// A server whose certificate the system does not know needs a Dialer that does.
func ExampleDial() {
	srv := &http3.Server{Handler: http.NotFoundHandler()}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _, err = webtransport.Dial(ctx, "https://"+ln.Addr().String())
	var unknown *tls.CertificateVerificationError
	fmt.Println(errors.As(err, &unknown))
	// Output: true
}

// A server that takes few sessions at a time, and gives up those of pages that are gone.
func ExampleEnable() {
	srv := &http3.Server{Handler: http.NotFoundHandler()}
	webtransport.Enable(srv, &webtransport.Config{MaxSessions: 2, IdleTimeout: time.Minute})
	ln, err := srv.ListenAll("localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	fmt.Println(srv.Close())
	// Output: <nil>
}

// A page and sessions at one address.
func ExampleIsUpgrade() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !webtransport.IsUpgrade(r) {
			io.WriteString(w, "a page")
			return
		}
		session, err := webtransport.Upgrade(w, r)
		if err == nil {
			session.CloseWithError(0, "")
		}
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body)
	// Output: a page
}
