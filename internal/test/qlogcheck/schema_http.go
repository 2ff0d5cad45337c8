package qlogcheck

// What draft-ietf-quic-qlog-h3-events, Sections 3 and 4, says.
var (
	httpField = object{"?name": text, "?name_bytes": hexadecimal, "?value": text, "?value_bytes": hexadecimal}.is

	httpSetting = object{"?name": oneOf("settings_qpack_max_table_capacity", "settings_max_field_section_size",
		"settings_qpack_blocked_streams", "settings_enable_connect_protocol", "settings_h3_datagram", "reserved", "unknown"),
		"?name_bytes": number, "value": number}.is

	httpFrames = map[string]object{
		"data":            {},
		"headers":         {"headers": list(httpField, 0)},
		"cancel_push":     {"push_id": number},
		"settings":        {"settings": list(httpSetting, 0)},
		"push_promise":    {"push_id": number, "headers": list(httpField, 0)},
		"goaway":          {"id": number},
		"max_push_id":     {"push_id": number},
		"reserved":        {"frame_type_bytes": number},
		"unknown":         {"frame_type_bytes": number},
		"priority_update": {"?stream_id": number, "?push_id": number, "priority_field_value": text},
	}

	httpFrame    = object{"stream_id": number, "frame": func(v any) bool { return isFrameOf(httpFrames, v) }}
	httpDatagram = object{"quarter_stream_id": number, "?raw": rawInfo}

	httpEvents = map[string]object{
		"http3:parameters_set": {"?initiator": initiator, "?max_field_section_size": number, "?max_table_capacity": number,
			"?blocked_streams_count": number, "?extended_connect": number, "?h3_datagram": number, "?waits_for_settings": flag},
		"http3:stream_type_set": {"?initiator": initiator, "stream_id": number, "stream_type": oneOf("request", "control", "push",
			"reserved", "unknown", "qpack_encode", "qpack_decode"), "?stream_type_bytes": number, "?associated_push_id": number},
		"http3:priority_updated": {"?stream_id": number, "?push_id": number, "?old": text, "new": text,
			"?trigger": oneOf("client_signal_received", "local", "other"),
			"?reason":  oneOf("client_signal_only", "client_server_merged", "local_policy", "other")},
		"http3:frame_created": httpFrame, "http3:frame_parsed": httpFrame,
		"http3:datagram_created": httpDatagram, "http3:datagram_parsed": httpDatagram,
	}
)
