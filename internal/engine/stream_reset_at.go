package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Resets that leave the beginning of a stream reliable
// (draft-ietf-quic-reliable-stream-reset).

// handleResetStreamAt takes a RESET_STREAM_AT frame (Section 4). It has the
// effect of a FIN for the stream's state: the bytes below ReliableSize are
// still to be delivered, then the reader learns of the reset (Section 5.3).
func (c *Conn) handleResetStreamAt(now monotime.Time, f *wire.ResetStreamAt) *TransportError {
	if f.ReliableSize == 0 {
		return c.handleResetStream(now, &f.ResetStream)
	}
	s, err := c.receiveStream(f.ID, wire.FrameResetStreamAt)
	if s == nil || err != nil || s.in.state.ended() {
		return err
	}
	if err := c.extend(s, f.FinalSize, true, wire.FrameResetStreamAt); err != nil {
		return err
	}
	h := s.in
	if h.cut != nil && f.Code != h.cut.code {
		return protocolError(wire.StreamStateError, wire.FrameResetStreamAt, "two resets with different codes")
	}
	if h.state == recvDataRecvd && h.cut == nil || h.cut != nil && f.ReliableSize >= h.cut.reliable {
		return nil // all arrived before, or nothing less is promised (Section 5.2)
	}
	c.cutStream(s, f)
	return nil
}

// cutStream makes the stream end for its reader at the reliable size.
func (c *Conn) cutStream(s *Stream, f *wire.ResetStreamAt) {
	h := s.in
	s.toRecv(recvEventFin)
	h.stop = nil
	read := s.in.buf.FailAt(f.ReliableSize, resetError(s.ID, f.Code))
	before := h.toBeRead(read)
	h.cut = &recvCut{f.ReliableSize, f.Code}
	if !h.abandoned {
		c.flow.forgo(before - h.toBeRead(read))
	}
	if h.discard || read >= f.ReliableSize {
		s.toRecv(recvEventRead)
	} else if s.in.buf.Received() {
		s.toRecv(recvEventAll)
	}
	s.readable()
	s.finish()
}

// toBeRead returns the offset at which reading will end, as far as that is
// known; what lies beyond counts as consumed.
func (h *recvHalf) toBeRead(read uint64) uint64 {
	if h.cut != nil {
		return max(h.cut.reliable, read)
	}
	return h.highest
}

// PeerResetStreamAt reports whether the peer understands RESET_STREAM_AT, once the
// handshake is complete.
func (c *Conn) PeerResetStreamAt() bool { return c.peer.resetStreamAt }

// resetReady reports whether the reset of s may be sent: when what it leaves to be
// delivered was acknowledged. Peers that do not understand RESET_STREAM_AT throw
// away what they have not read when a reset arrives. Those that do need not wait,
// but do better: to some readers, the last byte that is reliable and the reset come
// in one, and they miss the byte (quic-go's Read returns both, and webtransport-go
// refused 98 % of the streams that were reset at once).
func (s *Stream) resetReady() bool {
	h := s.out
	return h.reset.due() && h.ackedTo >= h.reliable
}

// appendReset writes the reset of s.
func (s *Stream) appendReset(w *frameWriter) {
	h := s.out
	reset := wire.ResetStream{ID: s.ID, Code: h.code, FinalSize: h.finalSize()}
	if h.reliable > 0 && s.conn.peer.resetStreamAt {
		w.b = wire.AppendResetStreamAt(w.b, wire.ResetStreamAt{ResetStream: reset, ReliableSize: h.reliable})
	} else {
		w.b = wire.AppendResetStream(w.b, reset)
	}
	w.record(recResetStream, uint64(s.ID))
	h.reset.setSent(w.pn)
}
