// Package simh3 runs HTTP/3 connections over simulated networks, without a goroutine,
// socket or clock: a sim.App that gives the streams of an engine.Conn to an h3.Conn.
//
//	run := sim.Run{NewApp: func(side wire.Side) sim.App {
//		return simh3.New(h3.Config{Side: side}, newUser(side))
//	}}
package simh3

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// User is what an application does with HTTP/3.
type User interface {
	h3.Handler
	// Begin is called before SETTINGS are sent.
	Begin(h *Host)
	// Act acts as far as it can go now. An error ends the run.
	Act(now monotime.Time, h *Host) error
	// Check returns what was not as it must be, after the end.
	Check(h *Host, closed error) error
}

// Timed is what a User implements in addition if it has something to do though nothing
// has happened.
type Timed interface {
	// Deadline returns when Act is to be called, zero for never.
	Deadline() monotime.Time
}

// Host is a sim.App with an HTTP/3 connection.
type Host struct {
	Conn *h3.Conn
	QUIC *engine.Conn // nil before the handshake is complete

	conf h3.Config
	user User
	now  monotime.Time
}

// New returns an application whose connection begins when the handshake is complete.
func New(conf h3.Config, user User) *Host { return &Host{conf: conf, user: user} }

// Handle implements sim.App.
func (h *Host) Handle(now monotime.Time, c *engine.Conn, e engine.Event) {
	h.now = now
	switch e.Kind {
	case engine.EventHandshakeComplete:
		h.QUIC = c
		h.Conn = h3.NewConn(h.conf, transport{h}, h.user)
		h.user.Begin(h)
		h.Conn.Start(7)
	case engine.EventStreamOpened:
		h.Conn.HandleStream(now, uint64(e.Stream.ID), h.wrap(e.Stream))
	case engine.EventStreamReadable:
		if s, ok := e.Stream.App.(*stream); ok && s.handler != nil {
			s.handler.HandleReadable(now)
		}
	case engine.EventStreamWritable:
		if s, ok := e.Stream.App.(*stream); ok && s.handler != nil {
			s.handler.HandleWritable(now)
		}
	case engine.EventStreamsAvailable:
		h.Conn.HandleStreamsAvailable(now)
	case engine.EventDatagrams:
		h.Conn.HandleDatagrams(now, h.QUIC.PollDatagrams())
	case engine.EventClosed:
		if h.Conn != nil {
			h.Conn.HandleClose()
		}
	}
}

// Act implements sim.App.
func (h *Host) Act(now monotime.Time, _ *engine.Conn) error {
	if h.Conn == nil {
		return nil
	}
	h.now = now
	if at := h.Conn.Deadline(); !at.IsZero() && !at.After(now) {
		h.Conn.HandleDeadline(now)
	}
	return h.user.Act(now, h)
}

// Deadline implements sim.App.
func (h *Host) Deadline() monotime.Time {
	if h.Conn == nil {
		return 0
	}
	at := h.Conn.Deadline()
	if t, ok := h.user.(Timed); ok {
		at = monotime.Earliest(at, t.Deadline())
	}
	return at
}

// Check implements sim.App.
func (h *Host) Check(closed error) error { return h.user.Check(h, closed) }

// Open opens a stream that this end begins. It returns nil while the peer allows none.
func (h *Host) Open(uni bool) (id uint64, s h3.Stream) {
	e, err := h.QUIC.OpenStream(uni)
	if err != nil {
		return 0, nil
	}
	return uint64(e.ID), h.wrap(e)
}

// Close closes the connection after what was written.
func (h *Host) Close(code h3.ErrorCode) { h.QUIC.CloseAfterSending(h.now, uint64(code), "") }

// Below returns the engine's stream below one of a Host's.
func Below(s h3.Stream) *engine.Stream { return s.(*stream).s }

func (h *Host) wrap(e *engine.Stream) *stream {
	s := &stream{host: h, s: e}
	e.App = s
	return s
}

// stream is an engine.Stream as an h3.Stream.
type stream struct {
	host    *Host
	s       *engine.Stream
	handler h3.StreamHandler
}

func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.s.Recv.Err()
	}
	n, err := s.s.Recv.Read(p)
	if s.s.Recv.Consumed() {
		s.host.QUIC.StreamConsumed(s.host.now, s.s)
	}
	return n, err
}

func (s *stream) Write(p []byte, fin bool) (n int, err error) {
	if fin {
		n, err = s.s.Send.WriteLast(p)
	} else {
		n, err = s.s.Send.Write(p)
	}
	s.host.QUIC.StreamWritten(s.s)
	return n, err
}

func (s *stream) Room() int { return s.s.Send.Room() }

func (s *stream) Reset(code h3.ErrorCode) { s.host.QUIC.ResetStream(s.s, uint64(code)) }

func (s *stream) Stop(code h3.ErrorCode) { s.host.QUIC.StopSending(s.host.now, s.s, uint64(code)) }

func (s *stream) SetHandler(h h3.StreamHandler) { s.handler = h }

// transport is a Host as an h3.Transport.
type transport struct{ *Host }

func (t transport) OpenUni(h h3.StreamHandler) h3.Stream {
	e, err := t.QUIC.OpenStream(true)
	if err != nil {
		return nil
	}
	t.QUIC.SetPriority(e, 0, true)
	s := t.wrap(e)
	s.handler = h
	return s
}

func (t transport) SendDatagram(quarterID, p []byte) error {
	return t.QUIC.Datagrams().Out.Send(quarterID, p)
}

func (t transport) Close(code h3.ErrorCode, reason string) {
	t.QUIC.Close(t.now, uint64(code), reason)
}

func (t transport) CountBuffered(n int) bool { return t.QUIC.CountBuffered(n) }

func (t transport) Post(f func()) { f() }
