package attack

import (
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
)

// maxTrain is how many bytes, and maxSegments how many datagrams, are given to the
// kernel in one call at most (UDP_MAX_SEGMENTS).
const (
	maxTrain    = 60_000
	maxSegments = 64
)

// socket sends an attacker's datagrams, trains of equal ones in one call, from any
// address of this machine, and counts what goes and comes.
type socket struct {
	*udp.Socket
	server netip.AddrPort

	train   []byte // datagrams that were not sent yet
	segment int    // the size of each but the last
	count   int
	closed  bool // the last is shorter, so that no other may follow
	from    netip.Addr

	packets, bytes         int // sent
	packetsBack, bytesBack int // received
}

func listen(server netip.AddrPort) (*socket, error) {
	s, err := udp.Listen("0.0.0.0:0", udp.Config{})
	if err != nil {
		return nil, err
	}
	return &socket{Socket: s, server: server}, nil
}

// queue sends a datagram from an address, soon.
func (s *socket) queue(from netip.Addr, b []byte) {
	s.packets++
	s.bytes += len(b)
	if s.count > 0 && (s.closed || from != s.from || len(b) > s.segment || s.count == maxSegments || len(s.train)+len(b) > maxTrain) {
		s.flush()
	}
	if s.count == 0 {
		s.from, s.segment = from, len(b)
	}
	s.closed = len(b) < s.segment || len(b) == 0
	s.train = append(s.train, b...)
	s.count++
}

// flush sends what is queued. What the kernel does not take is lost, as in any
// network.
func (s *socket) flush() {
	if s.count > 0 {
		_ = s.Send(s.train, s.segment, s.server, s.from, 0)
		s.train, s.count = s.train[:0], 0
	}
}

// receive waits for datagrams, no longer than d, and hands over each.
func (s *socket) receive(d time.Duration, handle func(b []byte, to netip.Addr)) error {
	s.flush()
	deadline := time.Now().Add(d)
	msgs, err := s.TryRecv()
	if err == nil && len(msgs) == 0 && d > 0 {
		msgs, err = s.Recv(deadline)
	}
	if err != nil {
		return err
	}
	for i := range msgs {
		for b := range msgs[i].Datagrams() {
			s.packetsBack++
			s.bytesBack += len(b)
			handle(b, msgs[i].Local)
		}
	}
	return nil
}
