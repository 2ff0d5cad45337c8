package sim

import (
	"fmt"
	"io"

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
	t.line(now, "sends %v %d, %d bytes: %s", p.Level, p.Number, p.Size, DescribeFrames(p.Frames))
}

// PacketReceived implements engine.Tracer.
func (t *trace) PacketReceived(now monotime.Time, p engine.OpenPacket) {
	t.line(now, "receives %v %d, %d bytes: %s", p.Level, p.Number, p.Size, DescribeFrames(p.Frames))
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
