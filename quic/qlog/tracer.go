package qlog

import (
	"time"

	"github.com/godwit-quic/godwit/quic/quictrace"
)

// recordSeparator begins each text of a JSON text sequence (RFC 7464, Section 2.2).
const recordSeparator = 0x1e

// tracer writes the events of one connection.
type tracer struct {
	out  *output
	last quictrace.RecoveryMetricsUpdated // what was written of it
}

// Trace implements quictrace.Tracer. What is not known here is left out.
func (t *tracer) Trace(at time.Duration, e quictrace.Event) {
	if t.out.done() {
		return
	}
	// From here on everything is written at once: programs that are done with a
	// connection do not wait until it is released.
	closed, over := false, false
	switch e := e.(type) {
	case *quictrace.ConnectionClosed:
		closed = true
	case *quictrace.ConnectionStateUpdated:
		over = e.New == quictrace.StateClosed
	}
	t.out.unbuffered = t.out.unbuffered || closed
	r := t.out.begin()
	r.open("", '{')
	r.millis("time", at)
	r.word("name", e.Name())
	r.open("data", '{')
	if !t.data(r, e) {
		t.out.drop()
		return
	}
	r.close('}')
	r.close('}')
	t.out.end()
	if over {
		t.out.finish()
	}
}

// data writes an event's data. It returns false for events that are not known.
func (t *tracer) data(r *record, e quictrace.Event) bool {
	switch e := e.(type) {
	case *quictrace.PacketSent:
		r.packet(&e.Packet)
	case *quictrace.PacketReceived:
		r.packet(&e.Packet)
	case *quictrace.UDPDatagramsSent:
		return r.datagrams(&e.Datagrams)
	case *quictrace.UDPDatagramsReceived:
		return r.datagrams(&e.Datagrams)
	case *quictrace.RecoveryMetricsUpdated:
		r.metrics(e, &t.last)
		t.last = *e
	case *quictrace.StreamStateUpdated:
		r.streamState(e)
	case *quictrace.PacketLost:
		r.packetLost(e)
	case *quictrace.PacketDropped:
		r.packetDropped(e)
	case *quictrace.PacketBuffered:
		r.rawLength("length", e.Size)
		r.word("trigger", "keys_unavailable")
	case *quictrace.KeyUpdated:
		r.secret(&e.Key, e.Trigger)
	case *quictrace.KeyDiscarded:
		r.secret(&e.Key, "")
	case *quictrace.MTUUpdated:
		if e.Old != 0 {
			r.uint("old", uint64(e.Old))
		}
		r.uint("new", uint64(e.New))
	case *quictrace.CongestionStateUpdated:
		r.change(e.Old, e.New)
	case *quictrace.ECNStateUpdated:
		r.change(string(e.Old), string(e.New))
	case *quictrace.ConnectionStateUpdated:
		r.change(string(e.Old), string(e.New))
	default:
		return r.connection(e) || r.http(e)
	}
	return true
}

func (r *record) header(kind quictrace.PacketType, number uint64) {
	r.open("header", '{')
	r.word("packet_type", string(kind))
	r.uint("packet_number", number)
}

func (r *record) packet(p *quictrace.Packet) {
	r.header(p.Type, p.Number)
	if p.Type == quictrace.OneRTT {
		r.bool("key_phase_bit", p.KeyPhase)
	}
	r.close('}')
	r.open("raw", '{')
	r.uint("length", uint64(p.Size))
	r.uint("payload_length", uint64(len(p.Frames)))
	r.close('}')
	r.frames(p.Frames)
}

func (r *record) packetDropped(e *quictrace.PacketDropped) {
	r.rawLength("length", e.Size)
	if e.Detail != "" {
		r.open("details", '{')
		r.word("reason", e.Detail)
		r.close('}')
	}
	r.word("trigger", string(e.Trigger))
}

func (r *record) packetLost(e *quictrace.PacketLost) {
	r.header(e.Type, e.Number)
	r.close('}')
	if e.Probe {
		r.bool("is_mtu_probe_packet", true)
	}
	if e.Trigger != quictrace.LostByRetry {
		r.word("trigger", string(e.Trigger))
	}
}

// change writes from which state to which something went, "" being none.
func (r *record) change(old, new string) {
	if old != "" {
		r.word("old", old)
	}
	r.word("new", new)
}

// metrics writes what has changed.
func (r *record) metrics(e, last *quictrace.RecoveryMetricsUpdated) {
	r.changedTime("min_rtt", e.MinRTT, last.MinRTT)
	r.changedTime("smoothed_rtt", e.SmoothedRTT, last.SmoothedRTT)
	r.changedTime("latest_rtt", e.LatestRTT, last.LatestRTT)
	r.changedTime("rtt_variance", e.RTTVariance, last.RTTVariance)
	r.changedCount("congestion_window", e.CongestionWindow, last.CongestionWindow)
	r.changedCount("bytes_in_flight", e.BytesInFlight, last.BytesInFlight)
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

func (r *record) streamState(e *quictrace.StreamStateUpdated) {
	r.uint("stream_id", e.StreamID)
	r.word("stream_type", streamType(e.StreamID&2 != 0)) // RFC 9000, Section 2.1
	r.word("new", string(e.New))
	if e.Sending {
		r.word("stream_side", "sending")
	} else {
		r.word("stream_side", "receiving")
	}
}

// datagrams writes datagrams that belong together, unless they are empty.
func (r *record) datagrams(d *quictrace.Datagrams) bool {
	if d.Bytes <= 0 {
		return false
	}
	size := max(d.Size, 1)
	r.uint("count", uint64((d.Bytes+size-1)/size))
	r.open("raw", '[')
	for left := d.Bytes; left > 0; left -= size {
		r.open("", '{')
		r.uint("length", uint64(min(left, size)))
		r.close('}')
	}
	r.close(']')
	r.open("ecn", '[') // one counts for all
	r.word("", string(d.ECN))
	r.close(']')
	return true
}
