package qlog

import (
	"strings"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/quic/quictrace"
)

// http writes the data of HTTP/3's events (draft-ietf-quic-qlog-h3-events).
func (r *record) http(e quictrace.Event) bool {
	switch e := e.(type) {
	case *quictrace.HTTPParametersSet:
		r.httpParameters(e)
	case *quictrace.HTTPStreamTypeSet:
		r.initiator(e.Remote)
		r.uint("stream_id", e.StreamID)
		r.word("stream_type", string(e.Type))
		if e.Type == quictrace.HTTPUnknownStream {
			r.uint("stream_type_bytes", e.Number)
		}
	case *quictrace.HTTPFrameCreated:
		r.httpFrame(&e.HTTPFrame)
	case *quictrace.HTTPFrameParsed:
		r.httpFrame(&e.HTTPFrame)
	case *quictrace.HTTPPriorityUpdated:
		r.uint("stream_id", e.StreamID)
		r.text("new", e.New[:min(len(e.New), maxReason)])
	case *quictrace.HTTPDatagramCreated:
		r.httpDatagram(&e.HTTPDatagram)
	case *quictrace.HTTPDatagramParsed:
		r.httpDatagram(&e.HTTPDatagram)
	default:
		return false
	}
	return true
}

// httpSettings are the settings that have names: in parameters_set, and in frames.
var httpSettings = map[uint64][2]string{
	0x01: {"max_table_capacity", "settings_qpack_max_table_capacity"},   // RFC 9204, Section 5
	0x06: {"max_field_section_size", "settings_max_field_section_size"}, // RFC 9114, Section 7.2.4.1
	0x07: {"blocked_streams_count", "settings_qpack_blocked_streams"},   // RFC 9204, Section 5
	0x08: {"extended_connect", "settings_enable_connect_protocol"},      // RFC 9220, Section 3
	0x33: {"h3_datagram", "settings_h3_datagram"},                       // RFC 9297, Section 2.1.1
}

func (r *record) httpParameters(e *quictrace.HTTPParametersSet) {
	r.initiator(e.Remote)
	for _, s := range e.Settings {
		if names, ok := httpSettings[s.ID]; ok {
			r.uint(names[0], s.Value)
		}
	}
}

// isReserved reports whether a number is one of those that mean nothing (RFC 9114,
// Section 7.2.8).
func isReserved(id uint64) bool { return id >= 0x21 && (id-0x21)%0x1f == 0 }

// httpFrames are the frames that have names in qlog. That of ORIGIN is not written.
var httpFrames = map[uint64]string{
	0x00: "data", 0x01: "headers", 0x03: "cancel_push", 0x04: "settings", 0x05: "push_promise",
	0x07: "goaway", 0x0d: "max_push_id", 0xf0700: "priority_update", 0xf0701: "priority_update",
}

func (r *record) httpFrame(f *quictrace.HTTPFrame) {
	r.uint("stream_id", f.StreamID)
	r.open("frame", '{')
	name, known := httpFrames[f.Type]
	switch {
	case known:
		r.word("frame_type", name)
	case isReserved(f.Type):
		r.word("frame_type", "reserved")
		r.uint("frame_type_bytes", f.Type)
	default:
		r.word("frame_type", "unknown")
		r.uint("frame_type_bytes", f.Type)
	}
	switch name {
	case "headers":
		r.httpFields(f.Fields)
	case "settings":
		r.httpSettings(f.Settings)
	case "push_promise": // which nobody sends, as no end allows it
		r.uint("push_id", f.ID)
		r.httpFields(f.Fields)
	case "goaway":
		r.uint("id", f.ID)
	case "cancel_push", "max_push_id":
		r.uint("push_id", f.ID)
	case "priority_update":
		element := "stream_id"
		if f.Type == 0xf0701 {
			element = "push_id"
		}
		r.uint(element, f.ID)
		r.text("priority_field_value", f.Priority[:min(len(f.Priority), maxReason)])
	}
	r.open("raw", '{')
	r.uint("payload_length", f.Length)
	r.close('}')
	r.close('}')
}

func (r *record) httpSettings(settings []quictrace.HTTPSetting) {
	r.open("settings", '[')
	for _, s := range settings {
		r.open("", '{')
		names, known := httpSettings[s.ID]
		switch {
		case known:
			r.word("name", names[1])
		case isReserved(s.ID):
			r.word("name", "reserved")
		default:
			r.word("name", "unknown")
			r.uint("name_bytes", s.ID)
		}
		r.uint("value", s.Value)
		r.close('}')
	}
	r.close(']')
}

// maxValue is how many bytes of a field's name or value are kept.
const maxValue = 1 << 10

// httpFields lists the fields of a section. Values that are secrets are left out.
func (r *record) httpFields(fields []quictrace.HTTPField) {
	r.open("headers", '[')
	defer r.close(']')
	start := len(r.buf)
	for _, f := range fields {
		if len(r.buf)-start > maxRecord {
			return
		}
		r.open("", '{')
		r.textOrBytes("name", f.Name)
		if !isSecret(f.Name) {
			r.textOrBytes("value", f.Value)
		}
		r.close('}')
	}
}

// textOrBytes writes a peer's string, in hexadecimal if it is no text.
func (r *record) textOrBytes(key, v string) {
	v = v[:min(len(v), maxValue)]
	if utf8.ValidString(v) {
		r.text(key, v)
	} else {
		r.hex(key+"_bytes", []byte(v))
	}
}

// isSecret reports whether the values of a field let others in
// (draft-ietf-quic-qlog-main-schema, Section 14).
func isSecret(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "set-cookie":
		return true
	}
	return false
}

func (r *record) httpDatagram(d *quictrace.HTTPDatagram) {
	r.uint("quarter_stream_id", d.StreamID/4)
	r.rawLength("payload_length", d.Length)
}
