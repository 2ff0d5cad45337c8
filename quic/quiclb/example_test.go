package quiclb_test

import (
	"fmt"
	"log"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/quiclb"
)

// A server puts its ID into connection IDs, where a load balancer with the same configuration
// finds it, and nobody else.
func Example() {
	conf := quiclb.Config{ServerIDLen: 2, NonceLen: 14, Key: []byte("16 random bytes!")}
	ids, err := quiclb.New(conf, []byte{0x12, 0x34})
	if err != nil {
		log.Fatal(err)
	}
	_ = quic.TransportConfig{ConnectionIDs: ids} // the server's

	balancer, err := conf.NewDecoder()
	if err != nil {
		log.Fatal(err)
	}
	id := ids.New(nil, 0, 1, func([]byte) {}) // as the server makes it, with random bytes
	server, err := balancer.AppendServerID(nil, id)
	fmt.Printf("%d bytes, server %x, %v\n", len(id), server, err)
	_, err = balancer.AppendServerID(nil, []byte("a client's"))
	fmt.Println(err)
	// Output:
	// 17 bytes, server 1234, <nil>
	// quiclb: the connection ID says no server
}
