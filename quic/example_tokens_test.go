package quic_test

import (
	"context"
	"fmt"
	"log"

	"github.com/godwit-quic/godwit/quic"
)

// announced is a TokenStore that tells when there is a token. One that keeps them in a file
// would look like this, too.
type announced struct {
	quic.TokenStore
	kept chan struct{}
}

func (s announced) Put(server string, token []byte) {
	s.TokenStore.Put(server, token)
	s.kept <- struct{}{}
}

// A server that has every client prove its address asks for no proof of one that was there
// before, which saves a round trip.
func ExampleTokenStore() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS()
	ln, err := (&quic.TransportConfig{RequireAddressValidation: true}).Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Transport().Close()

	store := announced{quic.NewTokenStore(0, 0), make(chan struct{}, 1)}
	for range 2 {
		before := ln.Transport().Stats()
		conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, &quic.Config{TokenStore: store})
		if err != nil {
			log.Fatal(err)
		}
		<-store.kept // for the next connection
		conn.CloseWithError(0, "")
		after := ln.Transport().Stats()
		fmt.Println("asked for a proof:", after.RetriesSent > before.RetriesSent)
	}
	// Output:
	// asked for a proof: true
	// asked for a proof: false
}
