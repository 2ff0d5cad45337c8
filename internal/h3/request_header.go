package h3

import (
	"bytes"
	"fmt"
	"io"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// readHeader reads what has arrived of the header section: of a request, or of
// responses up to the final one. When the host has been told of that, rs may be
// another's already.
func (rs *RequestStream) readHeader(now monotime.Time) {
	sc := getScratch()
	defer sc.release()
	for {
		n, err := rs.stream.Read(sc.buf[:])
		if !rs.takeBytes(now, sc, sc.buf[:n]) {
			return
		}
		switch {
		case err == io.EOF:
			rs.refuse(rs.reader.Finish())
			return
		case err != nil:
			rs.abandon(err)
			return
		case n == 0:
			rs.awaitHeader()
			return
		}
	}
}

// takeBytes takes bytes of the stream, up to the end of the header section. It reports
// whether more of it is to be read now.
func (rs *RequestStream) takeBytes(now monotime.Time, sc *scratch, b []byte) (more bool) {
	for len(b) > 0 {
		if rs.phase == phasePaused {
			rs.pending = bytes.Clone(b)
			return false
		}
		piece, used, err := rs.reader.Next(b)
		b = b[used:]
		if err == nil && piece.Kind == PieceHeaders {
			if more, err = rs.takeSection(now, sc, piece.Bytes, b); err == nil && !more {
				return false
			}
		}
		if err != nil {
			rs.refuse(err)
			return false
		}
	}
	return rs.phase == phaseHeader
}

// takeSection takes an encoded header section, and what was read beyond it. It reports
// whether another section follows, as after an interim response; with an error the
// message is to be refused.
func (rs *RequestStream) takeSection(now monotime.Time, sc *scratch, section, rest []byte) (more bool, err error) {
	c := rs.conn
	if rs.isServer() {
		switch c.handler.Admit(rs) {
		case Busy:
			rs.reject()
			return false, nil
		case Flood:
			rs.abandon(errBusy) // there is no point in reading it
			return false, nil
		}
	}
	limit := rs.reader.MaxSection()
	large := c.loopSection > 0 && limit > int(c.loopSection)
	if large {
		limit = int(c.loopSection)
	}
	for {
		fields, err := rs.decode(sc, section, limit)
		switch {
		case err == qpack.ErrBlocked:
			again, err := rs.park(&LargeSection{rs: rs, section: bytes.Clone(section), rest: bytes.Clone(rest)})
			if !again {
				return false, err
			}
		case err == ErrSectionTooLarge && large:
			rs.readAside(section, rest)
			return false, nil
		case err != nil:
			return false, err
		default:
			return rs.takeFields(now, sc, fields, rest)
		}
	}
}

// takeFields takes a decoded header section, as takeSection does.
func (rs *RequestStream) takeFields(now monotime.Time, sc *scratch, fields []qpack.Field, rest []byte) (more bool, err error) {
	if rs.isServer() {
		if sc.request, err = rs.parseRequest(fields); err != nil {
			return false, err
		}
		return false, rs.acceptRequest(now, sc, &sc.request, rest)
	}
	if sc.response, err = rs.parseResponse(fields); err != nil {
		return false, err
	}
	return rs.takeResponse(now, sc, &sc.response, rest)
}

// takeResponse takes a response's header, as takeSection does.
func (rs *RequestStream) takeResponse(now monotime.Time, sc *scratch, h *ResponseHeader, rest []byte) (more bool, err error) {
	if h.Status < 200 {
		return true, rs.takeInterim(now, h)
	}
	rs.acceptResponse(now, sc, h, rest)
	return false, nil
}

// decode decodes a field section of the message into sc, of limit bytes at most,
// decoded.
func (rs *RequestStream) decode(sc *scratch, section []byte, limit int) ([]qpack.Field, error) {
	fields, err := rs.decodeWith(sc, section, limit)
	if err == qpack.ErrAbandoned {
		err = rs.whyAbandoned()
	}
	return fields, err
}

// decodeWith is decode for any goroutine.
func (rs *RequestStream) decodeWith(sc *scratch, section []byte, limit int) ([]qpack.Field, error) {
	var err error
	sc.fields, err = rs.conn.state.Decoder().AppendFields(&sc.decoder, &rs.sections, sc.fields[:0], section, limit)
	rs.conn.tellDecoded()
	if err == nil {
		rs.traceSection(sc.fields, len(section), false)
	}
	return sc.fields, err
}

// whyAbandoned returns why a section that arrived is not decoded.
func (rs *RequestStream) whyAbandoned() error {
	if _, err := rs.stream.Read(nil); err != nil && err != io.EOF {
		return err
	}
	return errGivenUp
}

// errTooManyFields says that a field section has more fields than allowed.
var errTooManyFields = fmt.Errorf("%w: too many fields", ErrSectionTooLarge)

// checkCount checks the number of fields of a section, without pseudo-header fields.
func (rs *RequestStream) checkCount(fields int) error {
	if limit := int(rs.conn.maxFields); limit > 0 && fields > limit {
		return errTooManyFields
	}
	return nil
}

// parseRequest takes a request's header section apart. A protocol that this end has
// not allowed to ask for makes it malformed.
func (rs *RequestStream) parseRequest(fields []qpack.Field) (RequestHeader, error) {
	h, err := ParseRequest(fields)
	if err == nil {
		err = rs.checkCount(len(h.Fields))
	}
	if err == nil && h.Protocol != "" && !rs.conn.state.TakesExtendedConnect() {
		err = malformed(":protocol without SETTINGS_ENABLE_CONNECT_PROTOCOL") // RFC 8441, Section 3
	}
	return h, err
}

// parseResponse takes a response's header section apart.
func (rs *RequestStream) parseResponse(fields []qpack.Field) (ResponseHeader, error) {
	h, err := ParseResponse(fields)
	if err == nil {
		err = rs.checkCount(len(h.Fields))
	}
	return h, err
}

// acceptRequest begins a request whose header section is well-formed, given what was
// read beyond it.
func (rs *RequestStream) acceptRequest(now monotime.Time, sc *scratch, h *RequestHeader, rest []byte) error {
	rs.headerArrived()
	rs.extended = h.Protocol != ""
	rs.reader.ExpectLength(h.ContentLength)
	if h.Method == "CONNECT" {
		rs.reader.Tunnel()
	}
	if err := rs.lookForEnd(sc, rest); err != nil {
		rs.abandon(err)
		return nil
	}
	if rs.ended && len(rs.pending) == 0 {
		// The header section is all of the request.
		if err := rs.reader.Finish(); err != nil {
			return err
		}
		rs.whole = true
	}
	rs.phase = phaseContent
	rs.conn.handler.HandleRequest(now, rs, h)
	return nil
}

// takeInterim takes an interim response. As in net/http, all of them together must not
// be larger than a header section.
func (rs *RequestStream) takeInterim(now monotime.Time, h *ResponseHeader) error {
	rs.reader.Interim()
	rs.interim += statusFieldSize
	for i := range h.Fields {
		rs.interim += h.Fields[i].Size()
	}
	if rs.interim > rs.reader.MaxSection() && !rs.anyInterim {
		return errInterim
	}
	return rs.conn.handler.HandleInterim(now, rs, h)
}

// statusFieldSize is the size of a response's only pseudo-header field (RFC 9114, Section
// 4.2.2).
var statusFieldSize = qpack.Field{Name: ":status", Value: "200"}.Size()

// acceptResponse begins the final response, given what was read beyond its header.
func (rs *RequestStream) acceptResponse(now monotime.Time, sc *scratch, h *ResponseHeader, rest []byte) {
	rs.headerArrived()
	switch {
	case rs.request == requestConnect && h.Status/100 == 2:
		rs.reader.Tunnel() // RFC 9110, Section 9.3.6
	case rs.request == requestHead, h.Status == 204, h.Status == 304:
		rs.reader.ExpectLength(0)
	default:
		rs.reader.ExpectLength(h.ContentLength)
	}
	rs.pending = append(rs.early[:0], rest...)
	if len(rest) <= maxLook {
		rs.lookOnce(sc.buf[:responseLook])
		rs.early = rs.pending[:0]
	}
	rs.whole = rs.ended && len(rs.pending) == 0 && rs.reader.Finish() == nil
	rs.phase = phaseContent
	rs.conn.handler.HandleResponse(now, rs, h)
}

// What has come beyond a response's header section is looked at in the hope that it is all,
// in bytes: if there is more content, its reader has memory for it.
const (
	maxLook      = 3 << 10 // that were read with the header
	responseLook = 1 << 10 // beyond those
)

// lookOnce looks whether the stream ends here. What is wrong with it, reading the content
// shows.
func (rs *RequestStream) lookOnce(buf []byte) {
	n, err := rs.stream.Read(buf)
	rs.pending = append(rs.pending, buf[:n]...)
	rs.ended = err == io.EOF
}

// lookForEnd reads on, up to the size of a buffer, so that a small message is known to be
// complete before it is told of. The error is that of a reset.
func (rs *RequestStream) lookForEnd(sc *scratch, rest []byte) error {
	rs.pending = bytes.Clone(rest)
	for len(rs.pending) < len(sc.buf) {
		n, err := rs.stream.Read(sc.buf[:])
		rs.pending = append(rs.pending, sc.buf[:n]...)
		switch {
		case err == io.EOF:
			rs.ended = true
			return nil
		case err != nil || n == 0:
			return err
		}
	}
	return nil
}
