package http3

import (
	"bytes"
	"io"
)

// blockedHeader is a header section that waits for insertions into the dynamic
// table, and what was read beyond it. The rest of the stream stays where flow
// control counts it (RFC 9204, Section 2.2.1).
type blockedHeader struct{ section, rest []byte }

// park keeps the request's header section until its insertions have arrived.
func (x *exchange) park(section, rest []byte) {
	x.waited = true
	x.blocked = &blockedHeader{bytes.Clone(section), bytes.Clone(rest)}
	if !x.holdHeader(len(section) + len(rest)) {
		x.reject()
		return
	}
	parked, err := x.conn.state.Decoder().Park(&x.body.sections, x.blocked.section, x)
	switch {
	case err != nil:
		x.refuse(err)
	case parked:
		x.awaitHeader()
	default:
		x.HandleUnblocked()
	}
}

// HandleUnblocked is called on the loop when the insertions have arrived.
func (x *exchange) HandleUnblocked() {
	h := x.blocked
	if h == nil {
		return // the request was given up
	}
	x.blocked = nil
	sc := getScratch()
	defer sc.release()
	x.begin(sc, h.section, h.rest)
}

// checkBlocked looks whether a request that waits was reset, perhaps after content
// that nobody will read before the header section.
func (x *exchange) checkBlocked() {
	if x.stream.PeerReset() != nil {
		x.abandon()
	} else if _, err := x.stream.TryRead(nil); err != nil && err != io.EOF {
		x.abandon()
	}
}

// giveUp ends decoding for a request that no handler has seen.
func (x *exchange) giveUp() {
	x.headerArrived()
	x.blocked = nil
	x.body.abandon()
}

// park keeps the response's header section until its insertions have arrived.
func (p *pendingTunnel) park(section, rest []byte) {
	p.blocked = &blockedHeader{bytes.Clone(section), bytes.Clone(rest)}
	parked, err := p.conn.state.Decoder().Park(&p.body.sections, p.blocked.section, p)
	switch {
	case err != nil:
		p.punish(err)
	case !parked:
		p.HandleUnblocked()
	}
}

// HandleUnblocked is called on the loop when the insertions have arrived.
func (p *pendingTunnel) HandleUnblocked() {
	h := p.blocked
	if h == nil {
		return // the request was given up
	}
	p.blocked = nil
	sc := getScratch()
	defer sc.release()
	if err := p.handleHeader(sc, h.section, h.rest); err != nil {
		p.punish(err)
	} else if p.takePieces(sc, h.rest) {
		p.HandleReadable(p.stream)
	}
}
