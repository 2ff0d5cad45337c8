package handshake_test

import (
	"crypto/tls"
	"fmt"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/wire"
)

func ExampleNewClient() {
	conn, err := handshake.NewClient(&tls.Config{NextProtos: []string{"h3"}}, "example.com", false)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	if err := conn.Start(wire.Version1, nil); err != nil {
		fmt.Println(err)
		return
	}
	hello := conn.NextEvent()
	fmt.Println(hello.Kind == engine.TLSWriteData, hello.Level)
	// Output: true Initial
}
