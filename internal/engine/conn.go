package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// connState is where a connection is in its life.
type connState uint8

const (
	stateHandshake   connState = iota // keys are being agreed
	stateEstablished                  // the handshake is complete
	stateClosing                      // we closed (RFC 9000, Section 10.2.1)
	stateDraining                     // the peer closed (RFC 9000, Section 10.2.2)
	stateReleased                     // forgotten
)

// Conn is one QUIC connection as a state machine. It has no socket, clock,
// goroutine or lock; one goroutine drives it:
//
//	Endpoint.HandleDatagram, HandleDeadline   what happened
//	OpenStream, StreamWritten, Close, …       what the application wants
//	PollTransmit, Deadline, PollEvents        what to do now
//
// After any number of calls of the first two kinds the driver polls until
// PollTransmit has nothing left.
type Conn struct {
	// App is the owner's own value; the engine does not touch it.
	App any

	endpoint *Endpoint
	config   *Config

	side    wire.Side
	state   connState
	waiting eventSet // those in events that are of no stream
	version wire.Version

	tls   TLS
	hs    *handshakeState // until the handshake is confirmed
	space numberSpace     // of 1-RTT packets
	keys  protect.AppKeys
	peer  peerParams

	loss    recovery.Detector
	ecn     ecnCounts
	paths   path.Set
	answers *pathAnswers
	ids     connIDs

	streams streams
	flow    connFlow

	handshakeDone sentVal // HANDSHAKE_DONE, a server's

	deadlines deadlines
	idle      idleState
	events    []Event     // from polled on
	polled    int32       // of events
	place     Place       // a server's, at the gate
	datagrams *Datagrams  // nil unless Config.Datagrams
	end       *closeState // nil while the connection lives

	tracer   *tracer // nil for nobody
	counters Counters
}

// numberSpace is one packet number space.
type numberSpace struct {
	sent     recovery.Space
	received received
	crypto   cryptoStream
	probes   uint8             // packets a probe timeout asks for
	quiet    uint8             // packets without ack-eliciting frames in a row
	ping     bool              // a PING is wanted
	tokenDue bool              // NEW_TOKEN is, a server's; of the 1-RTT space, and here as it takes no room
	tokenAt  uint32            // when NEW_TOKEN was sent last, in seconds and one more; zero for never
	skipAt   wire.PacketNumber // the next number to be left out
}

// Side returns whether this is the client or the server of the connection.
func (c *Conn) Side() wire.Side { return c.side }

// TLS returns the handshake, for its connection state.
func (c *Conn) TLS() TLS { return c.tls }

// Path returns the addresses of the path that packets are sent on now.
func (c *Conn) Path() path.Addrs { return c.paths.Current.Addrs }

// Deadline returns when HandleDeadline must be called, zero for never. It may
// have changed after any call of another method.
func (c *Conn) Deadline() monotime.Time {
	if c.state < stateClosing {
		c.deadlines[slotLoss] = c.loss.Deadline(c.lossLimits())
	}
	return c.deadlines.next()
}

// PollEvents moves up to len(dst) events into dst and returns how many.
func (c *Conn) PollEvents(dst []Event) int {
	waiting := c.events[c.polled:]
	n := copy(dst, waiting)
	clear(waiting[:n])
	if c.polled += int32(n); n == len(waiting) {
		c.events, c.polled = c.events[:0], 0
	} else if int(c.polled) > len(c.events)/2 { // so that the slice does not grow without end
		left := copy(c.events, c.events[c.polled:])
		clear(c.events[left:])
		c.events, c.polled = c.events[:left], 0
	}
	for i := range dst[:n] {
		*c.waitingFor(dst[i].Stream) &^= 1 << dst[i].Kind
	}
	return n
}

// event tells the application something. What it was told and has not polled
// yet is not told again, so that a peer cannot pile up events.
func (c *Conn) event(kind EventKind, s *Stream) {
	waiting := c.waitingFor(s)
	if *waiting>>kind&1 != 0 {
		return
	}
	*waiting |= 1 << kind
	if c.events == nil {
		c.events = make([]Event, 0, usualEvents)
	}
	c.events = append(c.events, Event{Kind: kind, Stream: s})
}

// usualEvents is how many events wait in a connection that is not a busy one.
const usualEvents = 8

// waitingFor returns which events about a stream, or about the connection for nil,
// wait to be polled.
func (c *Conn) waitingFor(s *Stream) *eventSet {
	if s == nil {
		return &c.waiting
	}
	return &s.waiting
}

// newConn makes the state both sides share. id is the client's first
// destination ID, from which the Initial keys come.
func newConn(now monotime.Time, e *Endpoint, side wire.Side, cfg *Config, addrs path.Addrs, tls TLS) *Conn {
	c := &Conn{
		endpoint: e,
		config:   cfg,
		side:     side,
		tls:      tls,
		hs:       newHandshakeState(),
		space:    newNumberSpace(),
	}
	e.spare.awake++
	c.loss = recovery.NewDetector(c)
	c.setSpaces()
	first := c.newPath(now, addrs)
	first.Peer = path.PeerID{} // its ID is not known yet
	if side == wire.ClientSide {
		first.Validate() // Section 8: the client chose the address
	}
	c.usePath(now, first)
	c.flow.init(cfg, &e.spare.blocks)
	if cfg.Datagrams {
		c.datagrams = &Datagrams{burst: datagramBurst{size: cfg.datagramBurst()}}
		c.datagrams.Out.Init(&c.flow.account.Account)
	}
	c.streams.init(c)
	return c
}

// setSpaces makes the new detector of losses know the packet number spaces.
func (c *Conn) setSpaces() {
	c.loss.MaxAckDelay = wire.DefaultMaxAckDelay
	c.loss.SetSpace(wire.InitialSpace, &c.hs.spaces[wire.InitialSpace].sent)
	c.loss.SetSpace(wire.HandshakeSpace, &c.hs.spaces[wire.HandshakeSpace].sent)
	c.loss.SetSpace(wire.AppSpace, &c.space.sent)
}

func newNumberSpace() numberSpace {
	return numberSpace{sent: recovery.NewSpace(), skipAt: firstSkip}
}

// numberSpace returns a space, nil when it was discarded.
func (c *Conn) numberSpace(id wire.Space) *numberSpace {
	if id == wire.AppSpace {
		return &c.space
	}
	if c.hs == nil || c.hs.discarded[id] {
		return nil
	}
	return &c.hs.spaces[id]
}

// peerValidated reports whether the peer surely knows our address to be ours.
func (c *Conn) peerValidated() bool {
	return c.side == wire.ServerSide || c.hs == nil || c.hs.peerValidated
}

// lossLimits are the facts about the handshake for the probe timeout. A client that
// waits for the rest of the server's flight goes on probing even when its address is
// validated: its acknowledgments may be what was lost, and the server, which knows
// no round-trip time without them, would take seconds to find out.
func (c *Conn) lossLimits() recovery.Limits {
	return recovery.Limits{
		Confirmed:        c.confirmed(),
		HandshakeKeys:    c.canSeal(wire.HandshakeLevel),
		PeerValidated:    c.peerValidated() && (c.established() || c.side == wire.ServerSide),
		AmplificationCap: c.paths.Current.Allowance() < uint64(c.datagramSize()), // no datagram may leave
	}
}
