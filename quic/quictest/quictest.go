// Package quictest is a network in memory, for tests of programs that use package quic and
// what is built on it, http3 and webtransport:
//
//	network := quictest.NewNetwork(quictest.Link{Delay: 20 * time.Millisecond, Loss: 0.01, Seed: 1})
//	server := &quic.TransportConfig{Sockets: []net.PacketConn{network.Listen("192.0.2.1:443")}}
//	l, err := server.Listen("", serverTLS, nil)
//	…
//	client := &quic.TransportConfig{Sockets: []net.PacketConn{network.Listen("192.0.2.2:5000")}}
//	conn, err := client.Dial(ctx, "192.0.2.1:443", clientTLS, nil)
//
// It needs no sockets, ports or rights, and knows no time but that of package time. So it
// works in the bubbles of testing/synctest, where tests of minutes take milliseconds, and
// of timeouts and losses have the same result on busy machines. Within a bubble, start
// and close transports in it.
package quictest

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/test/memnet"
)

// Link is what every datagram meets on its way from one socket to another. What happens by
// chance comes from Seed: of the datagrams to one address the same ones are lost again, if
// the same are sent.
type Link struct {
	Seed uint64
	// Delay is how long the way takes, and Jitter by how much more it may be.
	Delay, Jitter time.Duration
	// Loss, Duplicate and Reorder are the shares, from 0 to 1, of datagrams that are lost,
	// that arrive twice, and that are held back for up to Delay, but at least up to a
	// millisecond, so that others overtake them.
	Loss, Duplicate, Reorder float64
	// Bandwidth is how many bytes a second each socket gets at most, 0 for any number.
	// Queue is how many bytes may wait for that, and what finds no room is lost; 0 is for
	// what arrives in 100 ms.
	Bandwidth float64
	Queue     int
}

// Network carries datagrams between its sockets. Its methods may be called from any
// goroutine.
type Network struct{ network *memnet.Network }

// defaultQueue is for how long datagrams wait at most where Link.Queue does not say.
const defaultQueue = 100 * time.Millisecond

// NewNetwork returns a network without sockets, whose ways are all like link.
func NewNetwork(link Link) *Network {
	n := &Network{memnet.New(0)}
	n.SetLink(link)
	return n
}

// SetLink changes what the ways are like for what is sent from now on. What chance does
// begins again with the seed.
func (n *Network) SetLink(link Link) {
	if link.Queue <= 0 {
		link.Queue = max(int(link.Bandwidth*defaultQueue.Seconds()), leastQueue)
	}
	n.network.Delay(link.Delay)
	n.network.SetWeather(&memnet.Weather{
		Seed: link.Seed, Loss: link.Loss, Duplicate: link.Duplicate, Jitter: link.Jitter,
		Reorder: link.Reorder, Hold: max(link.Delay, time.Millisecond),
		Bandwidth: link.Bandwidth, Queue: link.Queue,
	})
}

// leastQueue has room for some datagrams, whatever the bandwidth.
const leastQueue = 16 << 10

// Filter makes the network ask keep about each datagram, and lose those for which it
// returns false; nil keeps all. keep may change the datagram but not its length, and must
// not keep it. It is called for one at a time, in the order in which they are sent, and
// must not use the network.
func (n *Network) Filter(keep func(from, to net.Addr, datagram []byte) bool) {
	if keep == nil {
		n.network.Drop(nil)
		return
	}
	n.network.Drop(func(from, to netip.AddrPort, datagram []byte) bool {
		return !keep(net.UDPAddrFromAddrPort(from), net.UDPAddrFromAddrPort(to), datagram)
	})
}

// Listen opens a socket at an address such as "192.0.2.1:443". It panics if that is none,
// or has a socket already: there is nothing that a test could do about it.
func (n *Network) Listen(addr string) net.PacketConn { return newConn(n.network.Listen(parse(addr))) }

// Rebind gives the socket at old another address, as a NAT does to those behind it that
// were quiet for long: others see it there, and it does not know. It panics as Listen does.
func (n *Network) Rebind(old, addr string) { n.network.Rebind(parse(old), parse(addr)) }

func parse(addr string) netip.AddrPort {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		panic(fmt.Sprintf("quictest: %v", err))
	}
	return a
}
