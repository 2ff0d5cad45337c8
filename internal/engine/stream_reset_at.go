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
	h := &s.in
	if h.cutting && f.Code != h.cutCode {
		return protocolError(wire.StreamStateError, wire.FrameResetStreamAt, "two resets with different codes")
	}
	if h.state == recvDataRecvd && !h.cutting || h.cutting && f.ReliableSize >= h.cut {
		return nil // all arrived before, or nothing less is promised (Section 5.2)
	}
	c.cutStream(s, f)
	return nil
}

// cutStream makes the stream end for its reader at the reliable size.
func (c *Conn) cutStream(s *Stream, f *wire.ResetStreamAt) {
	h := &s.in
	h.to(recvEventFin)
	h.stop.clear()
	read := s.Recv.failAt(f.ReliableSize, resetError(s.ID, f.Code))
	before := h.toBeRead(read)
	h.cutting, h.cut, h.cutCode = true, f.ReliableSize, f.Code
	if !h.abandoned {
		c.flow.forgo(before - h.toBeRead(read))
	}
	if h.discard || read >= f.ReliableSize {
		h.to(recvEventRead)
	} else if s.Recv.received() {
		h.to(recvEventAll)
	}
	s.readable()
	s.finish()
}

// toBeRead returns the offset at which reading will end, as far as that is
// known; what lies beyond counts as consumed.
func (h *recvHalf) toBeRead(read uint64) uint64 {
	if h.cutting {
		return max(h.cut, read)
	}
	return h.highest
}

// reliableSize returns how much of s a reset leaves to be delivered: what the
// application marked, if the peer understands RESET_STREAM_AT.
func (c *Conn) reliableSize(s *Stream) uint64 {
	if !c.peer.resetStreamAt {
		return 0
	}
	return s.Send.reliableSize()
}
