package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// incoming is the packet whose frames are being handled.
type incoming struct {
	now          monotime.Time
	space        wire.Space
	packet       wire.PacketType
	pn           wire.PacketNumber
	datagram     *Datagram
	dst          *wire.ConnectionID
	ackEliciting bool // a frame asked for an acknowledgment
	probing      bool // all frames are probing frames (RFC 9000, Section 9.1)
}

// handleFrames walks the frames of a packet (RFC 9000, Section 12.4).
func (c *Conn) handleFrames(in *incoming, b []byte) *TransportError {
	if len(b) == 0 {
		return protocolError(wire.ProtocolViolation, 0, "packet without frames")
	}
	in.probing = true
	for len(b) > 0 && c.state < stateClosing {
		t, n := wire.ConsumeFrameType(b)
		if n < 0 {
			return frameTypeError(b)
		}
		if !wire.AllowedIn(t, in.packet) {
			if unknownFrame(t) {
				return protocolError(wire.FrameEncodingError, t, "unknown frame type")
			}
			return protocolError(wire.ProtocolViolation, t, "frame not allowed in this packet")
		}
		if t == wire.FrameRetireConnectionID && in.packet == wire.ZeroRTTPacket { // Section 12.5
			return protocolError(wire.ProtocolViolation, t, "retires a connection ID before it can have any")
		}
		in.ackEliciting = in.ackEliciting || t.AckEliciting()
		in.probing = in.probing && isProbing(t)
		b = b[n:]
		n, err := c.handleFrame(in, t, b)
		if err != nil {
			return err
		}
		if n < 0 {
			return protocolError(wire.FrameEncodingError, t, "malformed frame")
		}
		b = b[n:]
	}
	return nil
}

// frameTypeError tells what is wrong with the frame type at the beginning of b:
// it is cut off, or not in its shortest form (RFC 9000, Section 12.4).
func frameTypeError(b []byte) *TransportError {
	if _, n := wire.ConsumeVarint(b); n < 0 {
		return protocolError(wire.FrameEncodingError, 0, "truncated frame type")
	}
	return protocolError(wire.ProtocolViolation, 0, "frame type longer than necessary")
}

// unknownFrame reports whether no specification known here defines t.
func unknownFrame(t wire.FrameType) bool {
	return t > wire.FrameHandshakeDone && t != wire.FrameResetStreamAt && t != wire.FrameDatagram && t != wire.FrameDatagramLen
}

// isProbing reports whether a frame may be sent on a path not yet in use
// (RFC 9000, Section 9.1).
func isProbing(t wire.FrameType) bool {
	switch t {
	case wire.FramePadding, wire.FramePathChallenge, wire.FramePathResponse, wire.FrameNewConnectionID:
		return true
	}
	return false
}

// handleFrame takes one frame, whose bytes after its type begin b, and returns
// how many it used, -1 when they are malformed.
func (c *Conn) handleFrame(in *incoming, t wire.FrameType, b []byte) (n int, err *TransportError) {
	if t >= wire.FrameStream && t <= wire.FrameStream|0x07 {
		var f wire.Stream
		if n = wire.ConsumeStream(t, b, &f); n >= 0 {
			err = c.handleStream(&f)
		}
		return n, err
	}
	switch t {
	case wire.FramePadding:
		n = wire.ConsumePadding(b)
	case wire.FramePing:
		if in.space != wire.AppSpace && c.side == wire.ServerSide {
			c.hurryHandshake(in.now) // a client whose probe has nothing else to say still waits for us
		}
	case wire.FrameAck, wire.FrameAckECN:
		var f wire.Ack
		if n = wire.ConsumeAck(t, b, &f); n >= 0 {
			err = c.handleAck(in, &f)
		}
	case wire.FrameCrypto:
		var f wire.Crypto
		if n = wire.ConsumeCrypto(b, &f); n >= 0 {
			err = c.handleCrypto(in.now, in.space, &f)
		}
	case wire.FrameConnectionClose, wire.FrameConnectionCloseApp:
		var f wire.ConnectionClose
		if n = wire.ConsumeConnectionClose(t, b, &f); n >= 0 {
			c.handleClose(in, &f)
		}
	case wire.FrameHandshakeDone:
		err = c.handleHandshakeDone(in.now)
	case wire.FrameNewToken:
		var f wire.NewToken
		if n = wire.ConsumeNewToken(b, &f); n >= 0 {
			err = c.handleNewToken(&f)
		}
	case wire.FrameNewConnectionID:
		var f wire.NewConnectionIDFrame
		if n = wire.ConsumeNewConnectionID(b, &f); n >= 0 {
			err = c.ids.handleNew(c, &f)
		}
	case wire.FrameRetireConnectionID:
		var seq uint64
		if n = wire.ConsumeRetireConnectionID(b, &seq); n >= 0 {
			err = c.ids.handleRetire(c, seq, in.dst)
		}
	case wire.FramePathChallenge:
		var data wire.PathData
		if n = wire.ConsumePathChallenge(b, &data); n >= 0 {
			c.handlePathChallenge(in.now, in.datagram, data)
		}
	case wire.FramePathResponse:
		var data wire.PathData
		if n = wire.ConsumePathResponse(b, &data); n >= 0 {
			c.handlePathResponse(in.now, data)
		}
	default:
		n, err = c.handleFlowFrame(in.now, t, b)
	}
	return n, err
}

// handleFlowFrame takes the frames of flow control and of single streams.
func (c *Conn) handleFlowFrame(now monotime.Time, t wire.FrameType, b []byte) (n int, err *TransportError) {
	var v uint64
	switch t {
	case wire.FrameMaxData:
		if n = wire.ConsumeMaxData(b, &v); n >= 0 {
			c.flow.raise(v)
			c.flow.publish(c.paths.Current.Window())
		}
	case wire.FrameMaxStreamData:
		var f wire.MaxStreamData
		if n = wire.ConsumeMaxStreamData(b, &f); n >= 0 {
			err = c.handleMaxStreamData(&f)
		}
	case wire.FrameMaxStreamsBidi, wire.FrameMaxStreamsUni:
		if n = wire.ConsumeMaxStreams(b, &v); n >= 0 {
			c.streams.raise(c, kindOf(t == wire.FrameMaxStreamsUni), v)
		}
	case wire.FrameResetStream:
		var f wire.ResetStream
		if n = wire.ConsumeResetStream(b, &f); n >= 0 {
			err = c.handleResetStream(now, &f)
		}
	case wire.FrameResetStreamAt:
		var f wire.ResetStreamAt
		if n = wire.ConsumeResetStreamAt(b, &f); n >= 0 {
			err = c.handleResetStreamAt(now, &f)
		}
	case wire.FrameStopSending:
		var f wire.StopSending
		if n = wire.ConsumeStopSending(b, &f); n >= 0 {
			err = c.handleStopSending(&f)
		}
	case wire.FrameStreamDataBlocked:
		var f wire.StreamDataBlocked
		if n = wire.ConsumeStreamDataBlocked(b, &f); n >= 0 {
			_, err = c.receiveStream(f.ID, t)
		}
	case wire.FrameDataBlocked:
		n = wire.ConsumeDataBlocked(b, &v) // windows follow reading, not wishes
	case wire.FrameStreamsBlockedBidi, wire.FrameStreamsBlockedUni:
		n = wire.ConsumeStreamsBlocked(b, &v)
	case wire.FrameDatagram, wire.FrameDatagramLen:
		n, err = c.handleDatagramFrame(t, b)
	default:
		return 0, protocolError(wire.FrameEncodingError, t, "unknown frame type")
	}
	return n, err
}

// handleAck takes an ACK frame (RFC 9000, Section 19.3).
func (c *Conn) handleAck(in *incoming, f *wire.Ack) *TransportError {
	space := c.numberSpace(in.space)
	if space == nil {
		return nil
	}
	before := space.sent.LargestAcked()
	res, ok := c.loss.OnAck(in.now, in.space, f, c.ackDelay(f.Delay, in.space))
	if !ok {
		c.endpoint.spare.feedback.forget()
		return protocolError(wire.ProtocolViolation, wire.FrameAck, "acknowledges a packet that was never sent")
	}
	// An older frame has older counts (RFC 9000, Section 13.4.2.1).
	if res.LargestNew && f.Largest > before && in.space == wire.AppSpace {
		c.handleECN(f, &res)
	}
	c.tellControllers(in.now, res.Persistent)
	if !res.NewlyAcked {
		return nil
	}
	if c.peerValidated() || in.space == wire.HandshakeSpace {
		c.loss.ResetPTO()
	}
	if in.space == wire.HandshakeSpace && c.side == wire.ClientSide && c.hs != nil {
		c.hs.peerValidated = true // RFC 9002, Section 6.2.2.1
	}
	if in.space == wire.AppSpace {
		c.keys.OnAcked(f.Largest)
		if c.provesOneRTT(f.Largest) {
			c.confirm(in.now) // RFC 9001, Section 4.1.2: as good as HANDSHAKE_DONE
		}
	}
	c.traceMetrics(in.now)
	return nil
}

// handleHandshakeDone confirms the handshake for a client (RFC 9001,
// Section 4.1.2).
func (c *Conn) handleHandshakeDone(now monotime.Time) *TransportError {
	if c.side == wire.ServerSide {
		return protocolError(wire.ProtocolViolation, wire.FrameHandshakeDone, "a client sent HANDSHAKE_DONE")
	}
	c.confirm(now)
	return nil
}
