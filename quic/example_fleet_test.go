package quic_test

import (
	"context"
	"fmt"
	"log"

	"github.com/godwit-quic/godwit/quic"
)

// Servers with the same secrets know what the others have given to a client.
func ExampleParseFleetKeys() {
	keys, err := quic.ParseFleetKeys([]byte(`
		# of this week
		9f1c4e0b7a2d5586e3f40c1b9d8a7766554433221100ffeeddccbbaa99887766
		# of last week
		00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
	`))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	store := announced{quic.NewTokenStore(0, 0), make(chan struct{}, 1)}
	conf := &quic.TransportConfig{FleetKeys: keys, RequireAddressValidation: true}
	serverTLS, clientTLS := exampleTLS()
	serverTLS.SetSessionTicketKeys(keys.SessionTicketKeys())

	addr := "127.0.0.1:0"
	for range 2 { // one server after the other, as after a restart
		ln, err := conf.Listen(addr, serverTLS, nil)
		if err != nil {
			log.Fatal(err)
		}
		addr = ln.Addr().String()
		conn, err := quic.Dial(ctx, addr, clientTLS, &quic.Config{TokenStore: store})
		if err != nil {
			log.Fatal(err)
		}
		<-store.kept
		fmt.Println("asked for a proof:", ln.Transport().Stats().RetriesSent > 0)
		conn.CloseWithError(0, "")
		ln.Transport().Close()
	}
	// Output:
	// asked for a proof: true
	// asked for a proof: false
}

// Secrets may come from anywhere, the newest first.
func ExampleNewFleetKeys() {
	newest, older := make([]byte, 32), make([]byte, 16) // not random, to show what is refused
	_, err := quic.NewFleetKeys(newest, older)
	fmt.Println(err)
	var keys *quic.FleetKeys
	keys, err = quic.NewFleetKeys(newest)
	fmt.Println(len(keys.SessionTicketKeys()), err)
	// Output:
	// quic: FleetKeys: secret 2 has 16 bytes, not 32 to 1024
	// 1 <nil>
}
