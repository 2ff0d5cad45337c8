package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// feedback is what an ACK frame told, or a time that has passed, of the packets of each
// path that they left on. It is gathered while packets settle, and then told the
// controllers. An endpoint has one, which is empty but while a connection uses it.
type feedback struct {
	paths [path.Max]pathFeedback // as many as there can be estimates
	count int
	sent  congestion.Sent // here, so that it need not be allocated
}

// pathFeedback is that of one path.
type pathFeedback struct {
	estimates *path.Estimates
	congestion.Feedback
	newest      recovery.Newest // of Acked
	newestIndex int
	marked      uint64 // packets acknowledged that left with a mark of ECN
}

// of returns the feedback of a path, of which a packet of so many bytes has just left those
// in flight.
func (f *feedback) of(e *path.Estimates, bytes int) *pathFeedback {
	for i := range f.paths[:f.count] {
		if p := &f.paths[i]; p.estimates == e {
			return p
		}
	}
	p := &f.paths[f.count]
	f.count++
	p.estimates, p.PriorInFlight = e, e.InFlight()+bytes
	return p
}

func (p *pathFeedback) addAcked(pn wire.PacketNumber, s *recovery.Sent) {
	if s.Marked {
		p.marked++
	}
	if s.Bytes == 0 {
		return
	}
	if p.newest.See(pn, s) {
		p.newestIndex = len(p.Acked)
	}
	p.Acked = append(p.Acked, p.estimates.Packet(s))
	p.AckedBytes += int(s.Bytes)
}

func (p *pathFeedback) addLost(s *recovery.Sent) {
	if s.Congests() {
		p.Lost = append(p.Lost, p.estimates.Packet(s))
		p.LostBytes += int(s.Bytes)
	}
}

func (p *pathFeedback) addLate(l *recovery.LatePacket) {
	p.Late = append(p.Late, congestion.Packet{SentAt: time.Duration(l.SentAt), Bytes: int(l.Bytes)})
}

// forget empties f, and keeps its memory.
func (f *feedback) forget() {
	for i := range f.paths[:f.count] {
		p := &f.paths[i]
		*p = pathFeedback{Feedback: congestion.Feedback{Acked: p.Acked[:0], Lost: p.Lost[:0], Late: p.Late[:0]}}
	}
	f.count = 0
}

// tellControllers tells the congestion controllers what was gathered. persistent says that
// of the path in use everything was lost for a long time (RFC 9002, Section 7.6).
func (c *Conn) tellControllers(now monotime.Time, persistent bool) {
	f := &c.endpoint.spare.feedback
	for i := range f.paths[:f.count] {
		p := &f.paths[i]
		e := p.estimates
		if e.Controller == nil || len(p.Acked)+len(p.Lost)+len(p.Late) == 0 && p.Marked == 0 {
			continue
		}
		if len(p.Acked) > 0 {
			p.Rate = e.Rate(now, &p.newest, p.Acked[p.newestIndex])
		}
		p.Persistent = persistent && e == c.paths.Current.Estimates
		e.Stand(now, &p.Feedback)
		e.Controller.OnFeedback(&p.Feedback)
	}
	f.forget()
}
