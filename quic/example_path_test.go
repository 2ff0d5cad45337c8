package quic_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/godwit-quic/godwit/quic"
)

// A client goes on by another socket, as when another network has come up, and back.
func ExampleConn_AddPath() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		stream, err := conn.AcceptStream(ctx)
		if err != nil {
			return
		}
		io.Copy(stream, stream)
		stream.Close()
	}()

	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(stream, "from here, ")

	first := conn.Path()
	wifi, err := quic.NewTransport("127.0.0.1:0", nil) // on the address of the other network
	if err != nil {
		log.Fatal(err)
	}
	defer wifi.Close()
	second, err := conn.AddPath(wifi)
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range []*quic.Path{second, first} {
		if err := path.Probe(ctx); err != nil {
			log.Fatal(err)
		}
		if err := path.Switch(); err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(stream, "and from there, ")
	}
	second.Close()
	stream.Close()
	answer, err := io.ReadAll(stream)
	fmt.Println(string(answer), err)
	// Output: from here, and from there, and from there,  <nil>
}

// The server is reached at an address that several machines may share, and has its clients
// come to its own.
func ExamplePreferredAddress() {
	own, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer own.Close()
	ln, clientTLS := exampleServer(&quic.Config{PreferredAddress: &quic.PreferredAddress{Transport: own}})
	defer ln.Transport().Close()

	moved := make(chan *quic.Conn, 1)
	conn, err := quic.Dial(context.Background(), ln.Addr().String(), clientTLS, &quic.Config{
		AddrChanged: func(c *quic.Conn) { moved <- c },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	fmt.Println((<-moved).RemoteAddr().String() == own.LocalAddr().String())
	// Output: true
}

// A client says where it goes on when its network is gone. This server wants it to stay.
func ExamplePathError() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(&quic.Config{DisableActiveMigration: true})
	defer ln.Transport().Close()
	other, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer other.Close()

	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, &quic.Config{
		NetworkLost: func(*quic.Conn, error) (*quic.Transport, error) { return other, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	path, err := conn.AddPath(other)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Unwrap(path.Probe(ctx)))
	// Output: the server does not allow its clients to move
}
