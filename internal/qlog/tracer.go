package qlog

import (
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// recordSeparator begins each text of a JSON text sequence (RFC 7464, Section 2.2).
const recordSeparator = 0x1e

// tracer writes the events of one connection. It implements engine.Tracer.
type tracer struct {
	out   *output
	start monotime.Time // of the first event, the file's time 0
	last  engine.Stats  // what MetricsUpdated wrote last
}

// begin starts an event and its data.
func (t *tracer) begin(now monotime.Time, name string) *record {
	if t.start.IsZero() {
		t.start = now
	}
	r := t.out.begin()
	r.open("", '{')
	r.millis("time", now.Sub(t.start))
	r.word("name", name)
	r.open("data", '{')
	return r
}

// end ends an event and its data.
func (t *tracer) end(r *record) {
	r.close('}')
	r.close('}')
	t.out.end()
}

var packetTypes = [...]string{
	wire.InitialPacket:            "initial",
	wire.ZeroRTTPacket:            "0RTT",
	wire.HandshakePacket:          "handshake",
	wire.RetryPacket:              "retry",
	wire.VersionNegotiationPacket: "version_negotiation",
	wire.OneRTTPacket:             "1RTT",
}

var spacePackets = [wire.NumSpaces]wire.PacketType{
	wire.InitialSpace:   wire.InitialPacket,
	wire.HandshakeSpace: wire.HandshakePacket,
	wire.AppSpace:       wire.OneRTTPacket,
}

func (r *record) header(t wire.PacketType, pn wire.PacketNumber) {
	r.open("header", '{')
	r.word("packet_type", packetTypes[t])
	r.uint("packet_number", uint64(pn))
	r.close('}')
}

func (t *tracer) packet(now monotime.Time, name string, p wire.PacketType, pn wire.PacketNumber, size int, frames []byte) {
	if t.out.done() {
		return
	}
	r := t.begin(now, name)
	r.header(p, pn)
	r.open("raw", '{')
	r.uint("length", uint64(size))
	r.uint("payload_length", uint64(len(frames)))
	r.close('}')
	r.frames(frames)
	t.end(r)
}

// PacketSent implements engine.Tracer.
func (t *tracer) PacketSent(now monotime.Time, p wire.PacketType, pn wire.PacketNumber, size int, frames []byte) {
	t.packet(now, "quic:packet_sent", p, pn, size, frames)
}

// PacketReceived implements engine.Tracer.
func (t *tracer) PacketReceived(now monotime.Time, p wire.PacketType, pn wire.PacketNumber, size int, frames []byte) {
	t.packet(now, "quic:packet_received", p, pn, size, frames)
}

// PacketDropped implements engine.Tracer.
func (t *tracer) PacketDropped(now monotime.Time, size int, trigger engine.DropTrigger, detail string) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:packet_dropped")
	r.rawLength("length", size)
	if detail != "" {
		r.open("details", '{')
		r.word("reason", detail)
		r.close('}')
	}
	r.word("trigger", string(trigger))
	t.end(r)
}

// PacketBuffered implements engine.Tracer.
func (t *tracer) PacketBuffered(now monotime.Time, size int) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:packet_buffered")
	r.rawLength("length", size)
	r.word("trigger", "keys_unavailable")
	t.end(r)
}

// PacketLost implements engine.Tracer.
func (t *tracer) PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:packet_lost")
	r.header(spacePackets[space], pn)
	t.end(r)
}

// KeyUpdated implements engine.Tracer: an event for the keys of each direction.
func (t *tracer) KeyUpdated(now monotime.Time, phase uint64, remote bool) {
	trigger := "local_update"
	if remote {
		trigger = "remote_update"
	}
	for _, key := range []string{"client_1rtt_secret", "server_1rtt_secret"} {
		if t.out.done() {
			return
		}
		r := t.begin(now, "quic:key_updated")
		r.word("key_type", key)
		r.uint("key_phase", phase)
		r.word("trigger", trigger)
		t.end(r)
	}
}

// MetricsUpdated implements engine.Tracer. Only what changed is written.
func (t *tracer) MetricsUpdated(now monotime.Time, s engine.Stats) {
	last := t.last
	if t.out.done() || s.MinRTT == last.MinRTT && s.SmoothedRTT == last.SmoothedRTT &&
		s.LatestRTT == last.LatestRTT && s.RTTVar == last.RTTVar &&
		s.CongestionWindow == last.CongestionWindow && s.BytesInFlight == last.BytesInFlight {
		return
	}
	t.last = s
	r := t.begin(now, "quic:recovery_metrics_updated")
	r.changedTime("min_rtt", s.MinRTT, last.MinRTT)
	r.changedTime("smoothed_rtt", s.SmoothedRTT, last.SmoothedRTT)
	r.changedTime("latest_rtt", s.LatestRTT, last.LatestRTT)
	r.changedTime("rtt_variance", s.RTTVar, last.RTTVar)
	r.changedCount("congestion_window", s.CongestionWindow, last.CongestionWindow)
	r.changedCount("bytes_in_flight", s.BytesInFlight, last.BytesInFlight)
	t.end(r)
}

func (r *record) changedTime(key string, v, last time.Duration) {
	if v != last {
		r.millis(key, v)
	}
}

func (r *record) changedCount(key string, v, last int) {
	if v != last {
		r.uint(key, uint64(max(v, 0)))
	}
}

// Closed implements engine.Tracer. From here on everything is written at once:
// programs that are done with a connection do not wait until it is released.
func (t *tracer) Closed(now monotime.Time, err error) {
	if t.out.done() {
		return
	}
	t.out.unbuffered = true
	r := t.begin(now, "quic:connection_closed")
	r.closed(err)
	t.end(r)
}

// Released implements engine.Tracer.
func (t *tracer) Released(now monotime.Time) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:connection_state_updated")
	r.word("new", "closed")
	t.end(r)
	t.out.finish()
}
