package recovery

import (
	"math"
	"math/bits"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// deliveries is what has been delivered on a path, from which rates are measured
// (draft-ietf-ccwg-bbr, Section 4.1.2).
type deliveries struct {
	delivered, lost uint64        // bytes so far; C.delivered and C.lost in the draft
	at              monotime.Time // when delivered last grew: C.delivered_time
	firstSent       monotime.Time // from when on sending counts: C.first_send_time
}

// departure is how the deliveries stood when a packet left, in as few bytes as a record
// can be packed into that every packet on its way has. Counts are what fits into 32 bits,
// as much less is delivered while a packet is on its way.
type departure struct {
	delivered, lost uint32
	inFlight        int32 // with the packet
	deliveredAgo    uint32
	firstSentAgo    uint32 // both in units of agoUnit before the packet was sent
}

// agoUnit lets a departure reach back 275 s, more than an idle timeout, with an error that
// the shortest of round trips does not notice.
const agoUnit = 64 * time.Nanosecond

// ago returns how long before at something was, in units of agoUnit.
func ago(at, before monotime.Time) uint32 {
	return uint32(min(uint64(at.Sub(before)/agoUnit), math.MaxUint32))
}

// departs counts a packet that leaves and has bytes that count.
func (p *PathState) departs(s *Sent) {
	d := &p.deliveries
	if p.inFlight == 0 {
		d.at, d.firstSent = s.SentAt, s.SentAt
	}
	p.inFlight += int32(s.Bytes)
	s.departure = departure{
		delivered: uint32(d.delivered), lost: uint32(d.lost), inFlight: p.inFlight,
		deliveredAgo: ago(s.SentAt, d.at), firstSentAgo: ago(s.SentAt, d.firstSent),
	}
	s.appLimited = p.limited > 0
}

// delivers counts bytes that have arrived.
func (p *PathState) delivers(now monotime.Time, bytes int) {
	if d := &p.deliveries; bytes > 0 {
		d.delivered += uint64(bytes)
		p.limited = max(0, p.limited-int32(bytes))
		d.at = now
	}
}

// Delivered and Lost return how many bytes have arrived on the path, and how many of
// those whose loss is a sign of congestion were lost.
func (p *PathState) Delivered() uint64 { return p.deliveries.delivered }

// Lost is described there.
func (p *PathState) Lost() uint64 { return p.deliveries.lost }

// LimitApp notes that there is less to send than may leave: what has been sent, and what
// will be until that has left the path, says little of how much the path carries.
func (p *PathState) LimitApp() {
	p.limited = p.inFlight + 1
}

// AppLimited reports whether that is so.
func (p *PathState) AppLimited() bool { return p.limited > 0 }

// Packet describes a packet of the path that arrived or was lost, for its controller.
func (p *PathState) Packet(s *Sent) congestion.Packet {
	d := &p.deliveries
	return congestion.Packet{
		SentAt: time.Duration(s.SentAt), Bytes: int(s.Bytes),
		InFlight:       int(s.departure.inFlight),
		TotalDelivered: d.delivered - uint64(uint32(d.delivered)-s.departure.delivered),
		TotalLost:      d.lost - uint64(uint32(d.lost)-s.departure.lost),
		Underused:      s.Underused, AppLimited: s.appLimited,
	}
}

// Newest is the packet that left last of those of a path that an ACK frame acknowledges.
// The zero value has seen none.
type Newest struct {
	number         wire.PacketNumber
	sentAt         monotime.Time
	sinceDelivered time.Duration // at that time, since the last delivery
	sinceFirst     time.Duration // likewise, since sending counts
	seen           bool
}

// See looks at a packet, and reports whether it is the newest so far.
func (n *Newest) See(pn wire.PacketNumber, s *Sent) bool {
	if n.seen && (s.SentAt < n.sentAt || s.SentAt == n.sentAt && pn < n.number) {
		return false
	}
	*n = Newest{pn, s.SentAt, time.Duration(s.deliveredAgo) * agoUnit, time.Duration(s.firstSentAgo) * agoUnit, true}
	return true
}

// Rate returns the sample that an ACK frame gives, all of whose packets of the path have
// been seen; packet is the newest of them (draft-ietf-ccwg-bbr, Section 4.1.2.3).
func (p *PathState) Rate(now monotime.Time, n *Newest, packet congestion.Packet) congestion.Rate {
	d := &p.deliveries
	d.firstSent = n.sentAt
	r := congestion.Rate{
		Packet: packet, RTT: now.Sub(n.sentAt),
		Delivered: int(d.delivered - packet.TotalDelivered),
		Interval:  max(n.sinceFirst, now.Sub(n.sentAt)+n.sinceDelivered),
	}
	if r.Interval >= p.RTT.Min && r.Interval > 0 {
		r.BytesPerSecond = perSecond(uint64(r.Delivered), r.Interval)
	}
	return r
}

// perSecond returns n over a time, for each second.
func perSecond(n uint64, t time.Duration) uint64 {
	hi, lo := bits.Mul64(n, uint64(time.Second))
	if hi >= uint64(t) {
		return math.MaxUint64
	}
	quotient, _ := bits.Div64(hi, lo, uint64(t))
	return quotient
}
