package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// ecnState marks packets ECT(0) while the path and the peer handle the marks
// properly (RFC 9000, Section 13.4.2).
type ecnState struct {
	failed   bool
	sent     uint64 // 1-RTT packets sent with a mark
	ect0, ce uint64 // what the peer has counted of them
}

// mark returns what to put on outgoing packets.
func (e *ecnState) mark() ECN {
	if e.failed {
		return ecnNotECT
	}
	return ecnECT0
}

// handleECN validates the counts of an ACK frame that newly acknowledged
// packets of the 1-RTT space, and reports congestion (RFC 9000,
// Section 13.4.2.1, RFC 9002, Section 7.1). newly is the number of marked
// packets newly acknowledged.
func (c *Conn) handleECN(now, sentAt monotime.Time, ack *wire.Ack, newly uint64) {
	e := &c.ecn
	if e.failed || newly == 0 {
		return
	}
	n := &ack.Counts
	if !ack.ECN || n.ECT0 < e.ect0 || n.CE < e.ce || n.ECT1 != 0 ||
		n.ECT0-e.ect0+n.CE-e.ce < newly || n.ECT0 > e.sent {
		e.failed = true
		return
	}
	if n.CE > e.ce {
		c.cc.OnECN(now, sentAt)
	}
	e.ect0, e.ce = n.ECT0, n.CE
}
