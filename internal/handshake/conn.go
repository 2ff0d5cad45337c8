package handshake

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// The alerts that this package sends on its own (RFC 8446, Section 6).
const (
	alertUnexpectedMessage = 10
	alertIllegalParameter  = 47
	alertInternalError     = 80
)

// Conn is one side of a handshake. It implements engine.TLS and, like it, is to
// be used by one goroutine at a time.
//
// An error of crypto/tls may come up at any event. So that the engine hears of
// it from the call that caused it, the events of a call are collected before it
// returns, and a server begins when it knows the client's transport parameters.
type Conn struct {
	server *Server       // nil for a client
	client *tls.Config   // nil for a server, and when the handshake is complete
	quic   *tls.QUICConn // nil before it is begun, and when it is needed no more
	hello  *firstHello   // of a server's client, until crypto/tls has found the same in it

	background *background // where steps are taken that may block; nil for here

	early *earlyConn // nil for one that neither offers nor accepts early data

	version        wire.Version
	told           int32  // of events: those from here on are to be handed out
	ignoresTickets bool   // a client that resumes no sessions
	ticketHeader   uint8  // bytes seen of the header of a ticket that is ignored
	ticketLeft     uint32 // bytes of its body to come, as far as the header says

	events []engine.TLSEvent
	err    error                // what ended the handshake
	state  *tls.ConnectionState // nil until the handshake is complete
}

var _ engine.TLS = (*Conn)(nil)

// Start begins the handshake: see engine.TLS. params are copied. The error, or that of
// Finish, is an *engine.TLSAlert.
func (c *Conn) Start(v wire.Version, params []byte) error {
	c.version = v
	if c.server != nil {
		c.keepParameters(params)
		c.quic = tls.QUICServer(&tls.QUICConfig{TLSConfig: c.server.configs[v], EnableSessionEvents: c.early != nil})
	} else {
		c.free() // of a version that the server does not have
		c.quic = tls.QUICClient(&tls.QUICConfig{TLSConfig: c.client, EnableSessionEvents: true})
	}
	c.quic.SetTransportParameters(append([]byte{}, params...))
	if b := c.background; b != nil && (c.server != nil || b.starts) {
		return c.step(c.start)
	}
	return c.start()
}

// SetVersion implements engine.TLS.
func (c *Conn) SetVersion(v wire.Version) { c.version = v }

func (c *Conn) start() error {
	ctx := context.Background()
	if c.background != nil {
		ctx = c.background.ctx
	}
	if err := c.quic.Start(ctx); err != nil {
		return c.fail(err)
	}
	if c.server == nil {
		return c.collect()
	}
	return c.handleData(wire.InitialLevel, c.hello.data)
}

// HandleData takes handshake bytes from the peer. The error, or that of Finish, is
// an *engine.TLSAlert.
func (c *Conn) HandleData(level wire.Level, data []byte) error {
	switch {
	case c.err != nil:
		return c.err
	case c.hello != nil && !c.hello.whole:
		c.takeHello(data)
		return nil
	case c.background == nil || c.quic == nil:
		return c.handleData(level, data)
	}
	data = bytes.Clone(data)
	return c.step(func() error {
		err := c.handleData(level, data)
		if err == nil && c.server != nil && c.state != nil {
			_ = c.SendSessionTicket() // which would have to be a step of its own
		}
		return err
	})
}

// takeHello waits for all of the client's hello, and tells of what is in it for QUIC.
func (c *Conn) takeHello(data []byte) {
	h := c.hello
	h.data = append(h.data, data...)
	if h.params, h.early, h.whole = scanHello(h.data); !h.whole {
		return
	}
	if c.early != nil {
		c.early.offered = h.early
	}
	if h.params != nil {
		c.push(engine.TLSEvent{Kind: engine.TLSPeerParameters, Data: h.params})
	}
	c.push(engine.TLSEvent{Kind: engine.TLSNeedParameters})
}

func (c *Conn) handleData(level wire.Level, data []byte) error {
	if c.quic == nil {
		// A client has nothing to say after the handshake: QUIC updates keys
		// and authenticates clients by other means or not at all (RFC 9001,
		// Sections 4.4 and 6).
		err := errAfterEnd
		if c.ignoresTickets && c.state != nil && level == wire.OneRTTLevel {
			err = c.skipTickets(data)
		}
		if err != nil {
			return c.fail(err)
		}
		return nil
	}
	if err := c.quic.HandleData(tlsLevel(level), data); err != nil {
		alert := c.fail(err)
		if c.state != nil && alert.Code == alertInternalError {
			// What crypto/tls calls an internal error after the handshake is a
			// KeyUpdate, which QUIC forbids (RFC 9001, Section 6).
			alert.Code = alertUnexpectedMessage
		}
		return alert
	}
	return c.collect()
}

// NextEvent returns the next thing that happened.
func (c *Conn) NextEvent() engine.TLSEvent {
	if c.Pending() {
		return engine.TLSEvent{}
	}
	if int(c.told) == len(c.events) {
		c.forget()
		return engine.TLSEvent{}
	}
	c.told++
	return c.events[c.told-1]
}

// forget drops the events, and their memory when there will be few others.
func (c *Conn) forget() {
	clear(c.events)
	c.events, c.told = c.events[:0], 0
	if c.state != nil {
		c.events = nil
	}
}

// SendSessionTicket makes a server's NewSessionTicket message. It ends the need for
// crypto/tls's state, which is freed.
func (c *Conn) SendSessionTicket() error {
	if c.quic == nil || c.server == nil || c.state == nil {
		return c.err
	}
	if err := c.quic.SendSessionTicket(c.ticketOptions()); err != nil {
		return c.fail(err)
	}
	err := c.collect()
	c.quic = nil
	c.keepParameters(nil)
	return err
}

// ConnectionState returns what is known of the connection so far.
func (c *Conn) ConnectionState() tls.ConnectionState {
	switch {
	case c.state != nil:
		return *c.state
	case c.quic != nil:
		return c.quic.ConnectionState()
	}
	return tls.ConnectionState{}
}

// Complete returns what ConnectionState returns once the handshake is complete,
// and nil before. All who ask share it.
func (c *Conn) Complete() *tls.ConnectionState { return c.state }

// Close frees what the handshake holds, or leaves that to the step under way. No
// events follow.
func (c *Conn) Close() {
	if c.background == nil || !c.background.abandon() {
		c.free()
	}
}

func (c *Conn) free() {
	c.forget()
	if c.quic != nil {
		c.quic.Close() // the error is that of a handshake which is given up
		c.quic = nil
	}
}

// collect takes all events from crypto/tls.
func (c *Conn) collect() error {
	for {
		e := c.quic.NextEvent()
		switch e.Kind {
		case tls.QUICNoEvent:
			if c.state != nil && c.ignoresTickets {
				c.quic = nil
			}
			return nil
		case tls.QUICErrorEvent:
			return c.fail(e.Err)
		case tls.QUICResumeSession:
			if c.server == nil {
				c.offerEarly(e.SessionState)
			} else {
				e.SessionState.EarlyData = c.acceptsEarly(e.SessionState)
			}
		case tls.QUICRejectedEarlyData:
			c.rejectedEarly()
		case tls.QUICStoreSession:
			c.remember(e.SessionState)
			if err := c.quic.StoreSession(e.SessionState); err != nil {
				return c.fail(err)
			}
		case tls.QUICHandshakeDone:
			state := c.quic.ConnectionState()
			c.state, c.client = &state, nil
			c.push(engine.TLSEvent{Kind: engine.TLSHandshakeDone, Data: []byte(state.NegotiatedProtocol)})
		case tls.QUICTransportParameters:
			if c.server == nil {
				c.keepParameters(e.Data)
				c.forward(&e)
			} else if c.hello == nil || !bytes.Equal(e.Data, c.hello.params) {
				return c.fail(fmt.Errorf("handshake: a second hello has other transport parameters: %w", tls.AlertError(alertIllegalParameter)))
			}
			c.hello = nil
		default:
			c.forward(&e)
		}
	}
}

// forward hands out an event that carries data, which crypto/tls will overwrite.
func (c *Conn) forward(e *tls.QUICEvent) {
	out := engine.TLSEvent{Suite: protect.Suite(e.Suite), Data: bytes.Clone(e.Data)}
	switch e.Kind {
	case tls.QUICSetReadSecret:
		out.Kind = engine.TLSReadSecret
	case tls.QUICSetWriteSecret:
		out.Kind = engine.TLSWriteSecret
	case tls.QUICWriteData:
		out.Kind = engine.TLSWriteData
	case tls.QUICTransportParameters:
		out.Kind = engine.TLSPeerParameters
	default:
		return
	}
	if out.Level = levelOf(e.Level); out.Level == wire.ZeroRTTLevel {
		c.noteFirst()
	}
	c.push(out)
}

// usualEvents is how many events a call brings about at most, but for certificates
// of many messages.
const usualEvents = 8

func (c *Conn) push(e engine.TLSEvent) {
	if c.events == nil {
		c.events = make([]engine.TLSEvent, 0, usualEvents)
	}
	c.events = append(c.events, e)
}

// fail makes err, with the alert that it carries, the error of the handshake.
func (c *Conn) fail(err error) *engine.TLSAlert {
	code := tls.AlertError(alertInternalError)
	errors.As(err, &code)
	alert := &engine.TLSAlert{Code: uint8(code), Err: err, Violation: isViolation(err)}
	c.err = alert
	return alert
}

// levels are the encryption levels by crypto/tls's names for them.
var levels = [...]wire.Level{
	tls.QUICEncryptionLevelInitial:     wire.InitialLevel,
	tls.QUICEncryptionLevelEarly:       wire.ZeroRTTLevel,
	tls.QUICEncryptionLevelHandshake:   wire.HandshakeLevel,
	tls.QUICEncryptionLevelApplication: wire.OneRTTLevel,
}

func levelOf(l tls.QUICEncryptionLevel) wire.Level { return levels[l] }

// tlsLevel returns crypto/tls's name for a level.
func tlsLevel(l wire.Level) tls.QUICEncryptionLevel {
	return tls.QUICEncryptionLevel(slices.Index(levels[:], l))
}
