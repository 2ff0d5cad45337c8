package sim

import (
	"fmt"
	"io"
	"strings"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// trace writes what an engine does, a line for each packet.
type trace struct {
	engine.NopTracer
	w    io.Writer
	side wire.Side
}

func (t *trace) line(now monotime.Time, format string, args ...any) {
	fmt.Fprintf(t.w, "%12v %v %s\n", now.Sub(start), t.side, fmt.Sprintf(format, args...))
}

// PacketSent implements engine.Tracer.
func (t *trace) PacketSent(now monotime.Time, p engine.OpenPacket) {
	t.line(now, "sends %v %d, %d bytes: %s", p.Level, p.Number, p.Size, frameNames(p.Frames))
}

// PacketReceived implements engine.Tracer.
func (t *trace) PacketReceived(now monotime.Time, p engine.OpenPacket) {
	t.line(now, "receives %v %d, %d bytes: %s", p.Level, p.Number, p.Size, frameNames(p.Frames))
}

// PacketDropped implements engine.Tracer.
func (t *trace) PacketDropped(now monotime.Time, size int, trigger engine.DropTrigger, detail string) {
	t.line(now, "drops %d bytes: %s %s", size, trigger, detail)
}

// PacketBuffered implements engine.Tracer.
func (t *trace) PacketBuffered(now monotime.Time, size int) { t.line(now, "keeps %d bytes", size) }

// PacketLost implements engine.Tracer.
func (t *trace) PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber, trigger engine.LossTrigger, _ bool) {
	t.line(now, "lost %v %d: %s", space, pn, trigger)
}

// MetricsUpdated implements engine.Tracer.
func (t *trace) MetricsUpdated(now monotime.Time, s engine.Metrics) {
	t.line(now, "window %d, in flight %d, rtt %v", s.CongestionWindow, s.BytesInFlight, s.SmoothedRTT)
}

// KeysUpdated implements engine.Tracer.
func (t *trace) KeysUpdated(now monotime.Time, level wire.Level, phase uint64, trigger engine.KeyTrigger, _ bool) {
	t.line(now, "keys of %v, phase %d: %s", level, phase, trigger)
}

// VersionKnown implements engine.Tracer.
func (t *trace) VersionKnown(now monotime.Time, chosen wire.Version, _, _ []wire.Version) {
	t.line(now, "version %v", chosen)
}

// Closed implements engine.Tracer.
func (t *trace) Closed(now monotime.Time, err error) { t.line(now, "closed: %v", err) }

// Released implements engine.Tracer.
func (t *trace) Released(now monotime.Time) { t.line(now, "released") }

// frameNames lists the frames of a payload, up to the first that has no fixed
// form here.
func frameNames(b []byte) string {
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

func describeFrame(t wire.FrameType, b []byte) (string, int) {
	switch {
	case t == wire.FramePadding:
		return "PADDING", wire.ConsumePadding(b)
	case t == wire.FramePing, t == wire.FrameHandshakeDone:
		return t.String(), 0
	case t == wire.FrameAck, t == wire.FrameAckECN:
		var f wire.Ack
		n := wire.ConsumeAck(t, b, &f)
		s := "ACK"
		if n >= 0 {
			for r := range f.Ranges() {
				s += fmt.Sprintf("[%d-%d]", r.Smallest, r.Largest)
			}
		}
		return s, n
	case t == wire.FrameCrypto:
		var f wire.Crypto
		n := wire.ConsumeCrypto(b, &f)
		return fmt.Sprintf("CRYPTO[%d+%d]", f.Offset, len(f.Data)), n
	case t >= wire.FrameStream && t <= wire.FrameStream|7:
		var f wire.Stream
		n := wire.ConsumeStream(t, b, &f)
		return fmt.Sprintf("STREAM%d[%d+%d fin %v]", f.ID, f.Offset, len(f.Data), f.Fin), n
	case t == wire.FrameMaxData, t == wire.FrameDataBlocked:
		var v uint64
		n := wire.ConsumeMaxData(b, &v)
		return fmt.Sprintf("%v[%d]", t, v), n
	case t == wire.FrameMaxStreamData, t == wire.FrameStreamDataBlocked:
		var f wire.MaxStreamData
		n := wire.ConsumeMaxStreamData(b, &f)
		return fmt.Sprintf("%v%d[%d]", t, f.ID, f.Max), n
	case t == wire.FrameNewConnectionID:
		var f wire.NewConnectionIDFrame
		return t.String(), wire.ConsumeNewConnectionID(b, &f)
	}
	return t.String() + " …", -1
}
