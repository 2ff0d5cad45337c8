package wire

// MaxStreamCount is the largest stream count a MAX_STREAMS or STREAMS_BLOCKED
// frame may carry: more streams would not fit into a StreamID (RFC 9000,
// Section 19.11).
const MaxStreamCount = 1 << 60

// ConsumeMaxData reads a MAX_DATA frame (RFC 9000, Section 19.9): the bytes
// that may be sent on all streams together.
func ConsumeMaxData(b []byte, max *uint64) int { return consumeInto(b, max) }

// AppendMaxData appends a MAX_DATA frame.
func AppendMaxData(b []byte, max uint64) []byte {
	return AppendVarint(append(b, byte(FrameMaxData)), max)
}

// ConsumeDataBlocked reads a DATA_BLOCKED frame (RFC 9000, Section 19.12): the
// connection's limit at which sending stopped.
func ConsumeDataBlocked(b []byte, limit *uint64) int { return consumeInto(b, limit) }

// AppendDataBlocked appends a DATA_BLOCKED frame.
func AppendDataBlocked(b []byte, limit uint64) []byte {
	return AppendVarint(append(b, byte(FrameDataBlocked)), limit)
}

// MaxStreamData is a MAX_STREAM_DATA frame (RFC 9000, Section 19.10): the
// bytes that may be sent on one stream.
type MaxStreamData struct {
	ID  StreamID
	Max uint64
}

// ConsumeMaxStreamData reads a MAX_STREAM_DATA frame.
func ConsumeMaxStreamData(b []byte, f *MaxStreamData) int {
	r := reader{b: b}
	f.ID = StreamID(r.varint())
	f.Max = r.varint()
	return r.off
}

// AppendMaxStreamData appends f.
func AppendMaxStreamData(b []byte, f MaxStreamData) []byte {
	b = append(b, byte(FrameMaxStreamData))
	b = AppendVarint(b, uint64(f.ID))
	return AppendVarint(b, f.Max)
}

// StreamDataBlocked is a STREAM_DATA_BLOCKED frame (RFC 9000, Section 19.13):
// the stream's limit at which sending stopped.
type StreamDataBlocked struct {
	ID  StreamID
	Max uint64
}

// ConsumeStreamDataBlocked reads a STREAM_DATA_BLOCKED frame.
func ConsumeStreamDataBlocked(b []byte, f *StreamDataBlocked) int {
	return ConsumeMaxStreamData(b, (*MaxStreamData)(f))
}

// AppendStreamDataBlocked appends f.
func AppendStreamDataBlocked(b []byte, f StreamDataBlocked) []byte {
	b = append(b, byte(FrameStreamDataBlocked))
	b = AppendVarint(b, uint64(f.ID))
	return AppendVarint(b, f.Max)
}

// ConsumeMaxStreams reads a MAX_STREAMS frame of either type (RFC 9000,
// Section 19.11): how many streams may be opened in the connection's lifetime,
// at most MaxStreamCount.
func ConsumeMaxStreams(b []byte, max *uint64) int { return consumeStreamCount(b, max) }

// AppendMaxStreams appends a MAX_STREAMS frame for unidirectional or
// bidirectional streams.
func AppendMaxStreams(b []byte, uni bool, max uint64) []byte {
	return AppendVarint(append(b, byte(FrameMaxStreamsBidi)+uniBit(uni)), max)
}

// ConsumeStreamsBlocked reads a STREAMS_BLOCKED frame of either type (RFC
// 9000, Section 19.14): the limit at which opening stopped, at most
// MaxStreamCount.
func ConsumeStreamsBlocked(b []byte, limit *uint64) int { return consumeStreamCount(b, limit) }

// AppendStreamsBlocked appends a STREAMS_BLOCKED frame for unidirectional or
// bidirectional streams.
func AppendStreamsBlocked(b []byte, uni bool, limit uint64) []byte {
	return AppendVarint(append(b, byte(FrameStreamsBlockedBidi)+uniBit(uni)), limit)
}

// uniBit is the difference between the two types of the frames that count
// streams.
func uniBit(uni bool) byte {
	if uni {
		return 1
	}
	return 0
}

func consumeInto(b []byte, v *uint64) int {
	r := reader{b: b}
	*v = r.varint()
	return r.off
}

func consumeStreamCount(b []byte, v *uint64) int {
	r := reader{b: b}
	*v = r.varint()
	r.check(*v <= MaxStreamCount)
	return r.off
}
