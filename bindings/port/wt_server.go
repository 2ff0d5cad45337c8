package port

import (
	"net/url"
	"slices"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wt"
)

// acceptance is how the host accepts a session.
type acceptance struct {
	fields   []qpack.Field // of the response
	protocol string        // "" for none
}

// request takes a client's request for a session.
func (w *wtConn) request(x *request, head *h3.RequestHeader) {
	s := &session{wt: w, x: x, id: w.http.newID(), streams: make(map[*wtStream]struct{})}
	x.session = s
	x.fields = appendHead(nil, head)
	s.head.Token = head.Protocol
	offered := []string{}
	for _, f := range head.Fields {
		switch f.Name {
		case wt.FieldDraft02Offer:
			s.head.OffersDraft02 = true
		case wt.FieldAvailableProtocols:
			offered = append(offered, f.Value)
		}
	}
	s.offered = wt.OfferedProtocols(strings.Join(offered, ", "))
	x.rs.TakeDatagrams()
	if w.machine.Settled() {
		s.settled()
	} else {
		w.awaitSettings(s)
	}
}

// settled goes on when the peer's SETTINGS are known.
func (s *session) settled() {
	if s.over {
		return
	}
	if s.wt.http.isClient {
		s.ask()
		return
	}
	d, refusal := s.wt.machine.CheckRequest(s.head)
	if refusal != nil {
		s.refuse(refusal)
		s.never(&none) // the host need not know
		return
	}
	s.draft = d
	s.wt.sessions[s.id] = s
	r := record{typ: uint8(EvSession), id: s.id}
	if sameOrigin(s.x.fields) {
		r.flags = flagSecure
	}
	fields := s.x.fields
	s.x.fields = nil
	for _, name := range s.offered {
		fields = append(fields, qpack.Field{Name: ":subprotocol", Value: name})
	}
	s.wt.http.putFields(r, fields)
}

// sameOrigin reports whether a request comes from a page of its own host, or from none.
func sameOrigin(fields []qpack.Field) bool {
	host, origins := "", 0
	origin := ""
	for _, f := range fields {
		switch f.Name {
		case ":authority":
			host = f.Value
		case "origin":
			origin = f.Value
			origins++
		}
	}
	if origins == 0 {
		return true
	}
	u, err := url.Parse(origin)
	trim := func(host string) string { return strings.TrimSuffix(host, ":443") }
	return err == nil && origins == 1 && u.Scheme == "https" && strings.EqualFold(trim(u.Host), trim(host))
}

// refuse answers a request as the machine says; never takes note of it.
func (s *session) refuse(why *wt.Refusal) {
	if why.Status == 0 {
		s.x.rs.Cancel(why.Code)
		s.x.rs.Abandon()
	} else {
		s.x.rs.Answer(why.Status)
	}
}

// accept accepts the session, if there is a place for it.
func (s *session) accept(r *record) {
	h := s.wt.http
	fields, _, err := consumeFields(nil, r.payload)
	a := &acceptance{fields: pseudo(":status", "200")}
	var failed *failure
	for i, f := range fields {
		switch {
		case f.Name == ":status" && i == 0 && isStatus(f.Value, 200, 299):
			a.fields[0].Value = f.Value
		case f.Name == ":subprotocol" && slices.Contains(s.offered, f.Value):
			a.protocol = f.Value
		case strings.HasPrefix(f.Name, ":"):
			failed = fault(ErrCommand, "a session is not accepted with %s %q", f.Name, f.Value)
		default:
			a.fields = append(a.fields, f)
		}
	}
	if failed == nil {
		failed = checkFields(a.fields)
	}
	switch {
	case err != nil:
		failed = fault(ErrCommand, "the fields are not whole")
	case s.machine != nil || s.response != nil || h.isClient:
		failed = fault(ErrCommand, "the session has been accepted already, or is this end's")
	}
	if failed != nil {
		h.complain(r, failed)
		return
	}
	if text, ok := wt.FormatProtocols([]string{a.protocol}); ok && a.protocol != "" {
		a.fields = append(a.fields, qpack.Field{Name: wt.FieldProtocol, Value: text})
	}
	if s.head.OffersDraft02 {
		a.fields = append(a.fields, qpack.Field{Name: wt.FieldDraft02Answer, Value: wt.AnswerDraft02})
	}
	s.response = a
	s.wait = s.wt.machine.Admit(now(h.turn), s.draft)
	s.wait.App = s
	if !s.wait.Waits() {
		s.admitted()
	}
}

func pseudo(name, value string) []qpack.Field { return []qpack.Field{{Name: name, Value: value}} }

// admitted goes on when it is known whether there is a place for the session.
func (s *session) admitted() {
	if s.over {
		return
	}
	h, a := s.wt.http, s.response
	if refusal := s.wait.Refusal(); refusal != nil {
		s.wait = nil
		s.refuse(refusal)
		s.never(fault(ErrLimit, "%v", refusal.Err))
		return
	}
	s.wait = nil
	_ = s.x.rs.SendHeaders(a.fields, false) // the client may be gone
	h.machine.AnsweredRequest()
	s.begin(a.protocol)
	h.put(record{typ: uint8(EvSessionOpen), id: s.id, aux: uint16(s.draft), payload: appendFields(nil, nil)})
	s.opened()
}

// reject answers a request with something else than a session.
func (s *session) reject(r *record) {
	h := s.wt.http
	fields, content, err := consumeFields(nil, r.payload)
	failed := checkFields(fields)
	switch {
	case err != nil || len(fields) == 0 || fields[0].Name != ":status" || !isStatus(fields[0].Value, 300, 999):
		failed = fault(ErrCommand, "a session is refused with a :status from 300 to 999")
	case s.machine != nil || s.response != nil || h.isClient:
		failed = fault(ErrCommand, "the session has been accepted already, or is this end's")
	}
	if failed != nil {
		h.complain(r, failed)
		return
	}
	if s.x.rs.SendHeaders(fields, false) == nil {
		s.x.rs.SendLast(content)
	}
	s.x.rs.StopReading(h3.NoError)
	h.machine.WastedRequest()
	s.never(&none)
}
