package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// NopTracer is a Tracer that does nothing.
type NopTracer struct{}

var _ Tracer = NopTracer{}

// Started implements Tracer, and so do the others.
func (NopTracer) Started(monotime.Time, path.Addrs, wire.ConnectionID, wire.ConnectionID) {}

// VersionKnown implements Tracer.
func (NopTracer) VersionKnown(monotime.Time, wire.Version, []wire.Version, []wire.Version) {}

// ProtocolKnown implements Tracer.
func (NopTracer) ProtocolKnown(monotime.Time, []byte) {}

// ParametersSet implements Tracer.
func (NopTracer) ParametersSet(monotime.Time, *wire.TransportParameters, bool) {}

// StateUpdated implements Tracer.
func (NopTracer) StateUpdated(monotime.Time, string) {}

// PacketSent implements Tracer.
func (NopTracer) PacketSent(monotime.Time, OpenPacket) {}

// PacketReceived implements Tracer.
func (NopTracer) PacketReceived(monotime.Time, OpenPacket) {}

// PacketBuffered implements Tracer.
func (NopTracer) PacketBuffered(monotime.Time, int) {}

// PacketDropped implements Tracer.
func (NopTracer) PacketDropped(monotime.Time, int, DropTrigger, string) {}

// PacketLost implements Tracer.
func (NopTracer) PacketLost(monotime.Time, wire.Space, wire.PacketNumber, LossTrigger, bool) {}

// DatagramsSent implements Tracer.
func (NopTracer) DatagramsSent(monotime.Time, Transmit) {}

// DatagramReceived implements Tracer.
func (NopTracer) DatagramReceived(monotime.Time, int, path.ECN) {}

// StreamUpdated implements Tracer.
func (NopTracer) StreamUpdated(wire.StreamID, bool, string) {}

// KeysUpdated implements Tracer.
func (NopTracer) KeysUpdated(monotime.Time, wire.Level, uint64, KeyTrigger, bool) {}

// KeysDiscarded implements Tracer.
func (NopTracer) KeysDiscarded(monotime.Time, wire.Level, uint64) {}

// MetricsUpdated implements Tracer.
func (NopTracer) MetricsUpdated(monotime.Time, Metrics) {}

// Closed implements Tracer.
func (NopTracer) Closed(monotime.Time, error) {}

// Released implements Tracer.
func (NopTracer) Released(monotime.Time) {}
