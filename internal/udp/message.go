package udp

import (
	"iter"
	"net/netip"
)

// Message is what one receive slot holds: a datagram, or a train of datagrams
// of one sender that the kernel put together.
type Message struct {
	// Data is the payload of all datagrams, back to back. It lies in the
	// socket's own buffers: valid until the next Recv or TryRecv, and the
	// owner may overwrite it, to decrypt in place. It is empty for an empty
	// datagram.
	Data []byte

	// Segment is the size of each datagram in bytes; only the last may be
	// shorter. It equals len(Data) when there is one.
	Segment int

	// Remote is the sender. IPv4 addresses are never in their IPv4-mapped form.
	Remote netip.AddrPort

	// Local is the address that the datagram was sent to, so that a socket
	// bound to a wildcard can answer from it. It is invalid when the system
	// does not tell.
	Local netip.Addr

	// IfIndex is the interface that the datagram came in by, 0 if unknown.
	IfIndex uint32

	// ECN is the ECN field of the IP header (RFC 3168, Section 5): 0 Not-ECT,
	// 1 ECT(1), 2 ECT(0), 3 CE.
	ECN uint8
}

// Datagrams yields the datagrams of m in the order of their arrival. An empty
// datagram is yielded too, so that it counts against the owner's budget like
// any other. A yielded slice ends where its datagram does: appending to it
// reallocates.
func (m *Message) Datagrams() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest := m.Data
		for len(rest) > m.Segment && m.Segment > 0 {
			if !yield(rest[:m.Segment:m.Segment]) {
				return
			}
			rest = rest[m.Segment:]
		}
		yield(rest[:len(rest):len(rest)])
	}
}

// Count returns the number of datagrams in m, at least 1.
func (m *Message) Count() int { return segments(len(m.Data), m.Segment) }

// segments returns how many datagrams carry size bytes in pieces of segment.
func segments(size, segment int) int {
	if segment <= 0 || size <= segment {
		return 1
	}
	return (size + segment - 1) / segment
}
