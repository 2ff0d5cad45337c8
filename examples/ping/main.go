// Ping measures round trips with QUIC datagrams, which are neither repeated nor
// ordered. It is the server as well as its client:
//
//	go run ./cmd/godwit cert make
//	go run ./examples/ping
//
// The first command makes the server's certificate, cert.pem and key.pem.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

func main() {
	cert, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	// Both sides must say that they take datagrams.
	conf := &quic.Config{EnableDatagrams: true}
	server := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"ping"}}
	ln, err := quic.Listen("127.0.0.1:0", server, conf)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Transport().Close()
	go answer(ln)

	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	client := &tls.Config{RootCAs: roots, NextProtos: []string{"ping"}}
	conn, err := quic.Dial(context.Background(), ln.Addr().String(), client, conf)
	if err != nil {
		log.Fatal(err)
	}
	for i := range 5 {
		ping(conn, fmt.Sprintf("ping %d", i))
	}
	fmt.Println("smoothed round-trip time", conn.Stats().SmoothedRTT)
}

// answer sends the datagrams of one connection back.
func answer(ln *quic.Listener) {
	conn, err := ln.Accept(context.Background())
	for err == nil {
		var p []byte
		if p, err = conn.ReceiveDatagram(context.Background()); err == nil {
			err = conn.SendDatagram(p)
		}
	}
}

// ping sends a datagram and waits for its answer, but not for long: either may be
// lost on the way.
func ping(conn *quic.Conn, text string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	if err := conn.SendDatagram([]byte(text)); err != nil {
		log.Fatal(err)
	}
	answer, err := conn.ReceiveDatagram(ctx)
	if err != nil {
		fmt.Println(text, "was lost:", err)
		return
	}
	fmt.Printf("%s came back after %v\n", answer, time.Since(start))
}
