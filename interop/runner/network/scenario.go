// Package network is a network in a process, between clients and a server on the loopback
// interface: it passes UDP datagrams on, late and at a rate, loses and changes some, moves
// clients to other addresses as a NAT does, and remembers what it saw.
package network

import (
	"fmt"
	"time"
)

// Scenario is what a network does. The zero value passes everything on at once. The
// scenarios of the QUIC Interop Runner are those of the QUIC network simulator, whose names
// the fields have: https://github.com/quic-interop/quic-network-simulator.
type Scenario struct {
	Delay time.Duration // in each direction
	Rate  int           // bits a second in each direction, with headers of IP and UDP; 0 for any
	Queue int           // packets that wait for a link that is busy; more are lost

	ToServer, ToClient Weather

	// On is how long after the first packet the network works, before it is dead for Off.
	On, Off time.Duration
	// FirstRebind is when clients get another port after the first packet, 0 for never,
	// RebindEvery how often from then on, and RebindAddr says that they get another IPv4
	// address as well.
	FirstRebind, RebindEvery time.Duration
	RebindAddr               bool

	Seed uint64
}

// Weather is what happens to packets in one direction.
type Weather struct {
	Loss, Corruption float64 // fractions
	Burst            int     // how many in a row are lost, or changed, at most; 0 for any number
	Drop             []int   // the numbers of packets that are lost, the first being 1
}

// String describes the scenario in a few words.
func (s Scenario) String() string {
	text := fmt.Sprintf("%v each way", s.Delay)
	if s.Rate > 0 {
		text += fmt.Sprintf(", %d Mbit/s, queue of %d", s.Rate/1e6, s.Queue)
	}
	if s.ToServer.Loss > 0 || s.ToClient.Loss > 0 {
		text += fmt.Sprintf(", %g %% lost", 100*max(s.ToServer.Loss, s.ToClient.Loss))
	}
	if s.ToServer.Corruption > 0 || s.ToClient.Corruption > 0 {
		text += fmt.Sprintf(", %g %% changed", 100*max(s.ToServer.Corruption, s.ToClient.Corruption))
	}
	if len(s.ToServer.Drop) > 0 {
		text += fmt.Sprintf(", the client's packets %d to %d lost", s.ToServer.Drop[0], s.ToServer.Drop[len(s.ToServer.Drop)-1])
	}
	if s.Off > 0 {
		text += fmt.Sprintf(", dead for %v after %v", s.Off, s.On)
	}
	if s.FirstRebind > 0 {
		what := "port"
		if s.RebindAddr {
			what = "address and port"
		}
		text += fmt.Sprintf(", another %s after %v and every %v", what, s.FirstRebind, s.RebindEvery)
	}
	return text
}
