package quic_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"

	"github.com/godwit-quic/godwit/quic"
)

// A program that listens and dials on one UDP port, and says what has happened there.
func ExampleTransport() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS()
	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer transport.Close()
	ln, err := transport.Listen(serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := transport.Dial(ctx, ln.Addr().String(), clientTLS, nil); err != nil {
		log.Fatal(err)
	}
	stats := transport.Stats()
	fmt.Println(stats.Dialled, "dialled,", stats.Accepted, "accepted")
	// Output: 1 dialled, 1 accepted
}

// What an operator would watch of a server.
func ExampleTransportStats() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	if _, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil); err != nil {
		log.Fatal(err)
	}
	if _, err := ln.Accept(ctx); err != nil {
		log.Fatal(err)
	}
	s := ln.Transport().Stats()
	fmt.Println("connections:", s.Connections)
	fmt.Println("turned away:", s.OverConnections+s.OverConnectionsPerSource)
	fmt.Println("closed for want of memory:", s.Evicted)
	fmt.Println("dropped in a flood:", s.Shed)
	// Output:
	// connections: 1
	// turned away: 0
	// closed for want of memory: 0
	// dropped in a flood: 0
}

// How a connection fares.
func ExampleStats() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := conn.OpenStream(ctx); err != nil { // a turn of the event loop later
		log.Fatal(err)
	}
	s := conn.Stats()
	fmt.Println("version:", s.Version)
	fmt.Println("a round trip was measured:", s.MinRTT > 0 && s.MinRTT <= s.SmoothedRTT)
	fmt.Println("packets went both ways:", s.SentPackets > 0 && s.ReceivedPackets > 0)
	// Output:
	// version: v1
	// a round trip was measured: true
	// packets went both ways: true
}

// A server with longer connection IDs than usual, and a key that outlives it, so that
// clients of the server before learn at once that their connections are gone.
func ExampleRandomConnectionIDs() {
	serverTLS, _ := exampleTLS()
	key := sha256.Sum256([]byte("a secret of this server's"))
	conf := quic.TransportConfig{
		ConnectionIDs:     quic.RandomConnectionIDs(16, 0), // 16 bytes, of which the first says which loop
		StatelessResetKey: &key,
	}
	ln, err := conf.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	fmt.Println(ln.Addr().Network())
	// Output: udp
}
