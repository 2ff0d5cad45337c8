package quic_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// exampleServer returns a listener on a free port and the TLS configuration of
// its clients. A real server has a certificate that clients can verify.
func exampleServer(conf *quic.Config) (*quic.Listener, *tls.Config) {
	server, client := exampleTLS()
	ln, err := quic.Listen("127.0.0.1:0", server, conf)
	if err != nil {
		log.Fatal(err)
	}
	return ln, client
}

// exampleTLS returns what both ends need of TLS.
func exampleTLS() (server, client *tls.Config) {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here
	defer pair.Close()
	server = &tls.Config{Certificates: pair.TLS.Certificates, NextProtos: []string{"example"}}
	return server, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"example"}}
}

// A server that sends back what it gets, and a client.
func Example() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	go func() {
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			go func() {
				for {
					stream, err := conn.AcceptStream(ctx)
					if err != nil {
						return
					}
					go func() {
						defer stream.Close()
						io.Copy(stream, stream)
					}()
				}
			}()
		}
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
	fmt.Fprint(stream, "hello")
	stream.Close()
	answer, err := io.ReadAll(stream)
	fmt.Printf("%s %v\n", answer, err)
	// Output: hello <nil>
}

// One stream of each kind, and what the other side learns of a cancellation.
func ExampleStream_CancelRead() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		stream, err := conn.AcceptUniStream(ctx)
		if err != nil {
			return
		}
		stream.CancelRead(404) // not interested
	}()

	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	stream, err := conn.OpenUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var cancelled *quic.StreamError
	for {
		if _, err := stream.Write(make([]byte, 1000)); errors.As(err, &cancelled) {
			fmt.Println("code", cancelled.Code, "by the peer:", cancelled.Remote)
			return
		}
	}
	// Output: code 404 by the peer: true
}

// A deadline bounds how long a read waits.
func ExampleStream_SetReadDeadline() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	stream, err := conn.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	stream.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = stream.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	// Output: true
}

// Several connections share a socket.
func ExampleNewTransport() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	transport, err := quic.NewTransport("", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer transport.Close()
	for range 3 {
		if _, err := transport.Dial(ctx, ln.Addr().String(), clientTLS, nil); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(transport.Stats().Connections, "connections on one socket")
	// Output: 3 connections on one socket
}

// A server with settings of its socket: all the buffers of its connections together hold
// at most 16 MiB, and what goes wrong is logged.
func ExampleTransportConfig() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS()
	conf := quic.TransportConfig{MaxBufferedBytes: 16 << 20, Logger: slog.Default()}
	ln, err := conf.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Transport().Close()
	if _, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil); err != nil {
		log.Fatal(err)
	}
	conn, err := ln.Accept(ctx)
	fmt.Println(conn.Stats().Version, err)
	// Output: v1 <nil>
}
