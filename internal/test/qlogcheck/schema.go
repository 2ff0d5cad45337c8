package qlogcheck

import (
	"maps"
	"regexp"
	"slices"
	"strings"
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
// what is logged.
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

	packet = object{"header": header, "?frames": list(IsFrame, 0), "?raw": rawInfo}

	schemaEvents = map[string]object{
		"quic:packet_sent": packet, "quic:packet_received": packet,
		"quic:packet_dropped": {"?raw": rawInfo, "?details": object{"?reason": text}.is, "?trigger": oneOf("internal_error", "rejected",
			"unsupported", "invalid", "duplicate", "connection_unknown", "decryption_failure", "key_unavailable", "general")},
		"quic:packet_buffered": {"?raw": rawInfo, "?trigger": oneOf("backpressure", "keys_unavailable")},
		"quic:packet_lost": {"?header": header, "?is_mtu_probe_packet": flag,
			"?trigger": oneOf("reordering_threshold", "time_threshold", "pto_expired")},
		"quic:key_updated": {"key_type": keyType,
			"?old": hexadecimal, "?new": hexadecimal, "?key_phase": number, "?trigger": oneOf("tls", "remote_update", "local_update")},
		"quic:key_discarded": {"key_type": keyType, "?key": hexadecimal, "?key_phase": number,
			"?trigger": oneOf("tls", "remote_update", "local_update")},
		"quic:connection_started":    {"local": endpoint, "remote": endpoint},
		"quic:connection_id_updated": {"initiator": initiator, "?old": hexadecimal, "?new": hexadecimal},
		"quic:version_information":   {"?server_versions": list(version, 1), "?client_versions": list(version, 1), "?chosen_version": version},
		"quic:alpn_information":      {"?server_alpns": list(alpn, 0), "?client_alpns": list(alpn, 0), "?chosen_alpn": alpn},
		"quic:parameters_set": {"?initiator": initiator, "?original_destination_connection_id": hexadecimal,
			"?initial_source_connection_id": hexadecimal, "?retry_source_connection_id": hexadecimal,
			"?disable_active_migration": flag, "?max_idle_timeout": number, "?max_udp_payload_size": number,
			"?ack_delay_exponent": number, "?max_ack_delay": number, "?active_connection_id_limit": number,
			"?initial_max_data": number, "?initial_max_stream_data_bidi_local": number,
			"?initial_max_stream_data_bidi_remote": number, "?initial_max_stream_data_uni": number,
			"?initial_max_streams_bidi": number, "?initial_max_streams_uni": number,
			"?max_datagram_frame_size": number, "?grease_quic_bit": flag, "?reset_stream_at": flag},
		"quic:udp_datagrams_sent": datagrams, "quic:udp_datagrams_received": datagrams,
		"quic:stream_state_updated": {"stream_id": number, "?stream_type": streamKind, "?old": streamState, "new": streamState,
			"stream_side": oneOf("sending", "receiving"), "?trigger": initiator},
		"quic:mtu_updated":              {"?old": number, "new": number, "?done": flag},
		"quic:congestion_state_updated": {"?old": text, "new": text, "?trigger": text},
		"quic:ecn_state_updated":        {"?old": ecnStates, "new": ecnStates},
		"quic:recovery_parameters_set": {"?reordering_threshold": number, "?time_threshold": number, "timer_granularity": number,
			"?initial_rtt": number, "?max_datagram_size": number, "?initial_congestion_window": number,
			"?minimum_congestion_window": number, "?loss_reduction_factor": number, "?persistent_congestion_threshold": number},
		"quic:recovery_metrics_updated": {"?min_rtt": number, "?smoothed_rtt": number, "?latest_rtt": number, "?rtt_variance": number,
			"?congestion_window": number, "?bytes_in_flight": number},
		"quic:connection_closed": {"?initiator": initiator, "?connection_error": transportError, "?application_error": unknown,
			"?error_code": number, "?reason": text, "?trigger": oneOf("idle_timeout", "application", "error", "version_mismatch",
				"stateless_reset", "aborted", "unspecified")},
		"quic:connection_state_updated": {"?old": text, "new": oneOf("attempted", "handshake_started", "handshake_complete", "closed",
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

// Frames returns the names of QUIC's frames.
func Frames() []string { return slices.Sorted(maps.Keys(schemaFrames)) }

// IsFrame reports whether a JSON value is one of QUIC's frames as the draft wants it.
func IsFrame(v any) bool { return isFrameOf(schemaFrames, v) }

// isFrameOf demands one of these frames, each of which may have the field raw.
func isFrameOf(frames map[string]object, v any) bool {
	m, _ := v.(map[string]any)
	name, _ := m["frame_type"].(string)
	fields, known := frames[name]
	fields = maps.Clone(fields)
	if known {
		fields["frame_type"] = text
		if fields["raw"] == nil {
			fields["?raw"] = rawInfo
		}
	}
	return known && fields.is(v)
}
