package memnet_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/test/memnet"
)

// A train of three datagrams, of which the network loses the second.
func Example() {
	network := memnet.New(time.Millisecond)
	a := network.Listen(netip.MustParseAddrPort("192.0.2.1:1"))
	b := network.Listen(netip.MustParseAddrPort("192.0.2.2:2"))
	network.Drop(func(_, _ netip.AddrPort, datagram []byte) bool { return datagram[0] == 's' })
	if err := a.Send([]byte("godwitsflyfar"), 6, b.LocalAddr(), netip.Addr{}, 0); err != nil {
		fmt.Println(err)
	}
	for seen := 0; seen < 2; {
		msgs, err := b.Recv(time.Time{})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, m := range msgs {
			fmt.Printf("%s from %v\n", m.Data, m.Remote)
			seen++
		}
	}
	// Output:
	// godwit from 192.0.2.1:1
	// r from 192.0.2.1:1
}
