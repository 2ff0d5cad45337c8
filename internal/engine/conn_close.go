package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// closeState is what there is to know of a connection that has ended (RFC 9000,
// Section 10).
type closeState struct {
	err      error
	frame    wire.ConnectionClose
	pending  bool // a CONNECTION_CLOSE must be sent
	received uint64
	answerAt uint64 // the packet received that is answered next
	credit   int    // bytes that answers may take
	size     int    // of an answer, in bytes

	lastWords int // bytes that may leave before it, while the connection is not closing yet
}

// maxLastWords bounds what may leave before a CONNECTION_CLOSE: several round trips'
// worth of control frames and messages, but no bulk transfer.
const maxLastWords = 256 << 10

// closePeriod is how long a closed connection answers or ignores late packets,
// in probe timeouts (RFC 9000, Section 10.2).
const closePeriod = 3

// maxReasonLen bounds the reason phrase so that it fits into one packet.
const maxReasonLen = 512

// Close ends the connection with an application's code and reason. What was
// written and not yet acknowledged may be lost. Closing twice does nothing.
func (c *Conn) Close(now monotime.Time, code uint64, reason string) {
	c.close(now, &ApplicationError{Code: code, Reason: reason},
		wire.ConnectionClose{App: true, Code: code, Reason: []byte(reason)})
}

// CloseAfterSending is Close that lets leave first what was written before and may be
// sent now, as far as the windows allow, up to maxLastWords: what PollTransmit returns
// before it runs dry, and then CONNECTION_CLOSE. Nothing is received any more.
func (c *Conn) CloseAfterSending(now monotime.Time, code uint64, reason string) {
	if c.state != stateEstablished && !c.earlyOpen() {
		c.Close(now, code, reason)
		return
	}
	if c.end == nil {
		c.end = &closeState{
			err:       &ApplicationError{Code: code, Reason: reason},
			frame:     wire.ConnectionClose{App: true, Code: code, Reason: []byte(reason)},
			lastWords: maxLastWords,
		}
	}
}

// leaving reports whether the connection will close when it has nothing to send now.
func (c *Conn) leaving() bool { return c.end != nil && c.state < stateClosing }

// leave closes a connection that has had its last words.
func (c *Conn) leave(now monotime.Time) { c.close(now, c.end.err, c.end.frame) }

// Fail ends the connection with a transport error.
func (c *Conn) Fail(now monotime.Time, err *TransportError) { c.fail(now, err) }

// Evict ends the connection because memory is used up, of which it holds much and
// makes no use. What was received and not read is dropped, too. It reports whether
// the connection had not ended before.
func (c *Conn) Evict(now monotime.Time) bool {
	if c.state >= stateClosing {
		return false
	}
	err := &TransportError{Code: wire.InternalError, Reason: "memory is used up, and this connection holds much that does not move"}
	for s := range c.streams.table.all() {
		s.in.buf.Fail(err)
	}
	c.fail(now, err)
	return true
}

// fail ends the connection with a transport error.
func (c *Conn) fail(now monotime.Time, err *TransportError) {
	c.close(now, err, wire.ConnectionClose{Code: uint64(err.Code), FrameType: err.Frame, Reason: []byte(err.Reason)})
}

func (c *Conn) close(now monotime.Time, err error, frame wire.ConnectionClose) {
	if c.state >= stateClosing {
		return
	}
	frame.Reason = frame.Reason[:min(len(frame.Reason), maxReasonLen)]
	c.end = &closeState{err: err, frame: frame, pending: true, answerAt: 1}
	c.enter(now, stateClosing, err)
}

// handleClose takes a CONNECTION_CLOSE frame. One that stands for an application's before the
// handshake is confirmed waits for the end of its datagram: the application's own may be in a
// 1-RTT packet behind it (RFC 9000, Section 10.2.3).
func (c *Conn) handleClose(in *incoming, f *wire.ConnectionClose) {
	if in.space != wire.AppSpace && !f.App && wire.ErrorCode(f.Code) == wire.ApplicationError {
		hidden := *f
		c.hs.peerClose = &hidden
		return
	}
	c.peerClosed(in.now, f)
}

// settlePeerClose ends the connection if the peer has closed it in the datagram that was
// handled, and given no other reason.
func (c *Conn) settlePeerClose(now monotime.Time) {
	if c.hs == nil || c.hs.peerClose == nil {
		return
	}
	if f := c.hs.peerClose; c.state < stateClosing {
		c.peerClosed(now, f)
	}
	c.hs.peerClose = nil
}

// peerClosed ends the connection as the peer has: nothing more is sent (RFC 9000,
// Section 10.2.2).
func (c *Conn) peerClosed(now monotime.Time, f *wire.ConnectionClose) {
	var err error = &TransportError{Code: wire.ErrorCode(f.Code), Frame: f.FrameType, Reason: string(f.Reason), Remote: true}
	if f.App {
		err = &ApplicationError{Code: f.Code, Reason: string(f.Reason), Remote: true}
	}
	c.end = &closeState{err: err}
	c.enter(now, stateDraining, err)
}

// closeSilently ends the connection without a word and at once: the peer is
// gone, or never was.
func (c *Conn) closeSilently(now monotime.Time, err error) {
	c.end = &closeState{err: err}
	c.enter(now, stateDraining, err)
	c.Release(now)
}

// enter ends everything but the closing itself.
func (c *Conn) enter(now monotime.Time, state connState, err error) {
	c.state = state
	period := closePeriod * c.loss.PTO()
	if limit := c.config.MaxClosingPeriod; limit > 0 {
		period = min(period, limit)
	}
	c.deadlines = deadlines{slotClose: now.Add(period)}
	c.streams.fail(c, err)
	c.events = append(c.events, Event{Kind: EventClosed, Err: err})
	c.traceClosed(now, err)
	if state == stateClosing {
		c.traceState(now, quictrace.StateClosing)
	} else {
		c.traceState(now, quictrace.StateDraining)
	}
	c.tls.Close()
	c.answers = nil
	c.paths.ForgetFallback()
}

// fail ends all streams with the connection's error.
func (ss *streams) fail(c *Conn, err error) {
	for s := range ss.table.all() {
		switch {
		case c.state != stateClosing:
			s.in.buf.FailAfterReceived(err)
		case !s.in.buf.Received():
			s.in.buf.Fail(err) // we closed, and want no more of it
		}
		s.out.buf.Fail(err)
		s.readable()
		s.writable()
	}
	ss.table = streamTable{}
	ss.control, ss.data, ss.held = streamQueue{}, dataQueues{}, nil
}

// Release forgets a connection that has ended, as happens by itself when its
// closing or draining period is over: for drivers that end earlier. It does
// nothing to one that has not ended.
func (c *Conn) Release(now monotime.Time) {
	if c.state != stateClosing && c.state != stateDraining {
		return
	}
	c.state = stateReleased
	c.flow.account.Close()
	c.deadlines = deadlines{}
	c.endpoint.remove(c)
	c.hs = nil
	c.event(EventReleased, nil)
	c.traceState(now, quictrace.StateClosed)
}

// answerWhileClosing repeats CONNECTION_CLOSE to a peer that still sends, now n bytes, ever
// less often (RFC 9000, Section 10.2.1). That these are the peer's nobody looks at any more,
// so that all answers together are no more than what an address may get that is not validated.
func (c *Conn) answerWhileClosing(n int) {
	e := c.end
	e.received++
	e.credit += path.AmplificationFactor * n
	if e.received >= e.answerAt && e.credit >= e.size && !e.pending {
		e.answerAt *= 2
		e.credit -= e.size
		e.pending = true
	}
}

// pollClose sends CONNECTION_CLOSE with all keys the peer may be able to open
// (RFC 9000, Section 10.2.3).
func (c *Conn) pollClose(now monotime.Time, buf []byte) (Transmit, bool) {
	size := min(minDatagramSize, len(buf))
	if !c.end.pending || c.paths.Current.Allowance() < uint64(size) {
		return Transmit{}, false
	}
	c.end.pending = false
	out := buf[:0]
	for level := range wire.Level(wire.NumLevels) {
		if !c.canSeal(level) || level == wire.OneRTTLevel && !c.established() && c.side == wire.ClientSide {
			continue
		}
		var w frameWriter
		if !c.begin(&w, c.paths.Current, level, out, size) {
			continue
		}
		w.b = wire.AppendConnectionClose(w.b, c.closeFrame(w.space))
		w.sent.AckEliciting = false
		if last := level == wire.OneRTTLevel || !c.canSealAfter(level); last && c.canSeal(wire.InitialLevel) {
			w.pad(size - protect.Overhead - len(w.b))
			w.padded = false // not in flight: nobody will acknowledge it
		}
		out = c.finish(now, &w)
	}
	if len(out) == 0 {
		return Transmit{}, false
	}
	c.end.size = len(out)
	t := c.transmit(c.paths.Current, out)
	t.ECN = path.NotECT
	return t, true
}

// canSealAfter reports whether there are keys of a level after another.
func (c *Conn) canSealAfter(l wire.Level) bool {
	for l++; l < wire.NumLevels; l++ {
		if c.canSeal(l) {
			return true
		}
	}
	return false
}

// closeFrame returns the frame for a space: an application's reasons must not
// show before the handshake is complete (RFC 9000, Section 10.2.3).
func (c *Conn) closeFrame(id wire.Space) wire.ConnectionClose {
	if c.end.frame.App && id != wire.AppSpace {
		return wire.ConnectionClose{Code: uint64(wire.ApplicationError)}
	}
	return c.end.frame
}

// Closed reports whether the connection ended, and why.
func (c *Conn) Closed() error {
	if c.state < stateClosing {
		return nil
	}
	return c.end.err
}

// statelessReset: the peer lost its state (RFC 9000, Section 10.3.1).
func (c *Conn) statelessReset(now monotime.Time) {
	if c.state >= stateClosing {
		return
	}
	c.end = &closeState{err: ErrStatelessReset}
	c.enter(now, stateDraining, ErrStatelessReset)
}
