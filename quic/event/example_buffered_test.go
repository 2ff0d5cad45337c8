package event_test

import (
	"context"
	"fmt"
	"log"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// A program that keeps what peers have sent says how much that is, so that it is part of the
// transport's budget.
func ExampleCountBuffered() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS()
	conf := &quic.TransportConfig{MaxBufferedBytes: 100_000} // a connection gets half of it
	ln, err := conf.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Transport().Close()
	if _, err = quic.Dial(ctx, ln.Addr().String(), clientTLS, nil); err != nil {
		log.Fatal(err)
	}
	conn, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(event.CountBuffered(conn, 20_000), ln.Transport().Stats().BufferedBytes >= 20_000)
	fmt.Println(event.CountBuffered(conn, 60_000)) // more than there is room for: to be given back
	event.CountBuffered(conn, -60_000)
	// Output:
	// true true
	// false
}
