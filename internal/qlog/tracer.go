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
	side  wire.Side
	out   *output
	start monotime.Time  // of the first event, the file's time 0
	now   monotime.Time  // of the last event
	last  engine.Metrics // what MetricsUpdated wrote last
	state string         // of the connection
}

// begin starts an event and its data.
func (t *tracer) begin(now monotime.Time, name string) *record {
	if t.start.IsZero() {
		t.start = now
	}
	t.now = now
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

var packetTypes = [wire.NumLevels]string{
	wire.InitialLevel:   "initial",
	wire.ZeroRTTLevel:   "0RTT",
	wire.HandshakeLevel: "handshake",
	wire.OneRTTLevel:    "1RTT",
}

func (r *record) header(level wire.Level, pn wire.PacketNumber) {
	r.open("header", '{')
	r.word("packet_type", packetTypes[level])
	r.uint("packet_number", uint64(pn))
}

func (t *tracer) packet(now monotime.Time, name string, p *engine.OpenPacket) {
	if t.out.done() {
		return
	}
	r := t.begin(now, name)
	r.header(p.Level, p.Number)
	if p.Level == wire.OneRTTLevel {
		r.bool("key_phase_bit", p.KeyPhase)
	}
	r.close('}')
	r.open("raw", '{')
	r.uint("length", uint64(p.Size))
	r.uint("payload_length", uint64(len(p.Frames)))
	r.close('}')
	r.frames(p.Frames)
	t.end(r)
}

// PacketSent implements engine.Tracer.
func (t *tracer) PacketSent(now monotime.Time, p engine.OpenPacket) {
	t.packet(now, "quic:packet_sent", &p)
}

// PacketReceived implements engine.Tracer.
func (t *tracer) PacketReceived(now monotime.Time, p engine.OpenPacket) {
	t.packet(now, "quic:packet_received", &p)
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
func (t *tracer) PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber, trigger engine.LossTrigger, probe bool) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:packet_lost")
	r.header(space.CryptoLevel(), pn)
	r.close('}')
	if probe {
		r.bool("is_mtu_probe_packet", true)
	}
	if trigger != engine.LostByRetry {
		r.word("trigger", string(trigger))
	}
	t.end(r)
}

// MetricsUpdated implements engine.Tracer. Only what changed is written.
func (t *tracer) MetricsUpdated(now monotime.Time, m engine.Metrics) {
	if t.out.done() {
		return
	}
	last, s := t.last, &m.Stats
	t.last = m
	if s.MinRTT != last.MinRTT || s.SmoothedRTT != last.SmoothedRTT || s.LatestRTT != last.LatestRTT || s.RTTVar != last.RTTVar ||
		s.CongestionWindow != last.CongestionWindow || s.BytesInFlight != last.BytesInFlight {
		r := t.begin(now, "quic:recovery_metrics_updated")
		r.changedTime("min_rtt", s.MinRTT, last.MinRTT)
		r.changedTime("smoothed_rtt", s.SmoothedRTT, last.SmoothedRTT)
		r.changedTime("latest_rtt", s.LatestRTT, last.LatestRTT)
		r.changedTime("rtt_variance", s.RTTVar, last.RTTVar)
		r.changedCount("congestion_window", s.CongestionWindow, last.CongestionWindow)
		r.changedCount("bytes_in_flight", s.BytesInFlight, last.BytesInFlight)
		t.end(r)
	}
	if s.DatagramSize != last.DatagramSize {
		t.counts(now, "quic:mtu_updated", last.DatagramSize, s.DatagramSize)
	}
	t.changed(now, "quic:congestion_state_updated", last.Congestion, m.Congestion)
	t.changed(now, "quic:ecn_state_updated", ecnState(&last), ecnState(&m))
}

// ecnState names the state of ECN (RFC 9000, Appendix A.4), "" before anything is known.
func ecnState(m *engine.Metrics) string {
	switch {
	case m.Congestion == "":
		return ""
	case m.ECNFailed:
		return "failed"
	case m.ECNCapable:
		return "capable"
	}
	return "testing"
}

// changed writes an event about a state, if it is another than before, "" being none.
func (t *tracer) changed(now monotime.Time, name, before, state string) {
	if before == state || t.out.done() {
		return
	}
	r := t.begin(now, name)
	if before != "" {
		r.word("old", before)
	}
	r.word("new", state)
	t.end(r)
}

// counts is changed of numbers, 0 being none.
func (t *tracer) counts(now monotime.Time, name string, before, n int) {
	if t.out.done() {
		return
	}
	r := t.begin(now, name)
	if before != 0 {
		r.uint("old", uint64(before))
	}
	r.uint("new", uint64(n))
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
	t.StateUpdated(now, "closed")
	t.out.finish()
}
