// Echo is a QUIC server that sends back what it gets, and a client that uses it,
// in one program:
//
//	go run ./cmd/godwit cert make
//	go run ./examples/echo hello
//
// The first command makes the server's certificate, cert.pem and key.pem.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/godwit-quic/godwit/quic"
)

func main() {
	cert, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	// Both sides must name a protocol that they have in common.
	server := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"echo"}}
	ln, err := quic.Listen("127.0.0.1:0", server, nil)
	if err != nil {
		log.Fatal(err)
	}
	go serve(ln)

	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	client := &tls.Config{RootCAs: roots, NextProtos: []string{"echo"}}
	answer, err := ask(ln.Addr().String(), client, strings.Join(os.Args[1:], " "))
	fmt.Printf("%s sent back %q, %v\n", ln.Addr(), answer, err)
	ln.Transport().Close()
}

// serve echoes the streams of all connections.
func serve(ln *quic.Listener) {
	for {
		conn, err := ln.Accept(context.Background())
		if err != nil {
			return // the listener was closed
		}
		go func() {
			for {
				stream, err := conn.AcceptStream(context.Background())
				if err != nil {
					return // the connection has ended; conn.Err says why
				}
				go func() {
					io.Copy(stream, stream)
					stream.Close()
				}()
			}
		}()
	}
}

// ask sends a question on a stream of a new connection and returns the answer.
func ask(addr string, conf *tls.Config, question string) ([]byte, error) {
	conn, err := quic.Dial(context.Background(), addr, conf, nil)
	if err != nil {
		return nil, err
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.OpenStream(context.Background())
	if err != nil {
		return nil, err
	}
	fmt.Fprint(stream, question)
	stream.Close() // ends what we send
	return io.ReadAll(stream)
}
