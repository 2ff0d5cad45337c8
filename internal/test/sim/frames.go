package sim

import (
	"fmt"
	"strings"

	"github.com/godwit-quic/godwit/internal/wire"
)

// DescribeFrames lists the frames of a payload, up to one that cannot be read.
func DescribeFrames(b []byte) string {
	var names []string
	for len(b) > 0 {
		t, n := wire.ConsumeFrameType(b)
		if n < 0 {
			break
		}
		b = b[n:]
		name, n := describeFrame(t, b)
		names = append(names, name)
		if n < 0 {
			break
		}
		b = b[n:]
	}
	return strings.Join(names, " ")
}

// describeFrame returns a frame as text, and how long it is behind its type.
func describeFrame(t wire.FrameType, b []byte) (text string, n int) {
	switch {
	case t == wire.FramePadding:
		n = wire.ConsumePadding(b)
	case t == wire.FrameAck, t == wire.FrameAckECN:
		var f wire.Ack
		n = wire.ConsumeAck(t, b, &f)
		text = "ACK"
		if n >= 0 {
			for r := range f.Ranges() {
				text += fmt.Sprintf("[%d-%d]", r.Smallest, r.Largest)
			}
		}
		return text, n
	case t == wire.FrameCrypto:
		var f wire.Crypto
		n = wire.ConsumeCrypto(b, &f)
		return fmt.Sprintf("CRYPTO[%d+%d]", f.Offset, len(f.Data)), n
	case t == wire.FrameNewToken:
		n = wire.ConsumeNewToken(b, new(wire.NewToken))
	case t == wire.FrameDatagram, t == wire.FrameDatagramLen:
		var f wire.Datagram
		n = wire.ConsumeDatagram(t, b, &f)
		return fmt.Sprintf("DATAGRAM[%d]", len(f.Data)), n
	case t == wire.FrameConnectionClose, t == wire.FrameConnectionCloseApp:
		var f wire.ConnectionClose
		n = wire.ConsumeConnectionClose(t, b, &f)
		return fmt.Sprintf("%v[%#x %q]", t, f.Code, f.Reason), n
	case t.IsStream(), t == wire.FrameResetStream, t == wire.FrameResetStreamAt, t == wire.FrameStopSending:
		return describeStreamFrame(t, b)
	case t == wire.FrameNewConnectionID, t == wire.FrameRetireConnectionID, t == wire.FramePathChallenge, t == wire.FramePathResponse:
		return describePathFrame(t, b)
	case t != wire.FramePing && t != wire.FrameHandshakeDone:
		return describeFlowFrame(t, b)
	}
	return t.String(), n
}

func describeStreamFrame(t wire.FrameType, b []byte) (text string, n int) {
	switch t {
	case wire.FrameResetStream:
		var f wire.ResetStream
		n = wire.ConsumeResetStream(b, &f)
		return fmt.Sprintf("%v%d[%d, code %d]", t, f.ID, f.FinalSize, f.Code), n
	case wire.FrameResetStreamAt:
		var f wire.ResetStreamAt
		n = wire.ConsumeResetStreamAt(b, &f)
		return fmt.Sprintf("%v%d[%d of %d, code %d]", t, f.ID, f.ReliableSize, f.FinalSize, f.Code), n
	case wire.FrameStopSending:
		var f wire.StopSending
		n = wire.ConsumeStopSending(b, &f)
		return fmt.Sprintf("%v%d[code %d]", t, f.ID, f.Code), n
	}
	var f wire.Stream
	n = wire.ConsumeStream(t, b, &f)
	text = fmt.Sprintf("STREAM%d[%d+%d", f.ID, f.Offset, len(f.Data))
	if f.Fin {
		text += " fin"
	}
	return text + "]", n
}

func describeFlowFrame(t wire.FrameType, b []byte) (text string, n int) {
	var v uint64
	switch t {
	case wire.FrameMaxData, wire.FrameDataBlocked:
		n = wire.ConsumeMaxData(b, &v)
	case wire.FrameMaxStreamsBidi, wire.FrameMaxStreamsUni, wire.FrameStreamsBlockedBidi, wire.FrameStreamsBlockedUni:
		n = wire.ConsumeMaxStreams(b, &v)
	case wire.FrameMaxStreamData, wire.FrameStreamDataBlocked:
		var f wire.MaxStreamData
		n = wire.ConsumeMaxStreamData(b, &f)
		return fmt.Sprintf("%v%d[%d]", t, f.ID, f.Max), n
	default:
		return t.String() + " …", -1
	}
	return fmt.Sprintf("%v[%d]", t, v), n
}

func describePathFrame(t wire.FrameType, b []byte) (text string, n int) {
	switch t {
	case wire.FrameNewConnectionID:
		var f wire.NewConnectionIDFrame
		n = wire.ConsumeNewConnectionID(b, &f)
		return fmt.Sprintf("%v[%d]", t, f.Seq), n
	case wire.FrameRetireConnectionID:
		var seq uint64
		n = wire.ConsumeRetireConnectionID(b, &seq)
		return fmt.Sprintf("%v[%d]", t, seq), n
	}
	var data wire.PathData
	return t.String(), wire.ConsumePathChallenge(b, &data)
}
