package quic_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// A connection ends with a code that the other side gets to see.
func ExampleConn_CloseWithError() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	accepted, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	conn.CloseWithError(42, "enough")
	<-accepted.Done()
	var closed *quic.ApplicationError
	if errors.As(accepted.Err(), &closed) {
		fmt.Println(closed.Code, closed.Reason)
	}
	// On the side that closed, errors.Is finds net.ErrClosed, as for a net.Conn.
	fmt.Println(errors.Is(conn.Err(), net.ErrClosed), errors.Is(accepted.Err(), net.ErrClosed))
	// Output:
	// 42 enough
	// true false
}

// A client that finds fault with the server's certificate says why.
func ExampleTransportError() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	clientTLS.InsecureSkipVerify = false // but the certificate is signed by nobody known

	_, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	var failed *quic.TransportError
	if errors.As(err, &failed) {
		// Codes from 0x100 to 0x1ff are 0x100 and a TLS alert (RFC 9001, Section 4.8).
		fmt.Println("a TLS alert:", failed.Code&^0xff == 0x100, "found here:", !failed.Remote)
	}
	// Output: a TLS alert: true found here: true
}

// Nobody listens at the address. On Linux that is usually told at once, with
// syscall.ECONNREFUSED, but not where datagrams just vanish.
func ExampleHandshakeTimeoutError() {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0") // takes everything and says nothing
	if err != nil {
		log.Fatal(err)
	}
	defer silent.Close()
	_, clientTLS := exampleTLS()
	conf := &quic.Config{HandshakeTimeout: 50 * time.Millisecond}

	_, err = quic.Dial(context.Background(), silent.LocalAddr().String(), clientTLS, conf)
	var late *quic.HandshakeTimeoutError
	if errors.As(err, &late) {
		fmt.Println("no answer within", late.After)
	}
	// Output: no answer within 50ms
}

// A connection on which nothing arrives for too long ends. Config.KeepAlivePeriod keeps it.
func ExampleIdleTimeoutError() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(&quic.Config{MaxIdleTimeout: 100 * time.Millisecond})
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = conn.AcceptStream(ctx) // none will come
	var idle *quic.IdleTimeoutError
	if errors.As(err, &idle) {
		fmt.Println("silent for", idle.After)
	}
	// Output: silent for 100ms
}

// Version 2 alone, at a server that has version 1 alone.
func ExampleVersionNegotiationError() {
	ln, clientTLS := exampleServer(&quic.Config{Versions: []quic.Version{quic.Version1}})
	defer ln.Transport().Close()
	conf := &quic.Config{Versions: []quic.Version{quic.Version2}}

	_, err := quic.Dial(context.Background(), ln.Addr().String(), clientTLS, conf)
	var versions *quic.VersionNegotiationError
	if errors.As(err, &versions) {
		fmt.Println("we have", versions.Ours)
	}
	// Output: we have [v2]
}

// A datagram goes in one packet, and a path takes packets of a certain size.
func ExampleDatagramTooLargeError() {
	ctx := context.Background()
	conf := &quic.Config{EnableDatagrams: true}
	ln, clientTLS := exampleServer(conf)
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, conf)
	if err != nil {
		log.Fatal(err)
	}
	err = conn.SendDatagram(make([]byte, 100_000))
	var large *quic.DatagramTooLargeError
	if errors.As(err, &large) {
		fmt.Println(large.Size, "bytes; up to a thousand would do:", large.Max > 1000)
	}
	// Output: 100000 bytes; up to a thousand would do: true
}

// A client sends on a stream of one direction, which the server reads to its end.
func ExampleSendStream() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	out, err := conn.OpenUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(out, "one way")
	out.Close()

	server, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	in, err := server.AcceptUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	got, err := io.ReadAll(in)
	fmt.Printf("%s %v\n", got, err)

	<-out.Context().Done() // everything has been acknowledged
	fmt.Println(context.Cause(out.Context()))
	// Output:
	// one way <nil>
	// context canceled
}

// Whoever has read enough says so, and the sender learns it with a code.
func ExampleReceiveStream() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	out, err := conn.OpenUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		server, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		in, err := server.AcceptUniStream(ctx)
		if err != nil {
			return
		}
		var first [5]byte
		_, _ = io.ReadFull(in, first[:])
		in.CancelRead(3)
	}()
	_, err = io.Copy(out, endless{})
	var stopped *quic.StreamError
	if errors.As(err, &stopped) {
		fmt.Println("the peer wants no more:", stopped.Remote, stopped.Code)
	}
	// Output: the peer wants no more: true 3
}

// endless is a Reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
