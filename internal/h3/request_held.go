package h3

import (
	"bytes"
	"io"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// LargeSection is a header section that is kept, and what was read beyond it: it waits
// for insertions into the dynamic table, or is decoded on another goroutine. The rest
// of the stream stays where flow control counts it (RFC 9204, Section 2.2.1).
type LargeSection struct {
	rs            *RequestStream
	section, rest []byte

	// Of a section decoded elsewhere:
	request  RequestHeader // one of both
	response ResponseHeader
	err      error
}

// headerSlack is what the unfinished header sections of a connection may have in all,
// in bytes, beyond the largest one. They arrive one after the other, unless something
// is lost.
const headerSlack = 64 << 10

// holdHeader notes how many bytes are kept of a header section that is not complete, or
// not decoded. Flow control does not count them any more. It reports whether there is
// room for them. For responses there always is, but for tunnels': a client asks for as many
// as it likes, of a server that it has chosen.
func (rs *RequestStream) holdHeader(n int) bool {
	c, more := rs.conn, n-rs.heldBytes
	rs.heldBytes = n
	within := c.transport.CountBuffered(more)
	if !rs.isServer() && !rs.extended {
		return true
	}
	c.held += int64(more)
	return more <= 0 || within && c.held <= int64(c.maxSection)+headerSlack
}

// awaitHeader counts what is kept of a header section that has begun, and bounds the
// time in which the rest must arrive. Most come whole, so that it is rarely called.
func (rs *RequestStream) awaitHeader() {
	if !rs.holdHeader(rs.reader.Held()) {
		rs.reject()
		return
	}
	rs.limitTime()
}

// limitTime sets the deadline after which the header section is refused.
func (rs *RequestStream) limitTime() {
	c := rs.conn
	if c.headerTimeout <= 0 || !rs.deadline.IsZero() {
		return
	}
	// All have the same time, so the list is in the order of their deadlines.
	rs.waited = true
	rs.deadline = c.now.Add(c.headerTimeout)
	if rs.prev = c.last; rs.prev != nil {
		rs.prev.next = rs
	} else {
		c.late = rs
	}
	c.last = rs
}

// headerArrived ends awaitHeader.
func (rs *RequestStream) headerArrived() {
	if rs.heldBytes > 0 {
		rs.holdHeader(0)
	}
	if rs.deadline.IsZero() {
		return
	}
	c := rs.conn
	if rs.prev != nil {
		rs.prev.next = rs.next
	} else {
		c.late = rs.next
	}
	if rs.next != nil {
		rs.next.prev = rs.prev
	} else {
		c.last = rs.prev
	}
	rs.next, rs.prev, rs.deadline = nil, nil, 0
}

// park keeps a header section until its insertions have arrived. It reports whether
// they have meanwhile, so that decoding it can be tried again.
func (rs *RequestStream) park(s *LargeSection) (again bool, err error) {
	rs.waited = true
	rs.phase, rs.held = phaseHeld, s
	if !rs.holdHeader(len(s.section) + len(s.rest)) {
		rs.reject()
		return false, nil
	}
	parked, err := rs.conn.state.Decoder().Park(&rs.sections, s.section, rs)
	switch {
	case err != nil:
		return false, err
	case parked:
		rs.limitTime()
		return false, nil
	}
	rs.held, rs.phase = nil, phaseHeader
	return true, nil
}

// Blocked reports whether the header section waits for insertions.
func (rs *RequestStream) Blocked() bool { return rs.phase == phaseHeld }

// HandleUnblocked is called by the dynamic table: the insertions that a section waits
// for have arrived.
func (rs *RequestStream) HandleUnblocked() {
	switch {
	case rs.elsewhere:
		rs.conn.handler.HandleUnblocked(rs)
	case rs.phase == phaseHeld:
		rs.takeHeld(rs.conn.now)
	case rs.phase == phaseContent && rs.err == nil:
		rs.conn.handler.HandleContent(rs.conn.now, rs)
	}
}

// takeHeld takes a header section that was kept.
func (rs *RequestStream) takeHeld(now monotime.Time) {
	s := rs.held
	rs.held, rs.phase = nil, phaseHeader
	sc := getScratch()
	defer sc.release()
	more, err := rs.takeSection(now, sc, s.section, s.rest)
	rs.goOn(now, sc, s.rest, more, err)
}

// goOn reads on after a header section that was kept, if there is more to come: it was
// that of an interim response.
func (rs *RequestStream) goOn(now monotime.Time, sc *scratch, rest []byte, more bool, err error) {
	switch {
	case err != nil:
		rs.refuse(err)
	case more && rs.takeBytes(now, sc, rest):
		rs.readHeader(now)
	}
}

// checkHeld looks whether a stream was reset that is not read for now, perhaps after bytes
// that nobody will read before that.
func (rs *RequestStream) checkHeld() {
	if _, err := rs.stream.Read(nil); err != nil && err != io.EOF {
		rs.abandon(err)
	}
}

// Pause has nothing further be read of the header section, until Resume: a host calls it
// in Handler.HandleInterim, whose handling of an interim response takes longer.
func (rs *RequestStream) Pause() { rs.phase = phasePaused }

// Resume ends Pause. It does nothing when the stream has failed meanwhile.
func (rs *RequestStream) Resume(now monotime.Time) {
	if rs.phase != phasePaused {
		return
	}
	rs.conn.now = now
	rs.phase = phaseHeader
	rest := rs.pending
	rs.pending = nil
	sc := getScratch()
	defer sc.release()
	if rs.takeBytes(now, sc, rest) {
		rs.readHeader(now)
	}
}

// readAside has a header section decoded elsewhere that is too large for the goroutine
// of the connection.
func (rs *RequestStream) readAside(section, rest []byte) {
	rs.headerArrived()
	rs.waited = true
	// For as long as it takes to decode it. One alone always has room.
	if alone := rs.conn.held == 0; !rs.holdHeader(len(section)+len(rest)) && !alone {
		rs.reject()
		return
	}
	s := &LargeSection{rs: rs, section: bytes.Clone(section), rest: bytes.Clone(rest)}
	rs.phase, rs.held = phaseHeld, s
	rs.conn.handler.HandleLargeSection(rs, s)
}

// DecodeRequest decodes the section, on any goroutine, and returns the request's header
// for the host to begin with; nil if there is none. Conn.HandleDecoded is to be called next.
func (s *LargeSection) DecodeRequest() *RequestHeader {
	fields := s.decode()
	if s.err == nil {
		s.request, s.err = s.rs.parseRequest(fields)
	}
	if s.err != nil {
		return nil
	}
	return &s.request
}

// DecodeResponse is DecodeRequest for a client.
func (s *LargeSection) DecodeResponse() *ResponseHeader {
	fields := s.decode()
	if s.err == nil {
		s.response, s.err = s.rs.parseResponse(fields)
	}
	if s.err != nil {
		return nil
	}
	return &s.response
}

// decode returns the section's fields.
func (s *LargeSection) decode() (fields []qpack.Field) {
	sc := getScratch()
	defer sc.release()
	decoded, err := s.rs.decodeWith(sc, s.section, s.rs.reader.MaxSection())
	s.err = err
	return append(fields, decoded...)
}

// HandleDecoded goes on with a message whose header section was decoded elsewhere,
// unless it was given up meanwhile.
func (c *Conn) HandleDecoded(now monotime.Time, s *LargeSection) {
	c.now = now
	rs := s.rs
	if rs.held != s {
		return
	}
	rs.held, rs.phase = nil, phaseHeader
	sc := getScratch()
	defer sc.release()
	more, err := false, s.err
	switch {
	case err == qpack.ErrBlocked: // more was evicted than is allowed
		more, err = rs.takeSection(now, sc, s.section, s.rest)
	case err != nil:
	case rs.isServer():
		err = rs.acceptRequest(now, sc, &s.request, s.rest)
	default:
		more, err = rs.takeResponse(now, sc, &s.response, s.rest)
	}
	rs.goOn(now, sc, s.rest, more, err)
}
