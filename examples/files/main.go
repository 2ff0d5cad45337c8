// Files serves a directory over HTTP/3, and at the same port over HTTP/2 and
// HTTP/1.1, whose responses tell browsers in Alt-Svc that HTTP/3 is there:
//
//	go run ./examples/files -root .
//
// Without -cert and -key it makes a certificate for localhost by itself.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

func main() {
	listen := flag.String("listen", "localhost:4433", "`address` to listen on, TCP and UDP")
	root := flag.String("root", ".", "`directory` to serve")
	cert := flag.String("cert", "", "`file` with the certificate, PEM")
	key := flag.String("key", "", "`file` with its key, PEM")
	flag.Parse()

	server := &http3.Server{Handler: http.FileServer(http.Dir(*root))}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	ln, err := server.ListenAll(*listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("serving https://%s/\n", ln.Addr())

	// The first interrupt lets requests finish, for a while.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	over := make(chan struct{})
	go func() {
		defer close(over)
		<-ctx.Done()
		stop()
		limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(limit); err != nil {
			server.Close()
		}
	}()
	if err := ln.Serve(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-over
}
