package http3

import (
	"bytes"
	"io"

	"github.com/godwit-quic/godwit/quic"
)

// blockedHeader is a header section that waits for insertions into the dynamic
// table, and what was read beyond it. The rest of the stream stays where flow
// control counts it (RFC 9204, Section 2.2.1).
type blockedHeader struct{ section, rest []byte }

// park keeps the request's header section until its insertions have arrived.
func (x *exchange) park(t *quic.Turn, section, rest []byte) {
	x.waited = true
	x.blocked = &blockedHeader{bytes.Clone(section), bytes.Clone(rest)}
	if !x.holdHeader(t, len(section)+len(rest)) {
		x.reject(t)
		return
	}
	parked, err := x.conn.state.Decoder().Park(&x.body.sections, x.blocked.section, x)
	switch {
	case err != nil:
		x.refuse(t, err)
	case parked:
		x.awaitHeader(t)
	default:
		x.unblocked(t)
	}
}

// HandleUnblocked is called when the insertions have arrived, on any goroutine.
func (x *exchange) HandleUnblocked() { x.conn.qc.Run(x.unblocked) }

// unblocked goes on with the header section.
func (x *exchange) unblocked(t *quic.Turn) {
	h := x.blocked
	if h == nil {
		return // the request was given up
	}
	x.blocked = nil
	sc := getScratch()
	defer sc.release()
	x.begin(t, sc, h.section, h.rest)
}

// checkBlocked looks whether a request that waits can still be read. That it was reset
// after content which nobody will read before the header section, HandleEnd tells.
func (x *exchange) checkBlocked(t *quic.Turn) {
	if _, err := t.Read(x.ref, nil); err != nil && err != io.EOF {
		x.abandon(t)
	}
}

// giveUp ends decoding for a request that no handler has seen.
func (x *exchange) giveUp(t *quic.Turn) {
	x.reading = false
	x.headerArrived(t)
	x.blocked = nil
	x.body.abandon()
	x.unused.Store(true)
}

// park keeps the response's header section until its insertions have arrived.
func (p *pendingTunnel) park(t *quic.Turn, section, rest []byte) {
	p.blocked = &blockedHeader{bytes.Clone(section), bytes.Clone(rest)}
	parked, err := p.conn.state.Decoder().Park(&p.body.sections, p.blocked.section, p)
	switch {
	case err != nil:
		p.punish(t, err)
	case !parked:
		p.unblocked(t)
	}
}

// HandleUnblocked is called when the insertions have arrived, on any goroutine.
func (p *pendingTunnel) HandleUnblocked() { p.conn.qc.Run(p.unblocked) }

// unblocked goes on with the header section.
func (p *pendingTunnel) unblocked(t *quic.Turn) {
	h := p.blocked
	if h == nil {
		return // the request was given up
	}
	p.blocked = nil
	sc := getScratch()
	defer sc.release()
	if err := p.handleHeader(t, sc, h.section, h.rest); err != nil {
		p.punish(t, err)
	} else if p.takePieces(t, sc, h.rest) {
		p.HandleReadable(t, p.ref)
	}
}
