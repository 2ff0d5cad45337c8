package trace

import "github.com/godwit-quic/godwit/internal/wire"

// frames reads the frames of a packet. It stops at what it does not know.
func (c *Connection) frames(p *Packet, space int, b []byte) {
	for len(b) > 0 {
		t, n := wire.ConsumeFrameType(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if n = c.frame(p, space, t, b); n < 0 {
			return
		}
		b = b[n:]
	}
}

// frame reads a frame, and returns its length, or -1.
func (c *Connection) frame(p *Packet, space int, t wire.FrameType, b []byte) int {
	var (
		ack    wire.Ack
		crypto wire.Crypto
		data   wire.PathData
		stream wire.Stream
		closed wire.ConnectionClose
		n      int
	)
	switch {
	case t.IsStream():
		n = wire.ConsumeStream(t, b, &stream)
		p.Frames.Streams = true
	case t == wire.FrameAck || t == wire.FrameAckECN:
		n = wire.ConsumeAck(t, b, &ack)
		p.Frames.AckECN = p.Frames.AckECN || ack.ECN
	case t == wire.FrameCrypto:
		if n = wire.ConsumeCrypto(b, &crypto); n >= 0 {
			p.Frames.CryptoEnd = max(p.Frames.CryptoEnd, crypto.Offset+uint64(len(crypto.Data)))
			c.takeCrypto(p, space, &crypto)
		}
	case t == wire.FramePathChallenge:
		if n = wire.ConsumePathChallenge(b, &data); n >= 0 {
			p.Frames.Challenges = append(p.Frames.Challenges, data)
		}
	case t == wire.FramePathResponse:
		if n = wire.ConsumePathResponse(b, &data); n >= 0 {
			p.Frames.Responses = append(p.Frames.Responses, data)
		}
	case t == wire.FrameConnectionClose || t == wire.FrameConnectionCloseApp:
		if n = wire.ConsumeConnectionClose(t, b, &closed); n >= 0 {
			p.Frames.CloseCode = &closed.Code
		}
	default:
		n = skip(t, b)
	}
	return n
}

// skip returns the length of a frame that is not looked into, or -1.
func skip(t wire.FrameType, b []byte) int {
	var (
		number  uint64
		id      wire.NewConnectionIDFrame
		token   wire.NewToken
		reset   wire.ResetStream
		resetAt wire.ResetStreamAt
		stop    wire.StopSending
		max     wire.MaxStreamData
		blocked wire.StreamDataBlocked
		dgram   wire.Datagram
	)
	switch t {
	case wire.FramePadding:
		return wire.ConsumePadding(b)
	case wire.FramePing, wire.FrameHandshakeDone:
		return 0
	case wire.FrameNewConnectionID:
		return wire.ConsumeNewConnectionID(b, &id)
	case wire.FrameNewToken:
		return wire.ConsumeNewToken(b, &token)
	case wire.FrameResetStream:
		return wire.ConsumeResetStream(b, &reset)
	case wire.FrameResetStreamAt:
		return wire.ConsumeResetStreamAt(b, &resetAt)
	case wire.FrameStopSending:
		return wire.ConsumeStopSending(b, &stop)
	case wire.FrameMaxStreamData:
		return wire.ConsumeMaxStreamData(b, &max)
	case wire.FrameStreamDataBlocked:
		return wire.ConsumeStreamDataBlocked(b, &blocked)
	case wire.FrameDatagram, wire.FrameDatagramLen:
		return wire.ConsumeDatagram(t, b, &dgram)
	case wire.FrameRetireConnectionID, wire.FrameMaxData, wire.FrameMaxStreamsBidi, wire.FrameMaxStreamsUni,
		wire.FrameDataBlocked, wire.FrameStreamsBlockedBidi, wire.FrameStreamsBlockedUni:
		var n int
		if number, n = wire.ConsumeVarint(b); number > wire.MaxVarint {
			return -1
		}
		return n
	}
	return -1
}
