package qlog

import (
	"time"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	// maxRecord is the length in bytes from which on an event lists no further
	// frames and ranges: a packet of PINGs would become twenty times as long.
	maxRecord = 16 << 10
	// maxReason is how many bytes of a peer's reason phrase are kept.
	maxReason = 1 << 10
	// ackDelayExponent is the default (RFC 9000, Section 18.2). Tracers do not
	// learn the value that was negotiated, and hardly anybody changes it.
	ackDelayExponent = 3
)

// frames lists the frames of a payload, up to the first that is malformed.
func (r *record) frames(payload []byte) {
	r.open("frames", '[')
	defer r.close(']')
	start := len(r.buf)
	for len(payload) > 0 && len(r.buf)-start < maxRecord {
		t, n := wire.ConsumeFrameType(payload)
		if n < 0 {
			return
		}
		used := r.frame(t, payload[n:])
		if used < 0 {
			r.open("", '{')
			r.unknown(t, len(payload))
			r.close('}')
			return
		}
		payload = payload[n+used:]
	}
}

// frame adds the frame of type t whose fields b begins with, and returns their
// length. It returns -1 and adds nothing when the frame is malformed or unknown.
func (r *record) frame(t wire.FrameType, b []byte) int {
	mark := len(r.buf)
	r.open("", '{')
	n := -1
	switch {
	case t.IsStream():
		n = r.streamFrame(t, b)
	case t == wire.FrameAck, t == wire.FrameAckECN:
		n = r.ackFrame(t, b)
	case t == wire.FramePadding:
		n = wire.ConsumePadding(b)
		r.word("frame_type", "padding")
		r.rawLength("payload_length", n+1)
	case t == wire.FramePing:
		n = 0
		r.word("frame_type", "ping")
	case t == wire.FrameHandshakeDone:
		n = 0
		r.word("frame_type", "handshake_done")
	case t >= wire.FrameMaxData && t <= wire.FrameStreamsBlockedUni:
		n = r.flowFrame(t, b)
	case t == wire.FrameCrypto:
		n = r.cryptoFrame(b)
	default:
		n = r.rareFrame(t, b)
	}
	if n < 0 {
		r.buf = r.buf[:mark]
		return -1
	}
	r.close('}')
	return n
}

// unknown says that the rest of a packet, length bytes, begins with a frame that
// cannot be read.
func (r *record) unknown(t wire.FrameType, length int) {
	r.word("frame_type", "unknown")
	r.uint("frame_type_bytes", uint64(t))
	r.rawLength("length", length)
}

func (r *record) streamFrame(t wire.FrameType, b []byte) int {
	var f wire.Stream
	n := wire.ConsumeStream(t, b, &f)
	r.word("frame_type", "stream")
	r.uint("stream_id", uint64(f.ID))
	r.uint("offset", f.Offset)
	if f.Fin {
		r.bool("fin", true)
	}
	r.rawLength("length", len(f.Data))
	return n
}

func (r *record) cryptoFrame(b []byte) int {
	var f wire.Crypto
	n := wire.ConsumeCrypto(b, &f)
	r.word("frame_type", "crypto")
	r.uint("offset", f.Offset)
	r.rawLength("length", len(f.Data))
	return n
}

func (r *record) ackFrame(t wire.FrameType, b []byte) int {
	var f wire.Ack
	n := wire.ConsumeAck(t, b, &f)
	if n < 0 {
		return -1
	}
	r.word("frame_type", "ack")
	if f.Delay <= uint64(time.Hour/time.Microsecond) { // the rest is nonsense and may overflow
		r.millis("ack_delay", time.Duration(f.Delay<<ackDelayExponent)*time.Microsecond)
	}
	r.open("acked_ranges", '[')
	start := len(r.buf)
	for rng := range f.Ranges() {
		r.open("", '[')
		r.uint("", uint64(rng.Smallest))
		if rng.Largest != rng.Smallest {
			r.uint("", uint64(rng.Largest))
		}
		r.close(']')
		if len(r.buf)-start > maxRecord {
			break
		}
	}
	r.close(']')
	if f.ECN {
		r.uint("ect0", f.Counts.ECT0)
		r.uint("ect1", f.Counts.ECT1)
		r.uint("ce", f.Counts.CE)
	}
	return n
}

// reason writes a phrase of the peer's, which ought to be UTF-8.
func (r *record) reason(phrase []byte) {
	if len(phrase) == 0 {
		return
	}
	phrase = phrase[:min(len(phrase), maxReason)]
	if utf8.Valid(phrase) {
		r.text("reason", string(phrase))
	} else {
		r.hex("reason_bytes", phrase)
	}
}
