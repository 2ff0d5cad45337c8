package qlog

import (
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// kind reports whether a value is what the draft wants in a field.
type kind func(v any) bool

// object is a map of the draft: its fields and their kinds. A name that begins
// with a question mark is of an optional field.
type object map[string]kind

func number(v any) bool {
	s, isString := v.(string)
	_, isNumber := v.(float64)
	return isNumber || isString && regexp.MustCompile(`^[0-9]{16,20}$`).MatchString(s) // RFC 7493, Section 2.2
}

func text(v any) bool { _, ok := v.(string); return ok }
func flag(v any) bool { _, ok := v.(bool); return ok }
func hexadecimal(v any) bool {
	s, ok := v.(string)
	return ok && regexp.MustCompile(`^([0-9a-f]{2})*$`).MatchString(s)
}

func oneOf(words ...string) kind {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(words, s) }
}

func list(of kind, least int) kind {
	return func(v any) bool {
		items, ok := v.([]any)
		return ok && len(items) >= least && !slices.ContainsFunc(items, func(v any) bool { return !of(v) })
	}
}

// is demands a map with these fields and no others.
func (o object) is(v any) bool {
	m, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for name, k := range o {
		v, there := m[strings.TrimPrefix(name, "?")]
		if there && !k(v) || !there && name[0] != '?' {
			return false
		}
	}
	for name := range m {
		if o[name] == nil && o["?"+name] == nil {
			return false
		}
	}
	return true
}

// What the draft says (draft-ietf-quic-qlog-quic-events, Sections 4 to 8) of
// what is logged here.
var (
	rawInfo = object{"?length": number, "?payload_length": number, "?data": hexadecimal}.is // main schema, Section 10

	initiator  = oneOf("local", "remote")
	streamKind = oneOf("unidirectional", "bidirectional")
	unknown    = oneOf("unknown")
	packetType = oneOf("initial", "handshake", "0RTT", "1RTT", "retry", "version_negotiation", "stateless_reset", "unknown")

	transportErrors = []string{
		"no_error", "internal_error", "connection_refused", "flow_control_error", "stream_limit_error",
		"stream_state_error", "final_size_error", "frame_encoding_error", "transport_parameter_error",
		"connection_id_limit_error", "protocol_violation", "invalid_token", "application_error",
		"crypto_buffer_exceeded", "key_update_error", "aead_limit_reached", "no_viable_path", "unknown",
	}

	header = object{"packet_type": packetType, "?packet_number": number, "?key_phase": number, "?key_phase_bit": flag}.is
	token  = object{"?type": oneOf("retry", "resumption"), "?raw": rawInfo}.is

	schemaFrames = map[string]object{
		"padding": {}, "ping": {}, "handshake_done": {}, "datagram": {},
		"ack":             {"?ack_delay": number, "?acked_ranges": list(ackRange, 1), "?ect1": number, "?ect0": number, "?ce": number},
		"reset_stream":    {"stream_id": number, "error": unknown, "?error_code": number, "final_size": number},
		"reset_stream_at": {"stream_id": number, "error": unknown, "?error_code": number, "final_size": number, "reliable_size": number},
		"stop_sending":    {"stream_id": number, "error": unknown, "?error_code": number},
		"crypto":          {"offset": number, "raw": rawInfo},
		"new_token":       {"token": token},
		"stream":          {"stream_id": number, "?offset": number, "?fin": flag},
		"max_data":        {"maximum": number},
		"max_stream_data": {"stream_id": number, "maximum": number},
		"max_streams":     {"stream_type": streamKind, "maximum": number},
		"data_blocked":    {"limit": number}, "stream_data_blocked": {"stream_id": number, "limit": number},
		"streams_blocked": {"stream_type": streamKind, "limit": number},
		"new_connection_id": {"sequence_number": number, "retire_prior_to": number, "?connection_id_length": number,
			"connection_id": hexadecimal, "?stateless_reset_token": hexadecimal},
		"retire_connection_id": {"sequence_number": number},
		"path_challenge":       {"?data": hexadecimal}, "path_response": {"?data": hexadecimal},
		"connection_close": {"?error_space": oneOf("transport", "application"), "?error": transportError, "?error_code": number,
			"?reason": text, "?reason_bytes": hexadecimal, "?trigger_frame_type": number},
		"unknown": {"frame_type_bytes": number},
	}

	endpoint = object{"?ip_v4": text, "?port_v4": number, "?ip_v6": text, "?port_v6": number, "?connection_ids": list(hexadecimal, 1)}.is
	version  = func(v any) bool { s, ok := v.(string); return ok && len(s) == 8 && hexadecimal(v) }
	alpn     = object{"?byte_value": hexadecimal, "?string_value": text}.is
	keyType  = oneOf("server_initial_secret", "client_initial_secret", "server_handshake_secret",
		"client_handshake_secret", "server_0rtt_secret", "client_0rtt_secret", "server_1rtt_secret", "client_1rtt_secret")
	datagrams = object{"?count": number, "?raw": list(rawInfo, 1),
		"?ecn": list(oneOf("Not-ECT", "ECT(1)", "ECT(0)", "CE"), 1), "?datagram_payload_checksums": list(number, 1)}
	ecnStates = oneOf("testing", "unknown", "failed", "capable")

	streamState = oneOf("idle", "open", "closed", "half_closed_local", "half_closed_remote", "ready", "send", "data_sent",
		"reset_sent", "reset_received", "receive", "size_known", "data_read", "reset_read", "data_received", "destroyed")

	packet = object{"header": header, "?frames": list(isFrame, 0), "?raw": rawInfo}

	schemaEvents = map[string]object{
		"packet_sent": packet, "packet_received": packet,
		"packet_dropped": {"?raw": rawInfo, "?details": object{"?reason": text}.is, "?trigger": oneOf("internal_error", "rejected",
			"unsupported", "invalid", "duplicate", "connection_unknown", "decryption_failure", "key_unavailable", "general")},
		"packet_buffered": {"?raw": rawInfo, "?trigger": oneOf("backpressure", "keys_unavailable")},
		"packet_lost": {"?header": header, "?is_mtu_probe_packet": flag,
			"?trigger": oneOf("reordering_threshold", "time_threshold", "pto_expired")},
		"key_updated": {"key_type": keyType,
			"?old": hexadecimal, "?new": hexadecimal, "?key_phase": number, "?trigger": oneOf("tls", "remote_update", "local_update")},
		"key_discarded": {"key_type": keyType, "?key": hexadecimal, "?key_phase": number,
			"?trigger": oneOf("tls", "remote_update", "local_update")},
		"connection_started":  {"local": endpoint, "remote": endpoint},
		"version_information": {"?server_versions": list(version, 1), "?client_versions": list(version, 1), "?chosen_version": version},
		"alpn_information":    {"?server_alpns": list(alpn, 0), "?client_alpns": list(alpn, 0), "?chosen_alpn": alpn},
		"parameters_set": {"?initiator": initiator, "?original_destination_connection_id": hexadecimal,
			"?initial_source_connection_id": hexadecimal, "?retry_source_connection_id": hexadecimal,
			"?disable_active_migration": flag, "?max_idle_timeout": number, "?max_udp_payload_size": number,
			"?ack_delay_exponent": number, "?max_ack_delay": number, "?active_connection_id_limit": number,
			"?initial_max_data": number, "?initial_max_stream_data_bidi_local": number,
			"?initial_max_stream_data_bidi_remote": number, "?initial_max_stream_data_uni": number,
			"?initial_max_streams_bidi": number, "?initial_max_streams_uni": number,
			"?max_datagram_frame_size": number, "?grease_quic_bit": flag, "?reset_stream_at": flag},
		"udp_datagrams_sent": datagrams, "udp_datagrams_received": datagrams,
		"stream_state_updated": {"stream_id": number, "?stream_type": streamKind, "?old": streamState, "new": streamState,
			"stream_side": oneOf("sending", "receiving"), "?trigger": initiator},
		"mtu_updated":              {"?old": number, "new": number, "?done": flag},
		"congestion_state_updated": {"?old": text, "new": text, "?trigger": text},
		"ecn_state_updated":        {"?old": ecnStates, "new": ecnStates},
		"recovery_metrics_updated": {"?min_rtt": number, "?smoothed_rtt": number, "?latest_rtt": number, "?rtt_variance": number,
			"?congestion_window": number, "?bytes_in_flight": number},
		"connection_closed": {"?initiator": initiator, "?connection_error": transportError, "?application_error": unknown,
			"?error_code": number, "?reason": text, "?trigger": oneOf("idle_timeout", "application", "error", "version_mismatch",
				"stateless_reset", "aborted", "unspecified")},
		"connection_state_updated": {"?old": text, "new": oneOf("attempted", "handshake_started", "handshake_complete", "closed",
			"peer_validated", "early_write", "handshake_confirmed", "closing", "draining")},
	}
)

func ackRange(v any) bool {
	r, ok := v.([]any)
	return ok && len(r) <= 2 && list(number, 1)(v)
}

func transportError(v any) bool {
	s, ok := v.(string)
	return ok && (slices.Contains(transportErrors, s) || regexp.MustCompile(`^crypto_error_0x1[0-9a-f]{2}$`).MatchString(s))
}

// isFrame demands a frame of the draft, each of which may have the field raw.
func isFrame(v any) bool {
	m, _ := v.(map[string]any)
	name, _ := m["frame_type"].(string)
	fields, known := schemaFrames[name]
	fields = maps.Clone(fields)
	if known {
		fields["frame_type"] = text
		if fields["raw"] == nil {
			fields["?raw"] = rawInfo
		}
	}
	return known && fields.is(v)
}

// checkEvent demands that a record is an event of the draft.
func checkEvent(t *testing.T, rec string) (name string) {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal([]byte(rec), &e); err != nil {
		t.Fatalf("%s: %v", rec, err)
	}
	name, _ = e["name"].(string)
	name = strings.TrimPrefix(name, "quic:")
	data, known := schemaEvents[name]
	if !known {
		t.Fatalf("the draft has no event %q", name)
	}
	if event := (object{"time": number, "name": text, "data": data.is}); !event.is(e) {
		t.Errorf("not as the draft wants it: %s", rec)
	}
	return name
}

// TestSchema: every event that is written is one of the draft's, with its
// fields and values.
func TestSchema(t *testing.T) {
	dir := t.TempDir()
	tr := Dir(dir, nil)(wire.ClientSide, connectionID(1))
	ping := wire.AppendPing(nil)
	for level := range wire.Level(wire.NumLevels) {
		tr.PacketSent(1, engine.OpenPacket{Level: level, Number: 1 << 60, Size: 1200, Frames: ping, KeyPhase: true})
		tr.PacketReceived(2, engine.OpenPacket{Level: level, Size: 1200, Frames: ping})
		tr.KeysUpdated(2, level, 0, engine.KeysByTLS, level%2 == 0)
		tr.KeysDiscarded(2, level, 3)
	}
	addrs := path.Addrs{Local: netip.MustParseAddr("192.0.2.1"), Remote: netip.MustParseAddrPort("[fe80::1%eth0]:443")}
	tr.Started(2, addrs, connectionID(1), connectionID())
	tr.Started(2, path.Addrs{}, connectionID(1), connectionID(2))
	tr.VersionKnown(2, wire.Version1, []wire.Version{wire.Version1}, nil)
	tr.VersionKnown(2, wire.Version2, nil, make([]wire.Version, 10_000))
	tr.ProtocolKnown(2, []byte("h3"))
	tr.ProtocolKnown(2, []byte{0xff, '"'})
	defaults := wire.DefaultTransportParameters()
	defaults.RetrySrcID.Set = true
	tr.ParametersSet(2, &defaults, false)
	tr.ParametersSet(2, &wire.TransportParameters{InitialMaxData: 1 << 61, GreaseQUICBit: true}, true)
	for _, state := range []string{engine.TracedAttempted, engine.TracedComplete, engine.TracedConfirmed, engine.TracedClosing, engine.TracedDraining} {
		tr.StateUpdated(2, state)
	}
	tr.StreamUpdated(3, true, "send")
	tr.StreamUpdated(4, false, "reset_read")
	tr.DatagramsSent(3, engine.Transmit{Data: make([]byte, 2500), Segment: 1200, ECN: path.ECT0})
	tr.DatagramReceived(3, 1200, path.CE)
	for _, trigger := range []engine.DropTrigger{engine.DropRejected, engine.DropUnsupported, engine.DropInvalid,
		engine.DropDuplicate, engine.DropDecryptionFailure, engine.DropKeyUnavailable, engine.DropGeneral} {
		tr.PacketDropped(3, 50, trigger, "bad mood")
		tr.PacketDropped(3, 50, trigger, "")
	}
	tr.PacketBuffered(3, 50)
	tr.KeysUpdated(3, wire.OneRTTLevel, 1, engine.KeysByUs, false)
	tr.KeysUpdated(3, wire.OneRTTLevel, 2, engine.KeysByPeer, false)
	for space := range wire.NumSpaces {
		tr.PacketLost(4, wire.Space(space), 7, engine.LostByOrder, false)
		tr.PacketLost(4, wire.Space(space), 7, engine.LostByTime, true)
		tr.PacketLost(4, wire.Space(space), 7, engine.LostByRetry, false)
	}
	stats := engine.Stats{MinRTT: 1, SmoothedRTT: time.Hour, LatestRTT: 1, RTTVar: 1, CongestionWindow: 1, BytesInFlight: 1, DatagramSize: 1200}
	tr.MetricsUpdated(5, engine.Metrics{Stats: stats, Congestion: "slow_start"})
	tr.MetricsUpdated(5, engine.Metrics{Stats: stats, Congestion: "recovery", ECNCapable: true})
	tr.MetricsUpdated(5, engine.Metrics{Congestion: "recovery", ECNFailed: true})
	causes := []error{
		nil, errors.New("out of luck"), engine.ErrStatelessReset, &engine.IdleTimeoutError{},
		&engine.HandshakeTimeoutError{}, &engine.VersionNegotiationError{},
		&engine.ApplicationError{Code: 5}, &engine.ApplicationError{Code: 5, Remote: true},
		&engine.TransportError{Code: 0x12a}, &engine.TransportError{Code: 0x999},
	}
	for code := wire.NoError; code <= wire.NoViablePath; code++ {
		causes = append(causes, &engine.TransportError{Code: code, Reason: "too\tmuch"})
	}
	for _, err := range causes {
		tr.Closed(6, err)
	}
	tr.Released(7)

	seen := make(map[string]bool)
	for _, rec := range events(t, filepath.Join(dir, "01_client.sqlog")) {
		seen[checkEvent(t, rec)] = true
	}
	for name := range schemaEvents {
		if !seen[name] {
			t.Errorf("no %s was written", name)
		}
	}
}

// TestSchemaChecks: the check finds what is wrong.
func TestSchemaChecks(t *testing.T) {
	for _, frame := range []string{
		`null`, `{}`, `{"frame_type":"pong"}`, `{"frame_type":"ping","extra":1}`, `{"frame_type":"max_data"}`,
		`{"frame_type":"max_data","maximum":"many"}`, `{"frame_type":"ack","acked_ranges":[]}`,
		`{"frame_type":"ack","acked_ranges":[[1,2,3]]}`, `{"frame_type":"path_challenge","data":"abc"}`,
		`{"frame_type":"connection_close","error":"crypto_error_0x2ff"}`, `{"frame_type":"ping","raw":{"size":1}}`,
	} {
		var v any
		if err := json.Unmarshal([]byte(frame), &v); err != nil {
			t.Fatal(err)
		}
		if isFrame(v) {
			t.Errorf("%s passes", frame)
		}
	}
}
