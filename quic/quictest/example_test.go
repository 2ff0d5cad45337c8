package quictest_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"time"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/quictest"
)

// A message of 100 KiB over a link that loses a tenth of all packets, without a socket of
// the system. In a bubble of testing/synctest the same takes no time at all.
func Example() {
	serverTLS, clientTLS := exampleTLS()
	network := quictest.NewNetwork(quictest.Link{Delay: time.Millisecond, Loss: 0.1, Seed: 7})

	server := &quic.TransportConfig{Sockets: []net.PacketConn{network.Listen("192.0.2.1:443")}}
	ln, err := server.Listen("", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Transport().Close()
	ctx := context.Background()
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		if stream, err := conn.OpenUniStream(ctx); err == nil {
			stream.Write(make([]byte, 100<<10))
			stream.Close()
		}
	}()

	client := &quic.TransportConfig{Sockets: []net.PacketConn{network.Listen("192.0.2.2:5000")}}
	conn, err := client.Dial(ctx, "192.0.2.1:443", clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.AcceptUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	message, err := io.ReadAll(stream)
	fmt.Println(len(message), err, "from", conn.RemoteAddr())
	// Output: 102400 <nil> from 192.0.2.1:443
}

// Who talks to whom can be watched, changed and cut.
func ExampleNetwork_Filter() {
	network := quictest.NewNetwork(quictest.Link{})
	a, b := network.Listen("192.0.2.1:1"), network.Listen("192.0.2.2:2")
	network.Filter(func(_, _ net.Addr, datagram []byte) bool { return datagram[0] != 's' })
	for _, text := range []string{"godwit", "snipe", "curlew"} {
		if _, err := a.WriteTo([]byte(text), b.LocalAddr()); err != nil {
			log.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	for range 2 {
		n, from, err := b.ReadFrom(buf)
		fmt.Println(string(buf[:n]), from, err)
	}
	// Output:
	// godwit 192.0.2.1:1 <nil>
	// curlew 192.0.2.1:1 <nil>
}

// exampleTLS returns what both ends need of TLS.
func exampleTLS() (server, client *tls.Config) {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here
	defer pair.Close()
	server = &tls.Config{Certificates: pair.TLS.Certificates, NextProtos: []string{"example"}}
	return server, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"example"}}
}
