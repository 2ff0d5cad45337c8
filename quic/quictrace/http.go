package quictrace

// HTTPSetting is a setting of HTTP/3, by its number (RFC 9114, Section 7.2.4.1).
type HTTPSetting struct{ ID, Value uint64 }

// HTTPParametersSet has the settings of this end or, if Remote, of the peer.
type HTTPParametersSet struct {
	Remote   bool
	Settings []HTTPSetting // those that were sent
}

// Name implements Event.
func (*HTTPParametersSet) Name() string { return "http3:parameters_set" }

// HTTPStreamType is what a stream is for in HTTP/3 (RFC 9114, Section 6).
type HTTPStreamType string

// The types of streams.
const (
	HTTPRequestStream  HTTPStreamType = "request"
	HTTPControlStream  HTTPStreamType = "control"
	HTTPPushStream     HTTPStreamType = "push"
	HTTPQPACKEncoder   HTTPStreamType = "qpack_encode"
	HTTPQPACKDecoder   HTTPStreamType = "qpack_decode"
	HTTPReservedStream HTTPStreamType = "reserved" // RFC 9114, Section 7.2.8
	HTTPUnknownStream  HTTPStreamType = "unknown"  // an extension's, such as WebTransport's
)

// HTTPStreamTypeSet says that it is known what a stream is for.
type HTTPStreamTypeSet struct {
	StreamID uint64
	Remote   bool // the peer has opened the stream
	Type     HTTPStreamType
	Number   uint64 // of the type, for HTTPUnknownStream
}

// Name implements Event.
func (*HTTPStreamTypeSet) Name() string { return "http3:stream_type_set" }

// HTTPField is a field of a header or trailer section. Values may be secrets.
type HTTPField struct{ Name, Value string }

// HTTPFrame is a frame of HTTP/3.
type HTTPFrame struct {
	StreamID uint64
	Type     uint64 // RFC 9114, Section 11.2.1
	Length   uint64 // of the payload, in bytes

	// What some have in it:
	Fields   []HTTPField   // HEADERS
	Settings []HTTPSetting // SETTINGS
	ID       uint64        // GOAWAY, CANCEL_PUSH, MAX_PUSH_ID, PRIORITY_UPDATE
	Priority string        // PRIORITY_UPDATE
}

// HTTPFrameCreated says that a frame is about to be sent. Several small DATA frames of one
// message may be told of as one.
type HTTPFrameCreated struct{ HTTPFrame }

// Name implements Event.
func (*HTTPFrameCreated) Name() string { return "http3:frame_created" }

// HTTPFrameParsed says that a frame has arrived: all of it or, with DATA and what is not
// understood, its header.
type HTTPFrameParsed struct{ HTTPFrame }

// Name implements Event.
func (*HTTPFrameParsed) Name() string { return "http3:frame_parsed" }

// HTTPPriorityUpdated says that a request has a priority, in the form of RFC 9218,
// Section 4: "u=3, i".
type HTTPPriorityUpdated struct {
	StreamID uint64
	New      string
}

// Name implements Event.
func (*HTTPPriorityUpdated) Name() string { return "http3:priority_updated" }

// HTTPDatagram is an HTTP datagram (RFC 9297, Section 2.1).
type HTTPDatagram struct {
	StreamID uint64 // of the request that it belongs to
	Length   int    // of its payload, in bytes
}

// HTTPDatagramCreated says that a datagram is about to be sent.
type HTTPDatagramCreated struct{ HTTPDatagram }

// Name implements Event.
func (*HTTPDatagramCreated) Name() string { return "http3:datagram_created" }

// HTTPDatagramParsed says that a datagram has arrived.
type HTTPDatagramParsed struct{ HTTPDatagram }

// Name implements Event.
func (*HTTPDatagramParsed) Name() string { return "http3:datagram_parsed" }
