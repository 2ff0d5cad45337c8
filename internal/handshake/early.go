package handshake

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Early is how a Server deals with early data (RFC 9001, Section 4.6).
type Early struct {
	// Guard says whether a ticket is used for the first time. Each permits early data
	// once: so what is replayed is not accepted (RFC 8446, Section 8.1).
	Guard ReplayGuard
	// State is what an application's protocol wants to be as it was when a ticket was
	// made, for early data to be accepted: such as HTTP/3's settings (RFC 9001,
	// Section 4.6.1).
	State []byte
}

// earlyConn is what a Conn knows that may have early data.
type earlyConn struct {
	offered bool   // a server's client offers it
	params  []byte // the server's transport parameters, encoded, as long as they matter
	state   EarlyState

	// A client's server:
	at     string // where it is dialled
	strict bool   // it has other addresses as well
}

// EarlyState is the handshake of a connection that the application gets before it is
// complete.
type EarlyState struct {
	First    *tls.ConnectionState // as it was when early data began
	Complete chan struct{}        // closed when the handshake is complete; nil before Begin
	Accepted bool                 // the early data was; set before Complete is closed
}

// IsComplete reports whether the handshake is complete. The application gets a connection
// without early data, of which s is nil, only then. Any goroutine may call it.
func (s *EarlyState) IsComplete() bool {
	if s == nil {
		return true
	}
	select {
	case <-s.Complete:
		return true
	default:
		return false
	}
}

// Early returns the state that BeginEarly has begun, nil if it has not. Once the
// application has the connection, any goroutine may call it.
func (c *Conn) Early() *EarlyState {
	if c.early == nil || c.early.state.Complete == nil {
		return nil
	}
	return &c.early.state
}

// BeginEarly is called before the application gets the connection, if there is early data.
func (c *Conn) BeginEarly() { c.early.state.Complete = make(chan struct{}) }

// keepParameters keeps a copy of the server's transport parameters, where they matter.
func (c *Conn) keepParameters(params []byte) {
	if c.early != nil {
		c.early.params = bytes.Clone(params)
	}
}

// ReplayGuard remembers the tickets whose early data was accepted.
type ReplayGuard interface {
	// FirstUse notes a ticket, which was made at issued and permits no early data from
	// expires on. It reports whether it was not noted before, which it says only if it
	// is sure.
	FirstUse(ticket TicketID, issued, expires time.Time) bool
}

// TicketID is what a server tells its tickets apart by: random, and known to nobody else.
type TicketID = [16]byte

// earlyLifetime is how long a ticket permits early data, in wall time. It is a matter of
// what a guard has to remember: a day brings most clients back that will come at all.
const earlyLifetime = 24 * time.Hour

// The entries of tls.SessionState.Extra about early data, of a server's ticket and of a
// client's session.
const (
	ticketEarly  = "godwit 0-RTT ticket 1:"
	sessionEarly = "godwit 0-RTT session 1:"
	sessionAt    = "godwit 0-RTT address 1:"
)

// earlyTicket is what a server's ticket says of early data.
type earlyTicket struct {
	id     TicketID
	issued time.Time // to the millisecond
	params wire.TransportParameters
	state  []byte
}

func (t *earlyTicket) encode() []byte {
	b := append([]byte(ticketEarly), t.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.issued.UnixMilli()))
	params := wire.AppendTransportParameters(nil, &t.params)
	b = binary.BigEndian.AppendUint16(b, uint16(len(params)))
	return append(append(b, params...), t.state...)
}

// findExtra returns what follows a prefix in one of the entries.
func findExtra(extra [][]byte, prefix string) ([]byte, bool) {
	for _, b := range extra {
		if rest, ok := bytes.CutPrefix(b, []byte(prefix)); ok {
			return rest, true
		}
	}
	return nil, false
}

func decodeEarlyTicket(extra [][]byte) (t earlyTicket, ok bool) {
	b, ok := findExtra(extra, ticketEarly)
	if !ok || len(b) < len(t.id)+8+2 {
		return t, false
	}
	b = b[copy(t.id[:], b):]
	t.issued = time.UnixMilli(int64(binary.BigEndian.Uint64(b)))
	size := int(binary.BigEndian.Uint16(b[8:]))
	if b = b[10:]; len(b) < size {
		return t, false
	}
	var err error
	t.params, err = wire.ParseTransportParameters(b[:size], wire.ServerSide)
	t.state = b[size:]
	return t, err == nil
}

// remembered returns what of a server's encoded parameters is remembered.
func remembered(params []byte) (wire.TransportParameters, bool) {
	p, err := wire.ParseTransportParameters(params, wire.ServerSide)
	return p.Remembered(), err == nil
}

// ticketOptions returns what a server's ticket says.
func (c *Conn) ticketOptions() tls.QUICSessionTicketOptions {
	options := tls.QUICSessionTicketOptions{Extra: ticketExtra(c.version)}
	early := c.server.early
	if early == nil {
		return options
	}
	params, ok := remembered(c.early.params)
	if !ok {
		return options
	}
	t := earlyTicket{id: c.server.newTicket(), issued: c.server.now(), params: params, state: early.State}
	options.EarlyData = true
	options.Extra = append(options.Extra, t.encode())
	return options
}

// acceptsEarly reports whether a server accepts the early data that a client sends with a
// session. The last that is asked is the guard: a ticket is not used up for nothing.
func (c *Conn) acceptsEarly(s *tls.SessionState) bool {
	early := c.server.early
	if early == nil || !s.EarlyData || !c.early.offered {
		return false
	}
	t, ok := decodeEarlyTicket(s.Extra)
	params, okNow := remembered(c.early.params)
	now := c.server.now()
	expires := t.issued.Add(earlyLifetime)
	if !ok || !okNow || !now.Before(expires) || params.ReducedFrom(&t.params) != "" || !bytes.Equal(t.state, early.State) {
		return false
	}
	return early.Guard.FirstUse(t.id, t.issued, expires)
}

// earlyParameters returns what a client's session says of what the server lets early data
// do. It reports false if the client sends none with the session: with a choice of
// application protocols a server that rejects early data may choose another than it was
// meant for (RFC 9001, Section 4.6.2), and what is sent again would be of the wrong one.
func (c *Conn) earlyParameters(s *tls.SessionState) (params []byte, ok bool) {
	if c.early == nil || !s.EarlyData || len(c.client.NextProtos) != 1 {
		return nil, false
	}
	if at, _ := findExtra(s.Extra, sessionAt); c.early.strict && string(at) != c.early.at {
		return nil, false
	}
	return findExtra(s.Extra, sessionEarly)
}

// DialledAt says at which address a client's server is dialled, before Start. Strict is for
// servers with several addresses: early data is sent to the one that the session is from, as
// whoever sends it has decided for an address before it is known whether anybody is there.
func (c *Conn) DialledAt(addr netip.AddrPort, strict bool) {
	if c.early != nil {
		c.early.at, c.early.strict = addr.String(), strict
	}
}

// offerEarly has a client that resumes a session send early data, if it may.
func (c *Conn) offerEarly(s *tls.SessionState) {
	var params []byte
	if params, s.EarlyData = c.earlyParameters(s); s.EarlyData {
		c.push(engine.TLSEvent{Kind: engine.TLSEarlyParameters, Data: params})
	}
}

// remember adds to a client's session what the server lets early data do. Where the server
// asked for another key share, which it would do again, there is none: it rejects early data
// with that (RFC 8446, Section 4.2.10), and crypto/tls makes the binder of the second hello,
// which must not have the extension early_data, for one that has it. Then the handshake fails.
func (c *Conn) remember(s *tls.SessionState) {
	if c.early == nil || !s.EarlyData || c.state.HelloRetryRequest {
		return
	}
	if p, ok := remembered(c.early.params); ok {
		s.Extra = append(s.Extra, wire.AppendTransportParameters([]byte(sessionEarly), &p), []byte(sessionAt+c.early.at))
	}
}

// noteFirst keeps what early data begins with.
func (c *Conn) noteFirst() {
	if c.early.state.First != nil {
		return
	}
	state := c.quic.ConnectionState()
	if c.client != nil {
		state.NegotiatedProtocol = c.client.NextProtos[0] // else the handshake fails
	}
	c.early.state.First = &state
}

// rejectedEarly tells of a server's refusal before its parameters, which came with it.
func (c *Conn) rejectedEarly() {
	e := engine.TLSEvent{Kind: engine.TLSEarlyRejected}
	if last := len(c.events) - 1; last >= int(c.told) && c.events[last].Kind == engine.TLSPeerParameters {
		e, c.events[last] = c.events[last], e
	}
	c.push(e)
}
