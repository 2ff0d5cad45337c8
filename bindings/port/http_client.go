package port

import (
	"errors"
	"slices"
	"strconv"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic/event"
)

// do carries out a command.
func (h *httpConn) do(t event.Turn, r *record) {
	h.turn = t
	switch Command(r.typ) {
	case CmdRequest:
		h.beginRequest(t, r)
	case CmdRespond, CmdInform, CmdTrailers:
		h.doResponse(t, r)
	case CmdClose:
		if r.id == 0 {
			h.leave()
			return
		}
		h.doSession(t, r)
	case CmdDrain:
		if r.id == 0 {
			h.leave()
			return
		}
		h.doSession(t, r)
	case CmdOpen, CmdSession, CmdAccept, CmdExport:
		h.doSession(t, r)
	default:
		h.complain(r, fault(ErrCommand, "command %d is not for connections", r.typ))
	}
}

// doResponse carries out a command for a message.
func (h *httpConn) doResponse(t event.Turn, r *record) {
	s := h.streams[r.id]
	if s == nil {
		if h.wt != nil {
			h.doSession(t, r)
		}
		return
	}
	x, ok := s.carrier.(*request)
	if !ok || h.isClient && Command(r.typ) != CmdTrailers {
		h.complain(r, fault(ErrCommand, "there is nothing to answer"))
		return
	}
	switch Command(r.typ) {
	case CmdRespond:
		h.respond(t, r, x)
	case CmdInform:
		h.inform(r, x)
	case CmdTrailers:
		fields, _, err := consumeFields(nil, r.payload)
		failed := checkFields(fields)
		switch {
		case err != nil:
			failed = fault(ErrCommand, "the trailers are not whole")
		case x.unbegun():
			failed = fault(ErrCommand, "the response has not begun")
		}
		if failed != nil {
			h.complain(r, failed)
			return
		}
		s.endWith(t, fields)
	}
}

// beginRequest begins a request of the host's.
func (h *httpConn) beginRequest(t event.Turn, r *record) {
	if r.id == 0 || r.id&peers != 0 || h.streams[r.id] != nil || !h.isClient {
		h.complain(r, fault(ErrCommand, "the handle %d of a request is in use, or none of a host's, or this is a server", r.id))
		return
	}
	x := &request{http: h, whole: r.has(flagFin)}
	x.below = h.newH3Stream(event.Stream{}, x)
	x.rs.App = x
	x.stream = h.newStream(r.id, x)
	fields, _, err := consumeFields(nil, r.payload)
	x.fields = fields
	failed := checkRequest(fields)
	switch {
	case err != nil:
		failed = fault(ErrCommand, "the fields are not whole")
	case h.goAway < 1<<62 || h.leaving:
		failed = fault(ErrGoAway, "the connection takes no more requests")
	}
	if failed != nil {
		x.stream.end(failed)
		return
	}
	if x.whole {
		x.stream.out.over = true
	}
	if len(h.opens[0]) > 0 || !x.stream.open(t) {
		h.opens[0] = append(h.opens[0], x.stream)
	}
}

// checkRequest says what is wrong with the fields of a request.
func checkRequest(fields []qpack.Field) *failure {
	if failed := checkFields(fields); failed != nil {
		return failed
	}
	if _, err := h3.ParseRequest(fields); err != nil {
		violation := (*h3.StreamError)(nil)
		errors.As(err, &violation)
		return fault(ErrCommand, "no request: %s", violation.Reason)
	}
	return nil
}

// methodOf returns the method of a request, on which what its response may have depends.
func methodOf(fields []qpack.Field) string {
	i := slices.IndexFunc(fields, func(f qpack.Field) bool { return f.Name == ":method" })
	return fields[i].Value // checkRequest has seen to it
}

// open opens a stream of QUIC's for a request, and sends its header.
func (x *request) open(t event.Turn, s *stream) (err error) {
	x.enter(t)
	h := x.http
	if h.goAway < 1<<62 {
		return fault(ErrGoAway, "the connection takes no more requests")
	}
	size := 0
	for i := range x.fields {
		size += x.fields[i].Size()
	}
	if peer := h.machine.PeerSettings(); peer != nil && peer.MaxFieldSectionSize > 0 && uint64(size) > peer.MaxFieldSectionSize {
		return &failure{kind: ErrSize, code: peer.MaxFieldSectionSize, text: "the header section is larger than the server takes"}
	}
	if x.below.Ref, err = t.Open(false, x.below); err != nil {
		return err
	}
	h.machine.BeginRequest(&x.rs, x.below.Ref.ID(), x.below, methodOf(x.fields), false)
	s.isOpen = true
	err = x.rs.SendHeaders(x.fields, x.whole)
	x.fields = nil
	return err
}

// refuseFrom ends the requests that the server will not process.
func (h *httpConn) refuseFrom(id uint64) {
	for _, s := range h.streams {
		if x, ok := s.carrier.(*request); ok && s.isOpen && x.streamID() >= id {
			x.rs.Cancel(h3.RequestCancelled)
			x.rs.Abandon()
			s.end(fault(ErrGoAway, "the server did not process the request"))
		}
	}
}

// HandleInterim tells of an interim response.
func (h *httpConn) HandleInterim(_ monotime.Time, rs *h3.RequestStream, head *h3.ResponseHeader) error {
	x := rs.App.(*request)
	if x.stream != nil && x.session == nil {
		h.putFields(record{typ: uint8(EvInform), id: x.stream.id}, responseFields(head))
	}
	return nil
}

func responseFields(head *h3.ResponseHeader) []qpack.Field {
	return append([]qpack.Field{{Name: ":status", Value: strconv.Itoa(head.Status)}}, head.Fields...)
}

// HandleResponse tells of a response.
func (h *httpConn) HandleResponse(_ monotime.Time, rs *h3.RequestStream, head *h3.ResponseHeader) {
	x := rs.App.(*request)
	if x.session != nil {
		x.session.answered(head)
		return
	}
	r := record{typ: uint8(EvResponse), id: x.stream.id}
	if rs.Whole() {
		r.flags, x.stream.in.over = flagFin, true
	}
	h.putFields(r, responseFields(head))
	x.stream.deliver(h.turn)
}

// HandleFailed is called when no header section will come. Of a request at a server, the
// host knows nothing.
func (h *httpConn) HandleFailed(rs *h3.RequestStream, err error) {
	x := rs.App.(*request)
	switch {
	case x.session != nil:
		x.session.failed(describe(err))
	case x.stream != nil:
		x.stream.end(describe(err))
	}
}

// HandleContent is called when there is something to read.
func (h *httpConn) HandleContent(_ monotime.Time, rs *h3.RequestStream) {
	x := rs.App.(*request)
	switch {
	case x.session != nil:
		x.session.readContent()
	case x.stream != nil:
		x.stream.deliver(h.turn)
	}
}

// HandleUnblocked is of requests that are used elsewhere.
func (h *httpConn) HandleUnblocked(*h3.RequestStream) {}

// HandleWritable is called when there is room again, or the sending half has ended.
func (h *httpConn) HandleWritable(_ monotime.Time, rs *h3.RequestStream) {
	x := rs.App.(*request)
	switch {
	case x.session != nil:
		x.session.sendContent()
	case x.stream != nil:
		x.stream.flush(h.turn)
	}
}

// HandleStrayDatagrams ends nothing: datagrams are the sessions'.
func (h *httpConn) HandleStrayDatagrams(uint64) bool { return false }

// HandleHTTPDatagrams takes HTTP datagrams of a session.
func (h *httpConn) HandleHTTPDatagrams(_ monotime.Time, rs *h3.RequestStream, list [][]byte) {
	if h.wt == nil {
		return
	}
	for _, p := range list {
		h.wt.machine.HandleDatagram(now(h.turn), rs.ID(), p)
	}
	h.wt.pump()
}
