package wt

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// The reasons for which a request becomes no session.
var (
	ErrNotSupported    = errors.New("webtransport: the peer does not offer a known version of WebTransport")
	ErrNoDatagrams     = errors.New("webtransport: the client does not take datagrams, which its draft requires")
	ErrNoResetStreamAt = errors.New("webtransport: the client does not understand RESET_STREAM_AT, which its draft requires")
	ErrTooManySessions = errors.New("webtransport: too many sessions on the connection")
	ErrProtocol        = errors.New("webtransport: no subprotocol that both ends know")
)

// Request is what a server has to know of an extended CONNECT request to tell
// whether it can become a session.
type Request struct {
	Token         string // its :protocol, which IsToken knows
	OffersDraft02 bool   // it has FieldDraft02Offer
}

// Refusal says how to answer a request that does not become a session.
type Refusal struct {
	Status int          // of the response; 0 for none, as the stream is to be reset
	Code   h3.ErrorCode // to reset it with
	Err    error
}

// Settled reports whether the peer's SETTINGS are known.
func (c *Conn) Settled() bool { return c.settled }

// CheckRequest returns the draft that a client's request is of, or how to refuse
// it. It may be called once the client's SETTINGS are known: before, nothing says
// what it speaks (Section 3.1).
func (c *Conn) CheckRequest(r Request) (Draft, *Refusal) {
	d, ok := c.serverDraft(r)
	switch {
	case !ok:
		return 0, &Refusal{Status: 501, Err: ErrNotSupported}
	case !c.offer.datagrams && d.FlowControl():
		return 0, &Refusal{Code: h3.MessageError, Err: ErrNoDatagrams} // Section 3.1
	case !c.offer.meets(d):
		return 0, &Refusal{Code: h3.MessageError, Err: ErrNoResetStreamAt} // Section 3.1
	}
	return d, nil
}

// PrepareRequest returns the draft in which a client is to ask for a session, and
// counts that, so that Begin or Abandon must follow. It may be called once the
// server's SETTINGS are known. With ErrNotSupported, a connection that is for
// WebTransport alone may be closed with CodeRequirementsNotMet (Section 3.1).
func (c *Conn) PrepareRequest() (Draft, error) {
	switch {
	case c.refused != nil:
		return 0, c.refused
	case len(c.offer.drafts) == 0 || !c.offer.datagrams || !c.offer.meets(c.offer.drafts[0]):
		return 0, ErrNotSupported
	case !c.admit(c.offer.drafts[0]):
		return 0, ErrTooManySessions
	}
	return c.offer.drafts[0], nil
}

// Abandon takes back what Admit or PrepareRequest counted: no session will come of
// it.
func (c *Conn) Abandon() { c.release() }

// Begin begins the session of an admitted request, whose stream has this ID, when a
// server has accepted it or a client learns that it was. What came of it before
// joins it.
func (c *Conn) Begin(now monotime.Time, id uint64, d Draft, protocol string) *Session {
	s := newSession(c, id, d, protocol)
	if c.over != nil {
		s.finished = true
		s.end(c.over)
		return s
	}
	c.sessions[id] = s
	s.heardAt(now)
	s.countRejected(c.takeRejected(id))
	for _, st := range c.takeBuffered(id) {
		s.addStream(now, st)
	}
	var early [][]byte
	c.early.Take(id, func(p []byte) { early = append(early, p) })
	c.count()
	for _, p := range early {
		s.datagrams.push(s, p)
	}
	return s
}

// HandleRefused takes note of an extended CONNECT request that will become no
// session, so that nothing needs to wait for it any more.
func (c *Conn) HandleRefused(id uint64) {
	for _, st := range c.takeBuffered(id) {
		st.refuse(CodeSessionGone)
	}
	c.early.Take(id, func([]byte) {})
	c.count()
	c.takeRejected(id)
	c.remember(id)
}
