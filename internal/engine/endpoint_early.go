package engine

import (
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Bounds on strays: 0-RTT packets that overtake the Initial packet in front of them are kept for a moment
// (RFC 9000, Section 5.2.2): all endpoints' clients together have no more than this, and
// who is pushed out sends again.
const (
	maxStrayPackets  = 64
	MaxStrayBytes    = 64 << 10
	maxStraysOfOne   = 8 // packets to one connection ID
	strayLifetime    = 250 * time.Millisecond
	maxStrayDatagram = 2048 // bytes: longer ones are not what a path carries in a client's first flight
)

// strays are 0-RTT packets without a connection, the oldest first.
type strays struct {
	list  []stray
	bytes int
}

type stray struct {
	to       wire.ConnectionID
	at       monotime.Time
	datagram Datagram
}

// keep keeps a copy of a datagram that begins with a 0-RTT packet.
func (s *strays) keep(now monotime.Time, d *Datagram, to wire.ConnectionID) {
	n := 0
	for i := range s.list {
		if s.list[i].to == to {
			n++
		}
	}
	if n == maxStraysOfOne || len(d.Data) > maxStrayDatagram {
		return
	}
	copied := *d
	copied.Data = slices.Clone(d.Data)
	s.list = append(s.list, stray{to, now, copied})
	s.bytes += len(copied.Data)
	for len(s.list) > maxStrayPackets || s.bytes > MaxStrayBytes || now.Sub(s.list[0].at) > strayLifetime {
		s.bytes -= len(s.list[0].datagram.Data)
		s.list = slices.Delete(s.list, 0, 1)
	}
}

// take returns those to an ID that came from an address not too long ago, and forgets them.
func (s *strays) take(now monotime.Time, d *Datagram, to wire.ConnectionID) (found []Datagram) {
	s.list = slices.DeleteFunc(s.list, func(x stray) bool {
		if x.to != to && now.Sub(x.at) <= strayLifetime {
			return false
		}
		s.bytes -= len(x.datagram.Data)
		if x.to == to && x.datagram.Path == d.Path && now.Sub(x.at) <= strayLifetime {
			found = append(found, x.datagram)
		}
		return true
	})
	if len(s.list) == 0 {
		s.list = nil
	}
	return found
}
