package recovery

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// FrameKind says what a Frame record stands for; the engine gives it meaning.
type FrameKind uint8

// Frame remembers one frame of a sent packet: enough to act when the packet
// is acknowledged or lost. It holds no pointer, so that the records cost the
// garbage collector nothing.
type Frame struct {
	Kind   FrameKind
	Fin    bool
	Len    uint32
	ID     uint64 // a stream, a sequence number, …
	Offset uint64
}

type sentState uint8

const (
	sentNone    sentState = iota // acknowledged or lost: its fate was told
	sentWaiting                  // no news yet
	sentSkipped                  // a number never used, to catch optimistic ACKs
)

// Sent is a packet on its way. Its number is its place in its space's record.
type Sent struct {
	Frames []Frame
	SentAt monotime.Time
	departure
	Path  PathID // on which it left
	Bytes uint16 // whole size when it counts as in flight, else 0
	state sentState

	appLimited   bool // the path was, by PathState.limited
	AckEliciting bool
	Underused    bool // the window was not full when it was sent
	Marked       bool // ECT(0), and of the 1-RTT space
	Probe        Probe
}

// Probe says that a packet tries something: its loss is no sign of congestion.
type Probe uint8

const (
	// NoProbe is most packets.
	NoProbe Probe = iota
	// MTUProbe is for a larger MTU (RFC 9000, Section 14.4).
	MTUProbe
	// PathProbe is for a path that was not in use (RFC 9000, Section 9.4). Whether it is
	// answered says nothing about that in use, which it sets no probe timeout for: who
	// sends it has a timer of its own.
	PathProbe
)

// Congests reports whether the packet's loss is a sign of congestion.
func (p *Sent) Congests() bool { return p.AckEliciting && p.Probe == NoProbe }

// maxQuietTracked bounds the packets without ack-eliciting frames that are only
// kept because an ack-eliciting one before them waits, for a peer that
// acknowledges none: beyond it the connection falls silent until an
// acknowledgment comes.
const maxQuietTracked = 1 << 12

// maxQuietPackets bounds the packets kept that need no acknowledgment (those
// with only ACK frames). A peer that never acknowledges such packets is
// within its rights, so they must not pile up.
const maxQuietPackets = 256

// sentRing holds consecutive packet numbers from first on.
type sentRing struct {
	slots []Sent // a power of two, or empty
	first wire.PacketNumber
	count int32
	quiet int32 // packets among them not ack-eliciting
}

func (r *sentRing) at(pn wire.PacketNumber) *Sent {
	return &r.slots[int(pn)&(len(r.slots)-1)]
}

// end returns the number after the last one.
func (r *sentRing) end() wire.PacketNumber { return r.first + wire.PacketNumber(r.count) }

// push makes room for number pn = end() and returns its slot with an empty
// frame list. The slot is valid until the next push.
func (r *sentRing) push(pn wire.PacketNumber) *Sent {
	if r.count == 0 {
		r.first = pn
	}
	if int(r.count) == len(r.slots) {
		r.grow()
	}
	r.count++
	s := r.at(pn)
	*s = Sent{Frames: s.Frames[:0], state: sentWaiting}
	return s
}

// minSlots is enough for a handshake, and for a connection with a request.
const minSlots = 4

func (r *sentRing) grow() {
	old := *r
	r.slots = make([]Sent, max(minSlots, 2*len(old.slots)))
	for pn := old.first; pn < old.end(); pn++ {
		*r.at(pn) = *old.at(pn)
	}
}

// pop drops the numbers in front whose fate is known.
func (r *sentRing) pop(largestAcked wire.PacketNumber) {
	for r.count > 0 {
		s := r.at(r.first)
		switch {
		case s.state == sentWaiting && s.AckEliciting:
			return
		case s.state == sentWaiting && r.first > largestAcked && r.quiet <= maxQuietPackets:
			return
		case s.state == sentSkipped && r.first > largestAcked && r.quiet <= maxQuietPackets:
			return
		}
		if s.state == sentWaiting {
			r.quiet--
		}
		s.state = sentNone
		r.first++
		r.count--
	}
}
