package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// ecnCounts are those of the 1-RTT space. They go on when the path changes, as the
// peer's do (RFC 9000, Section 13.4.2.1).
type ecnCounts struct {
	sent     uint64 // packets sent with a mark
	ect0, ce uint64 // what the peer has counted of them
}

// handleECN validates the counts of an ACK frame that newly acknowledged the largest
// packet of the 1-RTT space, and notes marks of congestion (RFC 9000, Section 13.4.2.1,
// RFC 9002, Section 7.1).
func (c *Conn) handleECN(ack *wire.Ack, res *recovery.AckResult) {
	told := &c.endpoint.spare.feedback
	newly, paths := told.newlyMarked()
	if newly == 0 {
		return
	}
	n, before := &ack.Counts, c.ecn
	if !ack.ECN || n.ECT0 < before.ect0 || n.CE < before.ce || n.ECT1 != 0 ||
		n.ECT0-before.ect0+n.CE-before.ce < newly || n.ECT0 > before.sent {
		c.failECN(paths)
		return
	}
	c.ecn.ect0, c.ecn.ce = n.ECT0, n.CE
	if e := c.paths.Estimates(res.LargestPath); n.CE > before.ce && e != nil {
		p := told.of(e, 0)
		p.Marked, p.MarkedSentAt = n.CE-before.ce, time.Duration(res.LargestSentAt)
	}
}

// newlyMarked returns how many marked packets the ACK frame being handled newly
// acknowledges, and how many paths they left on.
func (f *feedback) newlyMarked() (packets uint64, paths int) {
	for i := range f.paths[:f.count] {
		if marked := f.paths[i].marked; marked > 0 {
			packets += marked
			paths++
		}
	}
	return packets, paths
}

// failECN ends the marks on the path whose packets the counts do not agree with. When
// they left on several, it is not known on which one the marks were lost: then only
// paths that are not in use lose them, and the next ACK frame judges the one that is.
func (c *Conn) failECN(paths int) {
	f := &c.endpoint.spare.feedback
	for i := range f.paths[:f.count] {
		p := &f.paths[i]
		if p.marked > 0 && (paths == 1 || p.estimates != c.paths.Current.Estimates) {
			p.estimates.FailECN()
		}
	}
}
