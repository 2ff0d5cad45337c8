package qlog

import (
	"encoding/binary"
	"net/netip"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Started implements engine.Tracer.
func (t *tracer) Started(now monotime.Time, addrs path.Addrs, local, remote wire.ConnectionID) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:connection_started")
	r.endpoint("local", addrs.Local, 0, local)
	r.endpoint("remote", addrs.Remote.Addr(), addrs.Remote.Port(), remote)
	t.end(r)
}

// endpoint writes one half of a path. A port of 0 is not known.
func (r *record) endpoint(key string, a netip.Addr, port uint16, id wire.ConnectionID) {
	r.open(key, '{')
	if a = a.Unmap(); a.IsValid() {
		version := "v6"
		if a.Is4() {
			version = "v4"
		}
		r.word("ip_"+version, a.WithZone("").String())
		if port != 0 {
			r.uint("port_"+version, uint64(port))
		}
	}
	r.open("connection_ids", '[')
	r.hex("", id.Bytes())
	r.close(']')
	r.close('}')
}

// VersionKnown implements engine.Tracer.
func (t *tracer) VersionKnown(now monotime.Time, chosen wire.Version, client, server []wire.Version) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:version_information")
	r.versions("server_versions", server)
	r.versions("client_versions", client)
	r.version("chosen_version", chosen)
	t.end(r)
}

func (r *record) version(key string, v wire.Version) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(v))
	r.hex(key, b[:])
}

// maxVersions bounds the versions written of a list, which may be a peer's.
const maxVersions = 32

// versions writes a list that is not empty.
func (r *record) versions(key string, list []wire.Version) {
	if len(list) == 0 {
		return
	}
	r.open(key, '[')
	for _, v := range list[:min(len(list), maxVersions)] {
		r.version("", v)
	}
	r.close(']')
}

// ProtocolKnown implements engine.Tracer.
func (t *tracer) ProtocolKnown(now monotime.Time, alpn []byte) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:alpn_information")
	r.open("chosen_alpn", '{')
	r.hex("byte_value", alpn)
	if utf8.Valid(alpn) {
		r.text("string_value", string(alpn))
	}
	r.close('}')
	t.end(r)
}

// ParametersSet implements engine.Tracer. Tokens, which are secrets, are left out.
func (t *tracer) ParametersSet(now monotime.Time, p *wire.TransportParameters, remote bool) {
	if t.out.done() {
		return
	}
	r := t.begin(now, "quic:parameters_set")
	r.initiator(remote)
	r.optionalID("original_destination_connection_id", &p.OriginalDstID)
	r.optionalID("initial_source_connection_id", &p.InitialSrcID)
	r.optionalID("retry_source_connection_id", &p.RetrySrcID)
	r.bool("disable_active_migration", p.DisableActiveMigration)
	r.uint("max_idle_timeout", uint64(p.MaxIdleTimeout.Milliseconds()))
	r.uint("max_udp_payload_size", p.MaxUDPPayloadSize)
	r.uint("ack_delay_exponent", uint64(p.AckDelayExponent))
	r.uint("max_ack_delay", uint64(p.MaxAckDelay.Milliseconds()))
	r.uint("active_connection_id_limit", p.ActiveConnIDLimit)
	r.uint("initial_max_data", p.InitialMaxData)
	r.uint("initial_max_stream_data_bidi_local", p.InitialMaxStreamDataBidiLocal)
	r.uint("initial_max_stream_data_bidi_remote", p.InitialMaxStreamDataBidiRemote)
	r.uint("initial_max_stream_data_uni", p.InitialMaxStreamDataUni)
	r.uint("initial_max_streams_bidi", p.InitialMaxStreamsBidi)
	r.uint("initial_max_streams_uni", p.InitialMaxStreamsUni)
	r.uint("max_datagram_frame_size", p.MaxDatagramFrameSize)
	r.bool("grease_quic_bit", p.GreaseQUICBit)
	r.bool("reset_stream_at", p.ResetStreamAt)
	t.end(r)
}

func (r *record) optionalID(key string, id *wire.OptionalID) {
	if id.Set {
		r.hex(key, id.Bytes())
	}
}

// StateUpdated implements engine.Tracer.
func (t *tracer) StateUpdated(now monotime.Time, state string) {
	t.changed(now, "quic:connection_state_updated", t.state, state)
	t.state = state
}

// StreamUpdated implements engine.Tracer.
func (t *tracer) StreamUpdated(id wire.StreamID, sending bool, state string) {
	if t.out.done() {
		return
	}
	kind, side := "bidirectional", "receiving"
	if id.Uni() {
		kind = "unidirectional"
	}
	if sending {
		side = "sending"
	}
	r := t.begin(t.now, "quic:stream_state_updated")
	r.uint("stream_id", uint64(id))
	r.word("stream_type", kind)
	r.word("new", state)
	r.word("stream_side", side)
	t.end(r)
}

// keyNames are the ends of the names of keys, behind the side that seals with them.
var keyNames = [wire.NumLevels]string{
	wire.InitialLevel:   "initial_secret",
	wire.ZeroRTTLevel:   "0rtt_secret",
	wire.HandshakeLevel: "handshake_secret",
	wire.OneRTTLevel:    "1rtt_secret",
}

// KeysUpdated implements engine.Tracer: an event for each direction.
func (t *tracer) KeysUpdated(now monotime.Time, level wire.Level, phase uint64, trigger engine.KeyTrigger, writing bool) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		if trigger != engine.KeysByTLS || (side == t.side) == writing {
			t.key(now, "quic:key_updated", side, level, phase, string(trigger))
		}
	}
}

// KeysDiscarded implements engine.Tracer: an event for each direction.
func (t *tracer) KeysDiscarded(now monotime.Time, level wire.Level, phase uint64) {
	t.key(now, "quic:key_discarded", wire.ClientSide, level, phase, "")
	t.key(now, "quic:key_discarded", wire.ServerSide, level, phase, "")
}

func (t *tracer) key(now monotime.Time, name string, side wire.Side, level wire.Level, phase uint64, trigger string) {
	if t.out.done() {
		return
	}
	r := t.begin(now, name)
	r.word("key_type", side.String()+"_"+keyNames[level])
	if level == wire.OneRTTLevel {
		r.uint("key_phase", phase)
	}
	if trigger != "" {
		r.word("trigger", trigger)
	}
	t.end(r)
}

var ecnNames = [...]string{path.NotECT: "Not-ECT", path.ECT1: "ECT(1)", path.ECT0: "ECT(0)", path.CE: "CE"}

// DatagramsSent implements engine.Tracer.
func (t *tracer) DatagramsSent(now monotime.Time, train engine.Transmit) {
	t.datagrams(now, "quic:udp_datagrams_sent", len(train.Data), train.Segment, train.ECN)
}

// DatagramReceived implements engine.Tracer.
func (t *tracer) DatagramReceived(now monotime.Time, size int, ecn path.ECN) {
	t.datagrams(now, "quic:udp_datagrams_received", size, size, ecn)
}

// datagrams writes an event about datagrams of segment bytes, the last of which may be
// shorter.
func (t *tracer) datagrams(now monotime.Time, name string, size, segment int, ecn path.ECN) {
	if t.out.done() || size == 0 {
		return
	}
	r := t.begin(now, name)
	r.uint("count", uint64((size+segment-1)/segment))
	r.open("raw", '[')
	for left := size; left > 0; left -= segment {
		r.open("", '{')
		r.uint("length", uint64(min(left, segment)))
		r.close('}')
	}
	r.close(']')
	r.open("ecn", '[')
	r.word("", ecnNames[ecn&3])
	r.close(']')
	t.end(r)
}
