package sim

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// trace writes what an engine does, a line for each packet.
type trace struct {
	run  *Run
	side wire.Side
}

func (t *trace) line(format string, args ...any) {
	fmt.Fprintf(t.run.Trace, "%12v %v %s\n", t.run.Elapsed(), t.side, fmt.Sprintf(format, args...))
}

// Trace implements quictrace.Tracer.
func (t *trace) Trace(_ time.Duration, e quictrace.Event) {
	switch e := e.(type) {
	case *quictrace.PacketSent:
		t.line("sends %v %d, %d bytes: %s", PacketName(e.Type), e.Number, e.Size, DescribeFrames(e.Frames))
	case *quictrace.PacketReceived:
		t.line("receives %v %d, %d bytes: %s", PacketName(e.Type), e.Number, e.Size, DescribeFrames(e.Frames))
	case *quictrace.PacketDropped:
		t.line("drops %d bytes: %s %s", e.Size, e.Trigger, e.Detail)
	case *quictrace.PacketBuffered:
		t.line("keeps %d bytes", e.Size)
	case *quictrace.PacketLost:
		t.line("lost %v %d: %s", PacketName(e.Type), e.Number, e.Trigger)
	case *quictrace.RecoveryMetricsUpdated:
		t.line("window %d, in flight %d, rtt %v", e.CongestionWindow, e.BytesInFlight, e.SmoothedRTT)
	case *quictrace.KeyUpdated:
		t.line("key of %v, phase %d: %s", PacketName(e.Type), e.Phase, e.Trigger)
	case *quictrace.VersionInformation:
		t.line("version %v", wire.Version(e.Chosen))
	case *quictrace.ConnectionStateUpdated:
		t.line("%s", e.New)
	case *quictrace.ConnectionClosed:
		t.line("closed: %v", e.Reason)
	}
}

// PacketName returns the RFC's name of a type of packets.
func PacketName(t quictrace.PacketType) string {
	return map[quictrace.PacketType]string{
		quictrace.Initial: "Initial", quictrace.ZeroRTT: "0-RTT", quictrace.Handshake: "Handshake", quictrace.OneRTT: "1-RTT",
	}[t]
}
