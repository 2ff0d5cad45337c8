package recovery

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Space is the sending side of one packet number space. Use NewSpace.
type Space struct {
	ring             sentRing
	next             wire.PacketNumber // the next number to be used
	largestAcked     wire.PacketNumber
	lossTime         monotime.Time // when the earliest overtaken packet is lost
	lastAckEliciting monotime.Time // when the last ack-eliciting packet went out
	ackEliciting     int32         // ack-eliciting packets with no news
	aside            int32         // those among them that are PathProbes
}

// NewSpace returns a space in which nothing was sent.
func NewSpace() Space { return Space{largestAcked: wire.NoPacket} }

// Next returns the number the next packet will carry.
func (s *Space) Next() wire.PacketNumber { return s.next }

// LargestAcked returns the largest number the peer acknowledged, or NoPacket.
func (s *Space) LargestAcked() wire.PacketNumber { return s.largestAcked }

// AckEliciting returns how many ack-eliciting packets wait for news.
func (s *Space) AckEliciting() int { return int(s.ackEliciting) }

// Full reports that no more packets may be sent until there is news of some: limit
// of them wait, or very many that need no acknowledgment.
func (s *Space) Full(limit int) bool {
	return int(s.ring.count) >= limit || s.ring.quiet >= maxQuietTracked
}

// Begin reserves the next number and returns its record to be filled in. It
// is followed by Detector.OnSent or Cancel before the next Begin.
func (s *Space) Begin() *Sent { return s.ring.push(s.next) }

// Cancel gives the number reserved by Begin back.
func (s *Space) Cancel() {
	s.ring.count--
	s.ring.at(s.next).state = sentNone
}

// Skip leaves one packet number unused, so that a peer that acknowledges
// packets it did not receive is caught (RFC 9000, Section 21.4).
func (s *Space) Skip() {
	s.ring.push(s.next).state = sentSkipped
	s.next++
}
