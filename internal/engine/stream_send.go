package engine

import (
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// sendState is the state of a stream's sending half (RFC 9000, Section 3.1).
// Ready and Send are one here: an ID is assigned when the stream is made.
//
//	    o
//	    | create
//	    v
//	+-------+
//	| Ready | reset
//	| Send  |-----------------------.
//	+-------+                       |
//	    | FIN sent                  |
//	    v                           v
//	+-------+                   +-------+
//	| Data  | reset             | Reset |
//	| Sent  |------------------>| Sent  |
//	+-------+                   +-------+
//	    | all acknowledged          | reset acknowledged
//	    v                           v
//	+-------+                   +-------+
//	| Data  |                   | Reset |
//	| Recvd |                   | Recvd |
//	+-------+                   +-------+
type sendState uint8

const (
	sendAbsent sendState = iota // a stream that only receives
	sendSend
	sendDataSent
	sendResetSent
	sendDataRecvd
	sendResetRecvd
	numSendStates
)

type sendEvent uint8

const (
	sendEventFin sendEvent = iota
	sendEventReset
	sendEventAllAcked
	sendEventResetAcked
	numSendEvents
)

// sendTable gives the next state; the zero value stands for "stays".
var sendTable = [numSendStates][numSendEvents]sendState{
	sendSend: {
		sendEventFin:   sendDataSent,
		sendEventReset: sendResetSent,
	},
	sendDataSent: {
		sendEventReset:    sendResetSent,
		sendEventAllAcked: sendDataRecvd,
	},
	sendResetSent: {
		sendEventResetAcked: sendResetRecvd,
	},
}

// ended reports whether nothing more can happen.
func (s sendState) ended() bool {
	return s == sendAbsent || s == sendDataRecvd || s == sendResetRecvd
}

// sendHalf is the engine's side of sending on a stream.
type sendHalf struct {
	buf streambuf.SendBuffer
	sendProgress
}

// sendProgress is a sending half without its buffer.
type sendProgress struct {
	state   sendState
	fin     bool   // the application closed at end
	end     uint64 // written by the application, as far as we were told
	next    uint64 // offset of the next byte never sent
	max     uint64 // the peer's limit
	ackedTo uint64 // bytes below are acknowledged
	quantum uint64 // offset at which another stream has its turn
	gaps    *sendGaps
	finVal  sentVal
	blocked sentVal // STREAM_DATA_BLOCKED
	reset   sentVal // RESET_STREAM, or with reliable RESET_STREAM_AT if the peer understands that
	code    uint64
	// reliable is how much is delivered in spite of the reset
	reliable uint64
}

// sendGaps are what losses and reordering leave behind on a stream. Most streams
// see none.
type sendGaps struct {
	acked  streambuf.RangeSet // above ackedTo
	resend streambuf.RangeSet // sent and lost
}

// maxSendGaps bounds the ranges in each set of sendGaps. Which they are, the peer
// decides with its acknowledgments, and every one makes finding and moving the
// others dearer. As many gaps as a receive buffer here would bear (streambuf.MaxGaps)
// are more than networks make; beyond, the stream forgets which of the bytes in
// flight have arrived, and sends all of them again.
const maxSendGaps = streambuf.MaxGaps

// toResend returns what is to be sent again first.
func (h *sendHalf) toResend() (r streambuf.Range, ok bool) {
	if h.gaps == nil || len(h.gaps.resend) == 0 {
		return r, false
	}
	return h.gaps.resend[0], true
}

// forgoResend: what lies between the offsets is not to be sent again.
func (h *sendHalf) forgoResend(start, end uint64) {
	if h.gaps != nil {
		h.gaps.resend.Sub(start, end)
	}
}

// to follows the table and reports whether the state changed.
func (h *sendHalf) to(e sendEvent) bool {
	next := sendTable[h.state][e]
	if next == sendAbsent {
		return false
	}
	h.state = next
	return true
}

// chunk returns the next range to send and whether FIN goes with it; credit is
// what the connection's limit allows of new bytes.
func (h *sendHalf) chunk(credit uint64) (r streambuf.Range, fin, ok bool) {
	switch h.state {
	case sendSend, sendDataSent:
	case sendResetSent:
		return h.reliableChunk(credit)
	default:
		return r, false, false
	}
	if r, ok = h.toResend(); ok {
		return r, h.fin && r.End == h.end, true
	}
	r = streambuf.Range{Start: h.next, End: min(h.end, h.max, h.next+credit)}
	if r.Start < r.End {
		return r, h.fin && r.End == h.end, true
	}
	if h.fin && h.next == h.end && (!h.finVal.isSet() || h.finVal.due()) {
		return streambuf.Range{Start: h.end, End: h.end}, true, true
	}
	return r, false, false
}

// reliableChunk is chunk after a reset: only what is reliable is sent.
func (h *sendHalf) reliableChunk(credit uint64) (r streambuf.Range, fin, ok bool) {
	if r, ok = h.toResend(); ok {
		return r, false, true
	}
	r = streambuf.Range{Start: h.next, End: min(h.reliable, h.max, h.next+credit)}
	return r, false, r.Start < r.End
}

// wanted returns the end of what should be sent.
func (h *sendHalf) wanted() uint64 {
	switch h.state {
	case sendSend:
		return h.end
	case sendResetSent:
		return h.reliable
	}
	return 0
}

// finalSize is what a reset tells the peer (RFC 9000, Section 4.5).
func (h *sendHalf) finalSize() uint64 { return max(h.next, h.reliable) }

// sent tells that r went out in packet pn; it returns how many bytes were new.
func (h *sendHalf) sent(r streambuf.Range, fin bool, pn wire.PacketNumber) (fresh uint64) {
	h.forgoResend(r.Start, r.End)
	if r.End > h.next {
		fresh = r.End - h.next
		h.next = r.End
	}
	if fin {
		h.finVal.setSent(pn)
		h.to(sendEventFin)
	}
	return fresh
}

// settle takes the fate of a range of data sent in packet pn. It reports
// whether there is something to send again.
func (h *sendHalf) settle(off, end uint64, fin bool, pn wire.PacketNumber, f fate) (again bool) {
	if fin {
		if f == acked {
			h.finVal = valReceived
		} else {
			h.finVal.settle(pn, lost)
		}
	}
	if f == acked && off <= h.ackedTo && (h.gaps == nil || len(h.gaps.acked) == 0) {
		h.ackedTo = max(h.ackedTo, end) // in order: the usual case
		h.forgoResend(off, end)
		return false
	}
	if h.gaps == nil {
		h.gaps = new(sendGaps)
	}
	g := h.gaps
	if f == lost {
		g.resend.AddExcept(max(off, h.ackedTo), min(end, h.sendable()), g.acked)
		h.boundGaps()
		return true
	}
	g.resend.Sub(off, end)
	g.acked.Add(max(off, h.ackedTo), end)
	if front := g.acked.Contiguous(h.ackedTo); front > h.ackedTo {
		h.ackedTo = front
		g.acked.Sub(0, front)
		g.resend.Sub(0, front)
	}
	return h.boundGaps()
}

// sendable is the end of what may still be sent again.
func (h *sendHalf) sendable() uint64 {
	if h.state == sendResetSent {
		return min(h.next, h.reliable)
	}
	return h.next
}

// boundGaps keeps to maxSendGaps. It reports whether there is more to send again.
func (h *sendHalf) boundGaps() (again bool) {
	g := h.gaps
	if len(g.acked) <= maxSendGaps && len(g.resend) <= maxSendGaps {
		return false
	}
	*g = sendGaps{}
	g.resend.Add(h.ackedTo, h.sendable())
	return true
}

// settleStreamData takes the fate of a STREAM frame.
func (c *Conn) settleStreamData(r *sentFrame, pn wire.PacketNumber, f fate) {
	s := c.streams.get(wire.StreamID(r.ID))
	if s == nil || s.out.state.ended() || s.out.state == sendResetSent && s.out.reliable == 0 {
		return
	}
	h := s.out
	before := h.ackedTo
	if h.settle(r.Offset, r.Offset+uint64(r.Len), r.Fin, pn, f) {
		c.streams.queueResend(s)
	}
	if h.ackedTo > before {
		if h.buf.Acknowledge(h.ackedTo) {
			s.writable()
		}
		if s.resetReady() {
			c.streams.queueControl(s) // it may have waited for this
		}
	}
	if f == acked {
		c.checkSent(s)
	}
}

// checkSent ends the sending half once the peer knows all it has to know.
func (c *Conn) checkSent(s *Stream) {
	h := s.out
	if h.finVal.received() && h.ackedTo == h.end && s.toSend(sendEventAllAcked) ||
		h.reset.received() && h.ackedTo >= h.reliable && s.toSend(sendEventResetAcked) {
		c.event(EventStreamSent, s)
		if h.reset.isSet() {
			h.buf.Forget() // else nothing is left
		}
		s.finish()
	}
}

// maxOffset lies beyond every stream's end.
const maxOffset = wire.MaxVarint + 1

// resetSend ends sending with RESET_STREAM; err is what the writer is told.
func (c *Conn) resetSend(s *Stream, code uint64, err error) {
	h := s.out
	if !s.toSend(sendEventReset) {
		return
	}
	h.code = code
	h.reliable = h.buf.ReliableSize()
	h.reset.set()
	h.forgoResend(h.reliable, maxOffset)
	h.buf.FailKeeping(h.finalSize(), err)
	c.streams.queueControl(s)
	c.streams.queueResend(s)
	s.writable()
}

// handleStopSending takes a STOP_SENDING frame: the stream is reset with the
// code given (RFC 9000, Section 3.5).
func (c *Conn) handleStopSending(f *wire.StopSending) *TransportError {
	s, err := c.sendStream(f.ID, wire.FrameStopSending)
	if s == nil || err != nil {
		return err
	}
	c.resetSend(s, f.Code, &StreamError{StreamID: uint64(f.ID), Code: f.Code, Remote: true})
	return nil
}

// handleMaxStreamData takes a MAX_STREAM_DATA frame (RFC 9000, Section 19.10).
func (c *Conn) handleMaxStreamData(f *wire.MaxStreamData) *TransportError {
	s, err := c.sendStream(f.ID, wire.FrameMaxStreamData)
	if s == nil || err != nil || f.Max <= s.out.max {
		return err
	}
	s.out.max = f.Max
	s.out.blocked.clear()
	if s.out.buf.SetLimit(f.Max) {
		s.writable()
	}
	c.streams.queueData(s)
	return nil
}
