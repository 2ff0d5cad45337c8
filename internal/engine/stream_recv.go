package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// recvState is the state of a stream's receiving half (RFC 9000, Section 3.2):
//
//	      o
//	      | create
//	      v
//	+-------+
//	| Recv  | reset
//	|       |-----------------------.
//	+-------+                       |
//	    | fin                       |
//	    v                           |
//	+-------+                       |
//	| Size  | reset                 |
//	| Known |---------------------->|
//	+-------+                       |
//	    | all data                  |
//	    v                           v
//	+-------+ reset             +-------+
//	| Data  |--- stays          | Reset |
//	| Recvd |                   | Recvd |
//	+-------+                   +-------+
//	    | app read all              | app told
//	    v                           v
//	+-------+                   +-------+
//	| Data  |                   | Reset |
//	| Read  |                   | Read  |
//	+-------+                   +-------+
type recvState uint8

const (
	recvAbsent recvState = iota // a stream that only sends
	recvRecv
	recvSizeKnown
	recvDataRecvd
	recvDataRead
	recvResetRead // Reset Recvd too: the application learns of it at once
	numRecvStates
)

type recvEvent uint8

const (
	recvEventFin recvEvent = iota
	recvEventAll
	recvEventReset
	recvEventRead
	numRecvEvents
)

// recvTable gives the next state; the zero value stands for "stays".
var recvTable = [numRecvStates][numRecvEvents]recvState{
	recvRecv: {
		recvEventFin:   recvSizeKnown,
		recvEventAll:   recvDataRecvd,
		recvEventReset: recvResetRead,
		recvEventRead:  recvDataRead,
	},
	recvSizeKnown: {
		recvEventAll:   recvDataRecvd,
		recvEventReset: recvResetRead,
		recvEventRead:  recvDataRead,
	},
	recvDataRecvd: {
		recvEventRead: recvDataRead,
	},
}

// ended reports whether nothing more can happen.
func (s recvState) ended() bool {
	return s == recvAbsent || s == recvDataRead || s == recvResetRead
}

// recvHalf is the engine's side of receiving on a stream.
type recvHalf struct {
	buf streambuf.RecvBuffer
	recvProgress
}

// recvProgress is a receiving half without its buffer.
type recvProgress struct {
	state     recvState
	discard   bool // the application does not want the data
	abandoned bool // bytes not read are counted as consumed
	sizeKnown bool
	window    recvWindow
	highest   uint64       // end of the data received, and the size once known
	update    sentVal      // MAX_STREAM_DATA
	stop      *stopSending // nil when nothing is to be stopped
	cut       *recvCut     // by RESET_STREAM_AT
}

// stopSending is a STOP_SENDING frame that the peer must learn of.
type stopSending struct {
	val  sentVal
	code uint64
}

// recvCut is what RESET_STREAM_AT leaves of a stream.
type recvCut struct{ reliable, code uint64 }

// to follows the table and reports whether the state changed.
func (h *recvHalf) to(e recvEvent) bool {
	next := recvTable[h.state][e]
	if next == recvAbsent {
		return false
	}
	h.state = next
	return true
}

// setNotify makes the reader tell when half of the window is consumed.
func (h *recvHalf) setNotify() {
	h.buf.SetNotify(h.window.max - h.window.window/2)
}

// extend counts data or a final size that reach offset end, against both
// windows and an earlier final size (RFC 9000, Sections 4.1 and 4.5).
func (c *Conn) extend(s *Stream, end uint64, fin bool, t wire.FrameType) *TransportError {
	h := s.in
	if h.sizeKnown && (end > h.highest || fin && end != h.highest) || fin && end < h.highest {
		return protocolError(wire.FinalSizeError, t, "data beyond the stream's end, or two ends")
	}
	if end > h.window.max {
		return protocolError(wire.FlowControlError, t, "more data than the stream's limit")
	}
	if end > h.highest {
		if err := c.flow.receive(end - h.highest); err != nil {
			return err
		}
		if h.discard {
			c.flow.forgo(end - h.highest)
		}
		h.highest = end
	}
	if fin && !h.sizeKnown {
		h.sizeKnown = true
		s.in.buf.SetSize(h.highest)
	}
	return nil
}

// handleStream takes a STREAM frame (RFC 9000, Section 19.8).
func (c *Conn) handleStream(f *wire.Stream) *TransportError {
	s, err := c.receiveStream(f.ID, wire.FrameStream)
	if s == nil || err != nil {
		return err
	}
	end := f.Offset + uint64(len(f.Data))
	if err := c.extend(s, end, f.Fin, wire.FrameStream); err != nil {
		return err
	}
	if s.in.state.ended() || s.in.state == recvDataRecvd {
		return nil
	}
	if f.Fin {
		s.toRecv(recvEventFin)
		s.in.stop = nil // nothing left to stop
	}
	if s.in.discard {
		if s.in.sizeKnown {
			s.discarded()
		}
		return nil
	}
	readable, ok := s.in.buf.Insert(f.Offset, f.Data, f.Fin)
	if !ok {
		return protocolError(wire.InternalError, wire.FrameStream, "stream data in too many pieces")
	}
	if readable {
		if s.in.sizeKnown && s.in.buf.Received() {
			s.toRecv(recvEventAll)
		}
		s.readable()
	}
	return nil
}

// handleResetStream takes a RESET_STREAM frame (RFC 9000, Section 19.4). What has
// arrived in order before it and was not read yet stays readable, then the reader
// learns of the reset: Section 3.2 leaves the choice, and a reset that comes with the
// first bytes would hide what stream it was. They stay counted against the windows,
// and the stream counts as open, until they are read or nobody wants them.
func (c *Conn) handleResetStream(now monotime.Time, f *wire.ResetStream) *TransportError {
	s, err := c.receiveStream(f.ID, wire.FrameResetStream)
	if s == nil || err != nil {
		return err
	}
	if err := c.extend(s, f.FinalSize, true, wire.FrameResetStream); err != nil {
		return err
	}
	if read, end := s.in.buf.Readable(); end > read && !s.in.discard && !s.in.state.ended() && s.in.state != recvDataRecvd {
		c.cutStream(s, &wire.ResetStreamAt{ResetStream: *f, ReliableSize: end})
		return nil
	}
	if !s.toRecv(recvEventReset) {
		return nil // everything had arrived before
	}
	s.in.stop = nil
	c.abandon(now, s, resetError(s.ID, f.Code))
	s.readable()
	s.finish()
	return nil
}

// discarded ends the receiving half of a stream that nobody reads, now that its
// final size is known.
func (s *Stream) discarded() {
	if s.toRecv(recvEventRead) {
		s.readable()
		s.finish()
	}
}

// abandon ends reading with err; bytes that nobody will read count as
// consumed for the connection's window.
func (c *Conn) abandon(now monotime.Time, s *Stream, err error) {
	if s.in.abandoned {
		return
	}
	s.in.abandoned = true
	read := s.in.buf.Fail(err)
	c.flow.collect(now, c)
	c.flow.forgo(s.in.toBeRead(read) - read)
}
