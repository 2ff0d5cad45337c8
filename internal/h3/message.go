package h3

import (
	"fmt"
	"io"
	"slices"

	"github.com/godwit-quic/godwit/internal/wire"
)

// PieceKind says what a MessageReader found.
type PieceKind uint8

// What a request stream consists of.
const (
	PieceNone     PieceKind = iota // nothing yet: more bytes are needed
	PieceHeaders                   // a header section, encoded
	PieceData                      // content, a part of a DATA frame
	PieceTrailers                  // a trailer section, encoded
)

// Piece is a part of a message. Bytes are valid until the next call of Next and
// as long as the bytes given to it.
type Piece struct {
	Kind  PieceKind
	Bytes []byte
}

// MessageReader finds a message in the bytes of a request stream, which arrive
// in pieces of any size, and holds its sender to the order of frames (RFC 9114,
// Section 4.1) and to its Content-Length. Content passes through; only an
// incomplete field section is stored, as it arrives, up to a limit.
type MessageReader struct {
	begun func(t FrameType, length uint64) // told of frames; nil for nobody

	frames     frameReader
	reader     wire.Side // the server reads requests, the client responses
	state      messageState
	maxSection int
	section    []byte // of the HEADERS frame at hand, what arrived before

	reserved []FrameType // of an extension

	hasLength bool
	length    uint64 // what Content-Length said is still to come, with hasLength
}

// messageState is what may come next:
//
//	expectHeaders ──HEADERS──▶ expectContent ──HEADERS──▶ expectEnd
//	      ▲                        │  ▲ │
//	      └───── Interim ──────────┘  └─┘ DATA
//
// A tunnel has DATA and no trailers.
type messageState uint8

const (
	expectHeaders messageState = iota
	expectContent
	expectTunnel
	expectEnd
)

// NewMessageReader returns a reader for one request stream. reader is the side
// that reads: a server reads a request, a client responses. maxSection is the
// size of the largest field section to accept, in bytes, as encoded here; the
// decoder counts it once more as decoded.
func NewMessageReader(reader wire.Side, maxSection int) MessageReader {
	return MessageReader{reader: reader, maxSection: maxSection}
}

// MaxSection returns the largest field section that is read, in bytes.
func (r *MessageReader) MaxSection() int { return r.maxSection }

// Next looks for the next piece in b and returns it with the number of bytes
// used up. It uses all of b when the piece is a PieceNone. Further errors follow
// the first one.
func (r *MessageReader) Next(b []byte) (p Piece, n int, err error) {
	for {
		if !r.frames.inFrame {
			if n == len(b) {
				return Piece{}, n, nil
			}
			n += r.frames.readHeader(b[n:])
			if !r.frames.inFrame {
				return Piece{}, n, nil
			}
			if err := r.beginFrame(); err != nil {
				return Piece{}, n, err
			}
		}
		payload := r.frames.payload(b[n:])
		n += len(payload)
		complete := r.frames.left == 0
		r.frames.inFrame = !complete
		switch r.frames.typ {
		case FrameData:
			if len(payload) > 0 {
				return Piece{PieceData, payload}, n, nil
			}
		case FrameHeaders:
			if complete {
				return r.endSection(payload), n, nil
			}
			r.section = append(r.section, payload...)
		}
		if !complete {
			return Piece{}, n, nil
		}
	}
}

// beginFrame checks the frame whose header has just been read.
func (r *MessageReader) beginFrame() error {
	t, length := r.frames.typ, r.frames.left
	if r.begun != nil {
		r.begun(t, length)
	}
	if r.reserved != nil && slices.Contains(r.reserved, t) {
		return misplaced(t)
	}
	switch t {
	case FrameData:
		switch {
		case r.state == expectHeaders:
			return unexpected(t, "before HEADERS")
		case r.state == expectEnd:
			return unexpected(t, "after trailers")
		case r.hasLength && length > r.length:
			return malformed("content is longer than Content-Length")
		}
		r.length -= length
	case FrameHeaders:
		switch {
		case r.state == expectEnd:
			return unexpected(t, "after trailers")
		case r.state == expectTunnel:
			return unexpected(t, "in a tunnel")
		case length > uint64(r.maxSection):
			return ErrSectionTooLarge
		}
	case FramePushPromise:
		if r.reader == wire.ServerSide {
			return unexpected(t, "from a client")
		}
		return &ConnError{IDError, "PUSH_PROMISE without permission"}
	case FrameCancelPush, FrameSettings, FrameGoAway, FrameMaxPushID, FramePriorityUpdate, FramePriorityUpdatePush:
		return unexpected(t, "on a request stream")
	default:
		if t.isHTTP2() {
			return unexpected(t, "of HTTP/2")
		}
	}
	return nil
}

// Held returns how many bytes are kept of a section that is not complete.
func (r *MessageReader) Held() int { return cap(r.section) }

// Drop gives up the memory of a section that is incomplete. Nothing must be read
// afterwards.
func (r *MessageReader) Drop() { r.section = nil }

// endSection returns the section that rest completes.
func (r *MessageReader) endSection(rest []byte) Piece {
	if len(r.section) > 0 {
		rest = append(r.section, rest...)
		r.section = nil
	}
	if r.state == expectHeaders {
		r.state = expectContent
		return Piece{PieceHeaders, rest}
	}
	r.state = expectEnd
	return Piece{PieceTrailers, rest}
}

// Interim says that the header section just read was that of an interim
// response (1xx), so that another one follows.
func (r *MessageReader) Interim() { r.state = expectHeaders }

// Tunnel says that the message just begun is a CONNECT request or its
// successful response: only DATA follows (RFC 9114, Section 4.4).
func (r *MessageReader) Tunnel() { r.state = expectTunnel }

// Reserve makes frames of these types a connection error. They are the signals of
// an extension that may only be the first bytes of a stream, where this reader
// does not see them.
func (r *MessageReader) Reserve(types ...FrameType) { r.reserved = types }

func misplaced(t FrameType) error {
	return &ConnError{FrameError, t.String() + ", which may only begin a stream"}
}

// ExpectLength says how many bytes of content must follow, 0 also for messages
// that cannot have any. A negative n leaves it open.
func (r *MessageReader) ExpectLength(n int64) {
	r.hasLength, r.length = n >= 0, uint64(max(n, 0))
}

// errShort is malformed content (RFC 9114, Section 4.1.2) that programs know by
// io.ErrUnexpectedEOF, which it is over the other versions of HTTP.
var errShort = fmt.Errorf("%w: %w", malformed("content is shorter than Content-Length"), io.ErrUnexpectedEOF)

// Finish says that the stream ended with a FIN, and returns the error this is
// when the message is not complete: a truncated frame is a connection error
// (RFC 9114, Section 7.1), a missing header section or less content than
// announced a stream error.
func (r *MessageReader) Finish() error {
	switch {
	case !r.frames.between():
		return &ConnError{FrameError, "stream ends within a frame"}
	case r.state == expectHeaders && r.reader == wire.ServerSide:
		return &StreamError{RequestIncomplete, "stream ends without a request"}
	case r.state == expectHeaders:
		return malformed("stream ends without a response")
	case r.hasLength && r.length > 0:
		return errShort
	}
	return nil
}
