package engine_test

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// maxClosing is longer than any closing period and handshake timeout here.
const maxClosing = time.Minute

// frame is an encoded frame, type included. STREAM frames that were read have
// an explicit length, whatever they had on the wire.
type frame []byte

func (f frame) kind() wire.FrameType {
	t, _ := wire.ConsumeFrameType(f)
	return t
}

// body is what comes after the type.
func (f frame) body() []byte {
	_, n := wire.ConsumeFrameType(f)
	return f[max(n, 0):]
}

func (f frame) String() string {
	if len(f) > 40 {
		return fmt.Sprintf("%v (%x… %d bytes)", f.kind(), []byte(f[:40]), len(f))
	}
	return fmt.Sprintf("%v (%x)", f.kind(), []byte(f))
}

func (f frame) crypto() (c wire.Crypto) {
	wire.ConsumeCrypto(f.body(), &c)
	return c
}

func (f frame) close() (c wire.ConnectionClose) {
	wire.ConsumeConnectionClose(f.kind(), f.body(), &c)
	return c
}

func (f frame) ackRanges() (r []wire.PacketRange) {
	var a wire.Ack
	wire.ConsumeAck(f.kind(), f.body(), &a)
	for x := range a.Ranges() {
		r = append(r, x)
	}
	return r
}

func (f frame) newConnID() (c wire.NewConnectionIDFrame) {
	wire.ConsumeNewConnectionID(f.body(), &c)
	return c
}

func (f frame) stream() (s wire.Stream) {
	wire.ConsumeStream(f.kind(), f.body(), &s)
	return s
}

// number is the value of a frame that has only one.
func (f frame) number() uint64 {
	v, _ := wire.ConsumeVarint(f.body())
	return v
}

func (f frame) pathData() (d wire.PathData) {
	copy(d[:], f.body())
	return d
}

// splitFrame takes the first frame off b; -1 when it is malformed.
func splitFrame(b []byte) (frame, int) {
	t, head := wire.ConsumeFrameType(b)
	if head < 0 {
		return nil, -1
	}
	n := consumeFrame(t, b[head:])
	if n < 0 {
		return nil, -1
	}
	f := frame(b[: head+n : head+n])
	if t.IsStream() {
		f = wire.AppendStream(nil, f.stream())
	}
	return f, head + n
}

// consumeFrame returns how long the frame of type t is.
func consumeFrame(t wire.FrameType, b []byte) int {
	var v uint64
	switch t {
	case wire.FramePadding:
		return wire.ConsumePadding(b)
	case wire.FramePing, wire.FrameHandshakeDone:
		return 0
	case wire.FrameAck, wire.FrameAckECN:
		return wire.ConsumeAck(t, b, &wire.Ack{})
	case wire.FrameResetStream:
		return wire.ConsumeResetStream(b, &wire.ResetStream{})
	case wire.FrameResetStreamAt:
		return wire.ConsumeResetStreamAt(b, &wire.ResetStreamAt{})
	case wire.FrameStopSending:
		return wire.ConsumeStopSending(b, &wire.StopSending{})
	case wire.FrameDatagram, wire.FrameDatagramLen:
		return wire.ConsumeDatagram(t, b, &wire.Datagram{})
	case wire.FrameCrypto:
		return wire.ConsumeCrypto(b, &wire.Crypto{})
	case wire.FrameMaxStreamData, wire.FrameStreamDataBlocked:
		return wire.ConsumeMaxStreamData(b, &wire.MaxStreamData{})
	case wire.FrameMaxData, wire.FrameDataBlocked, wire.FrameMaxStreamsBidi, wire.FrameMaxStreamsUni,
		wire.FrameStreamsBlockedBidi, wire.FrameStreamsBlockedUni, wire.FrameRetireConnectionID:
		return wire.ConsumeMaxData(b, &v)
	case wire.FrameNewConnectionID:
		return wire.ConsumeNewConnectionID(b, &wire.NewConnectionIDFrame{})
	case wire.FrameNewToken:
		return wire.ConsumeNewToken(b, &wire.NewToken{})
	case wire.FramePathChallenge, wire.FramePathResponse:
		return wire.ConsumePathChallenge(b, &wire.PathData{})
	case wire.FrameConnectionClose, wire.FrameConnectionCloseApp:
		return wire.ConsumeConnectionClose(t, b, &wire.ConnectionClose{})
	}
	if t.IsStream() {
		return wire.ConsumeStream(t, b, &wire.Stream{})
	}
	return -1
}

// The frames a puppet can send.

func padding(n int) frame    { return wire.AppendPadding(nil, n) }
func ping() frame            { return wire.AppendPing(nil) }
func handshakeDone() frame   { return wire.AppendHandshakeDone(nil) }
func maxData(v uint64) frame { return wire.AppendMaxData(nil, v) }
func dataBlocked(v uint64) frame {
	return wire.AppendDataBlocked(nil, v)
}
func retireConnID(seq uint64) frame { return wire.AppendRetireConnectionID(nil, seq) }
func newToken(token string) frame {
	return wire.AppendNewToken(nil, wire.NewToken{Token: []byte(token)})
}

func ack(ranges ...wire.PacketRange) frame { return wire.AppendAck(nil, 1<<16, 0, ranges, nil) }

// ackOne acknowledges the packets from lo to hi.
func ackOne(lo, hi wire.PacketNumber) frame {
	return ack(wire.PacketRange{Smallest: lo, Largest: hi})
}

func crypto(off uint64, data []byte) frame {
	return wire.AppendCrypto(nil, wire.Crypto{Offset: off, Data: data})
}

func stream(id wire.StreamID, off uint64, data string, fin bool) frame {
	return wire.AppendStream(nil, wire.Stream{ID: id, Offset: off, Data: []byte(data), Fin: fin})
}

func resetStream(id wire.StreamID, code, size uint64) frame {
	return wire.AppendResetStream(nil, wire.ResetStream{ID: id, Code: code, FinalSize: size})
}

func stopSending(id wire.StreamID, code uint64) frame {
	return wire.AppendStopSending(nil, wire.StopSending{ID: id, Code: code})
}

func maxStreamData(id wire.StreamID, v uint64) frame {
	return wire.AppendMaxStreamData(nil, wire.MaxStreamData{ID: id, Max: v})
}

func streamDataBlocked(id wire.StreamID, v uint64) frame {
	return wire.AppendStreamDataBlocked(nil, wire.StreamDataBlocked{ID: id, Max: v})
}

func maxStreams(unidirectional bool, v uint64) frame {
	return wire.AppendMaxStreams(nil, unidirectional, v)
}

func streamsBlocked(unidirectional bool, v uint64) frame {
	return wire.AppendStreamsBlocked(nil, unidirectional, v)
}

func newConnID(seq, retirePriorTo uint64, id string) frame {
	f := wire.NewConnectionIDFrame{Seq: seq, RetirePriorTo: retirePriorTo, ID: connID(id), Token: tokenOf(id)}
	return wire.AppendNewConnectionID(nil, &f)
}

// tokenOf is the stateless reset token that goes with the puppet's ID, of at most ten
// bytes: each has its own.
func tokenOf(id string) (t wire.ResetToken) {
	copy(t[:], "token "+id)
	return t
}

func pathChallenge(data string) frame { return wire.AppendPathChallenge(nil, pathData(data)) }
func pathResponse(d wire.PathData) frame {
	return wire.AppendPathResponse(nil, d)
}

func pathData(s string) (d wire.PathData) {
	copy(d[:], s)
	return d
}

func connClose(code uint64) frame {
	return wire.AppendConnectionClose(nil, wire.ConnectionClose{Code: code})
}

func appClose(code uint64) frame {
	return wire.AppendConnectionClose(nil, wire.ConnectionClose{App: true, Code: code})
}

func datagramFrame(data string) frame {
	return wire.AppendDatagram(nil, wire.Datagram{Data: []byte(data)})
}

// connID makes a connection ID of a string.
func connID(s string) wire.ConnectionID {
	id, ok := wire.NewConnectionID([]byte(s))
	if !ok {
		panic("connection ID too long: " + s)
	}
	return id
}
