package port

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic/event"
)

// beginSession begins a session of the host's.
func (w *wtConn) beginSession(r *record) {
	h := w.http
	if r.id == 0 || r.id&peers != 0 || h.streams[r.id] != nil || w.sessions[r.id] != nil || !h.isClient {
		h.complain(r, fault(ErrCommand, "the handle %d of a session is in use, or none of a host's, or this is a server", r.id))
		return
	}
	s := &session{wt: w, id: r.id, x: &request{http: h}, streams: make(map[*wtStream]struct{})}
	s.x.session, s.x.rs.App = s, s.x
	w.sessions[s.id] = s
	fields, _, err := consumeFields(nil, r.payload)
	failed := checkFields(fields)
	if err != nil {
		failed = fault(ErrCommand, "the fields are not whole")
	}
	rest := []qpack.Field(nil)
	authority, path := "", "/"
	for _, f := range fields {
		switch f.Name {
		case ":authority":
			authority = f.Value
		case ":path":
			path = f.Value
		case ":subprotocol":
			s.offered = append(s.offered, f.Value)
		default:
			rest = append(rest, f)
		}
	}
	s.x.fields = append([]qpack.Field{
		{Name: ":method", Value: "CONNECT"}, {Name: ":protocol", Value: wt.TokenOld}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: authority}, {Name: ":path", Value: path},
	}, rest...)
	if len(s.offered) > 0 {
		text, ok := wt.FormatProtocols(s.offered)
		if !ok && failed == nil {
			failed = fault(ErrCommand, "the name of a subprotocol is not ASCII")
		}
		s.x.fields = append(s.x.fields, qpack.Field{Name: wt.FieldAvailableProtocols, Value: text})
	}
	if failed == nil {
		failed = checkRequest(s.x.fields)
	}
	switch {
	case failed != nil:
	case h.goAway < 1<<62 || h.leaving:
		failed = fault(ErrGoAway, "the connection takes no more sessions")
	}
	switch {
	case failed != nil:
		s.never(failed)
	case w.machine.Settled():
		s.ask()
	default:
		w.awaitSettings(s)
	}
}

// ask asks the server for the session, now that its SETTINGS are known.
func (s *session) ask() {
	d, err := s.wt.machine.PrepareRequest()
	switch {
	case err == wt.ErrTooManySessions:
		s.never(fault(ErrLimit, "%v", err))
		return
	case err != nil:
		s.never(fault(ErrUnsupported, "%v", err))
		return
	}
	s.draft, s.asked = d, true
	s.x.fields[1].Value = d.Token()
	if d == wt.Draft02 {
		s.x.fields = append(s.x.fields, qpack.Field{Name: wt.FieldDraft02Offer, Value: wt.OfferDraft02})
	}
	s.wt.open(s.send)
}

// send sends the request, if the server allows a stream.
func (s *session) send() bool {
	if s.over {
		return true
	}
	h := s.wt.http
	below := h.newH3Stream(event.Stream{}, s.x)
	ref, err := h.turn.Open(false, below)
	switch {
	case err == event.ErrStreamLimit:
		return false
	case err != nil:
		s.never(describe(err))
		return true
	}
	below.Ref, s.x.below = ref, below
	h.machine.BeginRequest(&s.x.rs, ref.ID(), below, "CONNECT", true)
	s.x.rs.TakeDatagrams()
	if err := s.x.rs.SendHeaders(s.x.fields, false); err != nil {
		s.never(describe(err))
	}
	s.x.fields = nil
	return true
}

// answered takes the server's response.
func (s *session) answered(head *h3.ResponseHeader) {
	h := s.wt.http
	if s.over {
		return
	}
	fields := responseFields(head)
	if head.Status/100 != 2 {
		h.putFields(record{typ: uint8(EvRejected), id: s.id}, fields)
		s.x.rs.Cancel(h3.RequestCancelled)
		s.x.rs.Abandon()
		s.never(&none)
		return
	}
	chosen := []string{}
	for _, f := range head.Fields {
		if f.Name == wt.FieldProtocol {
			chosen = append(chosen, f.Value)
		}
	}
	protocol, err := wt.CheckProtocol(s.offered, strings.Join(chosen, ", "), false)
	if err != nil {
		s.x.rs.Cancel(wt.CodeALPN) // Section 3.3 of the draft
		s.x.rs.Abandon()
		s.never(fault(ErrUnsupported, "%v", err))
		return
	}
	s.begin(protocol)
	if protocol != "" {
		fields = append(fields[:1:1], append(pseudo(":subprotocol", protocol), fields[1:]...)...)
	}
	h.putFields(record{typ: uint8(EvSessionOpen), id: s.id, aux: uint16(s.draft)}, fields)
	s.opened()
}
