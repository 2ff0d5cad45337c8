package port

import (
	"errors"
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// request is a request with its response, at either end. It carries the content of the
// stream that the host knows.
type request struct {
	rs       h3.RequestStream
	http     *httpConn
	below    *h3Stream
	stream   *stream  // nil while the host does not know of it
	session  *session // of an extended CONNECT request for WebTransport
	fields   []qpack.Field
	whole    bool // fields are all of a client's request
	answered bool // at a server, all of a response has been passed on
	begun    bool // at a server, a response
}

// errTrailers is what read returns in place of io.EOF when there are trailers.
var errTrailers = errors.New("port: there are trailers")

// unbegun reports whether this is a server whose response has not begun.
func (x *request) unbegun() bool { return !x.http.isClient && !x.begun }

// enter makes t the turn that the machine uses.
func (x *request) enter(t event.Turn) { x.http.turn = t }

func (x *request) read(t event.Turn, p []byte) (int, error) {
	x.enter(t)
	n, err := x.rs.Read(p)
	if err == io.EOF && len(x.rs.Trailers()) > 0 {
		err = errTrailers
	}
	return n, err
}

func (x *request) write(t event.Turn, p []byte, fin bool) (n int, err error) {
	x.enter(t)
	for {
		piece, last := p[n:], fin
		if left := x.rs.FrameLeft(); left > 0 && left < len(piece) {
			piece, last = piece[:left], false
		}
		m, err := x.rs.Write(piece, last)
		n += m
		if err != nil || m < len(piece) || n == len(p) {
			x.answered = x.answered || err == nil && fin && n == len(p)
			return n, err
		}
	}
}

func (x *request) reset(t event.Turn, code uint64) {
	x.enter(t)
	x.rs.Cancel(h3.ErrorCode(code))
	x.rs.Abandon()
	if x.stream != nil {
		x.stream.in.over = true
	}
}

func (x *request) stop(t event.Turn, code uint64) {
	x.enter(t)
	x.rs.StopReading(h3.ErrorCode(code))
}

func (x *request) prioritize(urgency uint8, incremental bool) {
	x.below.Ref.SetPriority(urgency, incremental)
}

func (x *request) commit() {} // a reset of a message leaves nothing of use

func (x *request) streamID() uint64 { return x.below.Ref.ID() }

// failed describes an error of reading. The connection's end is told in its own event.
func (x *request) failed(err error) *failure {
	var cancelled *quic.StreamError
	var violation *h3.StreamError
	if errors.As(err, &cancelled) || errors.As(err, &violation) || errors.Is(err, h3.ErrSectionTooLarge) {
		return describe(err)
	}
	return nil
}

// peerReset takes note that the peer has cancelled what it sends.
func (x *request) peerReset(err *quic.StreamError) {
	x.rs.StopReading(h3.ErrorCode(err.Code))
	switch {
	case x.session != nil:
		x.session.contentEnded(err)
	case x.stream != nil:
		x.stream.peerFailed(describe(err))
	}
}

// peerStopped takes note that the peer wants nothing more.
func (x *request) peerStopped(err *quic.StreamError) {
	if x.stream != nil {
		x.stream.peerStopped(describe(err))
	}
}

// over takes note that the stream has ended.
func (x *request) over() {
	h := x.http
	switch {
	case x.session != nil:
		x.session.requestOver()
	case x.stream == nil:
	default:
		if !h.isClient && x.answered {
			h.machine.AnsweredRequest()
		} else if !h.isClient {
			h.machine.WastedRequest()
		}
		x.stream.over()
	}
	h.closeIfOver()
}

// checkFields says what is wrong with fields that are to be sent, nil for nothing.
func checkFields(fields []qpack.Field) *failure {
	for i := range fields {
		name := fields[i].Name
		if len(name) > 0 && name[0] == ':' {
			name = name[1:]
		}
		if !h3.ValidFieldName(name) {
			return fault(ErrCommand, "invalid field name %q", fields[i].Name)
		}
		if !h3.ValidFieldValue(fields[i].Value) {
			return fault(ErrCommand, "invalid value of field %s", name) // which may be secret
		}
	}
	return nil
}
