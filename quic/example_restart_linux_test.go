package quic_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"

	"github.com/godwit-quic/godwit/quic"
)

// A server that is replaced by another one, usually in a new process. The first lives on
// until its connections have ended, and no client notices.
func ExampleTransport_HandOver() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	toSuccessor, toPredecessor := processes()
	defer toSuccessor.Close()
	defer toPredecessor.Close()

	// The new process.
	listens := make(chan *quic.Listener)
	go func() {
		serverTLS, _ := exampleTLS()
		conf := &quic.TransportConfig{Predecessor: toPredecessor}
		successor, err := conf.Listen("", serverTLS, nil)
		if err != nil {
			log.Fatal(err)
		}
		listens <- successor
	}()

	// The old one.
	before, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := ln.Transport().HandOver(ctx, toSuccessor); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- ln.Shutdown(ctx) }()

	successor := <-listens
	defer successor.Transport().Close()
	after, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer after.CloseWithError(0, "")
	if _, err := successor.Accept(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("before:", before.Err(), "after:", after.Err())
	before.CloseWithError(0, "")
	fmt.Println("the first server ends:", <-ended)
	// Output:
	// before: <nil> after: <nil>
	// the first server ends: <nil>
}

// processes returns a Unix socket's two ends, as the new process inherits one.
func processes() (a, b *net.UnixConn) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	addr := &net.UnixAddr{Name: filepath.Join(dir, "restart"), Net: "unix"}
	ln, err := net.ListenUnix("unix", addr)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.DialUnix("unix", nil, addr); err != nil {
		log.Fatal(err)
	}
	if b, err = ln.AcceptUnix(); err != nil {
		log.Fatal(err)
	}
	return a, b
}
