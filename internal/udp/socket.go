package udp

import (
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	// maxTrainSegments is Linux's UDP_MAX_SEGMENTS of old; newer kernels take
	// more, but no kernel takes fewer.
	maxTrainSegments = 64

	// maxTrainBytes is the largest UDP payload of an IPv4 packet: 65535 less
	// the headers of IP and UDP. A train obeys it as a whole.
	maxTrainBytes = 65535 - 20 - 8

	// sendPatience is how long Send waits for room in the kernel's buffer. A
	// buffer that is still full then belongs to a link far slower than the
	// sender; the datagram is dropped, as the link would have, and the loop's
	// other connections go on.
	sendPatience = 5 * time.Millisecond
)

// Socket is a UDP socket owned by one goroutine. Recv, TryRecv and Send belong
// to the owner; the other methods to everybody.
type Socket struct {
	backend
	local netip.AddrPort
	count *counters
	names *names // of what is no UDP socket; nil otherwise
}

// backend is the part of a Socket that differs between systems. The comments
// are on the methods of Socket.
type backend interface {
	recv(deadline time.Time) ([]Message, error)
	tryRecv() ([]Message, error)
	send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error
	write(data []byte, to netip.AddrPort) error
	newSender() Sender
	setDeaf(bool) error
	wake()
	close() error
	// control calls f with the descriptor.
	control(f func(fd uintptr)) error
}

// LocalAddr returns the address that the socket is bound to, with the port that
// the kernel chose if none was asked for.
func (s *Socket) LocalAddr() netip.AddrPort { return s.local }

// Recv returns what has arrived. When nothing has, it blocks until something
// does, the deadline passes (the zero Time is no deadline) or Wake is called,
// and returns nil, nil in the last two cases. It may also return nil, nil early,
// when a Wake that an earlier Recv has answered was late, so the owner looks at
// its clock and mailbox again rather than conclude which it was.
//
// A deadline in the past makes Recv look once and return. After Close, the
// error is net.ErrClosed. The messages are valid until the next Recv or TryRecv.
func (s *Socket) Recv(deadline time.Time) ([]Message, error) {
	msgs, err := s.recv(deadline)
	s.count.received(msgs)
	return msgs, err
}

// TryRecv is Recv that never blocks. It does not answer a Wake: that makes the
// next Recv return.
func (s *Socket) TryRecv() ([]Message, error) {
	msgs, err := s.tryRecv()
	s.count.received(msgs)
	return msgs, err
}

// Send sends data as a train of datagrams of segment bytes, the last of which
// may be shorter; a segment of zero or of len(data) and more means one datagram.
// A train of more than 64 segments or 65507 bytes goes out in several calls, and without
// GSO each datagram in its own. data is not kept.
//
// The datagrams leave from the address from, if it is valid and of the family
// of to, and with ecn in the ECN field of their IP headers (RFC 3168, Section 5).
//
// Send waits a few milliseconds for room in the kernel's buffer and then drops
// the datagrams, which QUIC repairs; that, and errors that ICMP caused, are
// counted in Stats and not returned. ErrMessageSize, ErrUnreachable and
// net.ErrClosed are returned; then the rest of the train was not sent.
func (s *Socket) Send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error {
	return s.send(data, segment, to, from, ecn)
}

// Write sends one datagram as Send does, by any goroutine. It is for the few that are not
// the owner's.
func (s *Socket) Write(data []byte, to net.Addr) error { return s.write(data, s.addrPort(to)) }

// Sender sends by a Socket beside its owner. It belongs to one goroutine.
type Sender interface {
	// Send is Socket.Send.
	Send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error
}

// Sender returns one of the socket's, for another goroutine than the owner's. Any goroutine
// may call it.
func (s *Socket) Sender() Sender { return s.newSender() }

// SetDeaf makes Recv and TryRecv leave alone what arrives, for another process that has the
// socket as well, and return for the other reasons alone; false ends that. It is the
// owner's, and fails where a second goroutine reads ahead.
func (s *Socket) SetDeaf(deaf bool) error { return s.setDeaf(deaf) }

// File returns the socket for another process, which has it then, too. The caller closes
// what is returned.
func (s *Socket) File() (f *os.File, err error) {
	err = s.withDescriptor(func(fd uintptr) error {
		f, err = duplicate(fd)
		return err
	})
	return f, err
}

// Wake makes the present Recv, or the next one, return. It costs one atomic
// operation unless the owner is blocked.
func (s *Socket) Wake() { s.wake() }

// Stats returns the socket's counters and what the kernel granted it.
func (s *Socket) Stats() Stats { return s.count.snapshot() }

// Close closes the socket; a blocked Recv returns net.ErrClosed.
func (s *Socket) Close() error { return s.close() }

// trainChunk returns how many of size bytes the next call may carry as a train
// of segment bytes, given whether the kernel segments.
func trainChunk(size, segment int, gso bool) int {
	if size <= segment {
		return size
	}
	if !gso {
		return segment
	}
	return min(size, max(1, min(maxTrainSegments, maxTrainBytes/segment))*segment)
}
