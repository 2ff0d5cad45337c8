package webtransport_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/webtransport"
)

// A server that sends streams back, and a client.
func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return // the client has been told
		}
		for {
			stream, err := session.AcceptStream(r.Context())
			if err != nil {
				return
			}
			go func() {
				io.Copy(stream, stream)
				stream.Close()
			}()
		}
	})
	cert, hash, err := devcert.Make(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := &http3.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	webtransport.Enable(srv, nil)
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go ln.Serve()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{ServerCertificateHashes: [][sha256.Size]byte{hash}}
	session, _, err := dialer.Dial(ctx, "https://"+ln.Addr().String()+"/echo", nil)
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
	fmt.Fprint(stream, "hello")
	stream.Close()
	answer, err := io.ReadAll(stream)
	fmt.Printf("%s %v\n", answer, err)
	// Output: hello <nil>
}
