package loop

import (
	"errors"
	"os"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Neighbor is the loop of another process that has the same socket. Only one of them reads
// it: the successor. What it does not know it passes to its predecessor, which may have the
// connection, and which passes what it does not know to its own predecessor, if there is
// still one, and otherwise back. So a stranger's datagram has been to all of them before the
// last successor answers it, and nobody needs to know what the others' IDs look like.
type Neighbor interface {
	// Pass sends a datagram there, and does not wait: what finds no room is lost. It is
	// called on the loop's goroutine, and does not keep the bytes.
	Pass(engine.Datagram) bool
}

// errCannotShare is why a loop keeps its socket for itself.
var errCannotShare = errors.New("loop: no other process can have a socket of this kind")

// neighbors are a loop's, nil for none.
type neighbors struct {
	predecessor, successor Neighbor
	any                    bool // there is one of them
}

// SetPredecessor makes n who is asked about datagrams that the loop does not know, nil for
// nobody. On the loop's goroutine only.
func (l *Loop) SetPredecessor(n Neighbor) {
	l.neighbors.predecessor = n
	l.neighbors.any = n != nil || l.neighbors.successor != nil
}

// SetSuccessor makes n who reads the socket from now on, and answers strangers; nil for
// nobody. On the loop's goroutine only.
func (l *Loop) SetSuccessor(n Neighbor) {
	l.neighbors.successor = n
	l.neighbors.any = n != nil || l.neighbors.predecessor != nil
}

// SetDeaf makes the loop leave the socket to its neighbor, or read it again. The error says
// that it cannot. On the loop's goroutine only.
func (l *Loop) SetDeaf(deaf bool) error {
	s, ok := l.sock.(interface{ SetDeaf(bool) error })
	if !ok {
		return errCannotShare
	}
	return s.SetDeaf(deaf)
}

// passOn gives a datagram to a neighbor if it is not for a connection here.
func (l *Loop) passOn(d *engine.Datagram) bool {
	if l.endpoint.Knows(d.Data) {
		return false
	}
	// A predecessor that hangs must not keep clients out: their first packets go past it.
	if to := l.neighbors.predecessor; to != nil && (to.Pass(*d) || !opens(d.Data)) {
		return true
	}
	if to := l.neighbors.successor; to != nil {
		to.Pass(*d)
		return true
	}
	return false
}

// opens reports whether a datagram may be a client's first one.
func opens(datagram []byte) bool {
	h, ok := wire.ParseLongHeader(datagram)
	return ok && h.Type == wire.InitialPacket
}

// Asked takes a datagram of the successor, which does not know it. Any goroutine may call
// it; the bytes are the loop's from then on.
func (l *Loop) Asked(d engine.Datagram) {
	l.hand(d, func(d *engine.Datagram) {
		if g, ok := l.guestOf(d.Data); ok {
			g.home.handMessage(&udp.Message{
				Data: d.Data, Segment: len(d.Data), Remote: d.Path.Remote, Local: d.Path.Local, ECN: uint8(d.ECN),
			}, g.socket)
			return
		}
		if l.group == nil || !l.handOver(d) {
			l.take(d)
		}
	})
}

// File returns the loop's socket for another process. Any goroutine may call it.
func (l *Loop) File() (*os.File, error) {
	s, ok := l.sock.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, errCannotShare
	}
	return s.File()
}

// Returned takes a datagram that the predecessor does not know. Any goroutine may call it;
// the bytes are the loop's from then on.
func (l *Loop) Returned(d engine.Datagram) {
	l.hand(d, func(d *engine.Datagram) {
		if to := l.neighbors.successor; to != nil && !l.endpoint.Knows(d.Data) {
			to.Pass(*d)
			return
		}
		l.handleOwn(d)
	})
}
