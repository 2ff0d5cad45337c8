package webtransport

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Session is a WebTransport session: streams in both directions and datagrams.
// Its methods may be called from any goroutine.
type Session struct {
	hub      *hub
	conn     *quic.Conn
	tunnel   h3ext.Tunnel
	machine  *wt.Session
	counts   bool // what is read has to be counted, or its time to be known
	ctx      context.Context
	cancel   context.CancelCauseFunc
	draining chan struct{}
	ended    atomic.Bool // the session has

	// Guarded by the hub's lock:
	err      error     // why the session ended, as the application sees it
	incoming [2]waiter // for streams to accept, by wt.Kind
}

// begin begins the session of an admitted request. f is called on the loop when the
// session's CONNECT stream is over.
func (h *hub) begin(t h3ext.Tunnel, d wt.Draft, protocol string, f func()) *Session {
	s := &Session{hub: h, conn: t.QUIC(), tunnel: t, draining: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	h.tell(func(m *wt.Conn) {
		s.machine = m.Begin(h.now(), t.StreamID(), d, protocol)
		s.machine.App = s
		s.counts = s.machine.FlowControlled() || h.timed
	})
	event.Run(s.conn, func(turn event.Turn) {
		t.WhenOver(turn, func() {
			h.tell(func(*wt.Conn) { s.machine.HandleOver() })
			f()
		})
		t.Serve(turn, tunnelEvents{s})
	})
	return s
}

// execute does what the machine says. Without a Turn the connection has ended, and
// there is nothing to send on.
func (s *Session) execute(t event.Turn, e wt.Event) {
	switch e.Kind {
	case wt.EventIncoming:
		s.hub.wake(&s.incoming[e.Stream.Kind()])
	case wt.EventDatagram:
		s.moveDatagrams()
	case wt.EventDraining:
		close(s.draining)
	case wt.EventEnded:
		s.end()
	case wt.EventContent:
		if t != (event.Turn{}) {
			s.sendContent(t)
		}
	case wt.EventFinish:
		if t != (event.Turn{}) {
			s.tunnel.SendLast(t, e.Data)
		}
	case wt.EventAbort:
		s.tunnel.Reset(e.Code)
	case wt.EventStopReading:
		s.tunnel.StopReading(e.Code)
	}
}

// end tells everybody that the session has ended.
func (s *Session) end() {
	err := s.endedWith()
	s.ended.Store(true)
	s.tunnel.CloseDatagrams(err)
	s.cancel(err)
	for k := range s.incoming {
		s.hub.wake(&s.incoming[k])
	}
}

// moveDatagrams hands datagrams over that came in capsules.
func (s *Session) moveDatagrams() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for p, ok := s.machine.ReceiveDatagram(); ok; p, ok = s.machine.ReceiveDatagram() {
		s.tunnel.PushDatagram(p)
	}
}

// sendContent sends what the machine has to say. While the peer has not taken what it
// was told before, nothing is sent: HandleWritable is the next to look.
func (s *Session) sendContent(t event.Turn) {
	s.hub.mu.Lock()
	owes := s.machine.Owes()
	s.hub.mu.Unlock()
	if !owes || s.tunnel.Unsent(t) > 0 {
		return
	}
	s.hub.mu.Lock()
	b := s.machine.PollContent(nil)
	s.hub.mu.Unlock()
	if len(b) > 0 {
		s.tunnel.Send(t, b)
	}
}

// tunnelEvents is a Session as its tunnel's handler.
type tunnelEvents struct{ *Session }

func (s tunnelEvents) HandleData(t event.Turn, p []byte) {
	s.hub.handle(t, func(*wt.Conn) {
		s.machine.HandleContent(turnNow(t), p)
	})
}

func (s tunnelEvents) HandleEnd(t event.Turn, err error) {
	s.hub.handle(t, func(*wt.Conn) {
		s.machine.HandleContentEnd(turnNow(t), err)
	})
}

func (s tunnelEvents) HandleWritable(t event.Turn) { s.sendContent(t) }

// ID returns the session's ID: that of its CONNECT stream.
func (s *Session) ID() uint64 { return s.machine.ID() }

// Draft returns the version of the protocol in use, for diagnostics.
func (s *Session) Draft() Draft { return Draft(s.machine.Draft()) }

// Protocol returns the subprotocol that was chosen, "" for none.
func (s *Session) Protocol() string { return s.machine.Protocol() }

// FlowControlled reports whether the session has flow control of its own, beyond QUIC's, as
// both ends want it (Section 5.1). It is of interest where one session may hold up others.
func (s *Session) FlowControlled() bool { return s.machine.FlowControlled() }

// Context is cancelled when the session has ended, with the error as its cause: a
// *SessionError when it was closed, otherwise the error of the CONNECT stream or
// of the connection.
func (s *Session) Context() context.Context { return s.ctx }

// Draining returns a channel that is closed when the peer, or this end's server in
// its shutdown, asks for the session to be ended soon.
func (s *Session) Draining() <-chan struct{} { return s.draining }

// Drain asks the peer to end the session soon (WT_DRAIN_SESSION, Section 4.7): its Draining
// tells. Nothing else changes.
func (s *Session) Drain() { s.hub.tell(func(*wt.Conn) { s.machine.Drain() }) }

// CloseWithError ends the session with a code and a reason, of which up to 1024
// bytes are sent; 0 and "" say nothing in particular. It returns when they have left, as far
// as they may at once, so that a program may exit: see quic.Conn.Flush. Only the first call
// has an effect, and none after the session has ended. Streams that were closed before are
// still delivered, as far as the peer wants them; others are reset. The error is always nil.
func (s *Session) CloseWithError(code uint32, reason string) error {
	if s.endedWith() != nil {
		return nil
	}
	s.hub.tell(func(*wt.Conn) { s.machine.Close(s.hub.now(), code, reason) })
	s.conn.Flush()
	return nil
}

// QUIC returns the connection, for its addresses, statistics and what TLS agreed on.
// Other sessions may share it. Its streams are the sessions' and HTTP/3's.
func (s *Session) QUIC() *quic.Conn { return s.conn }

// ExportKeyingMaterial returns keying material of the session, which differs from
// that of others on the same connection (Section 4.8). label and context have at
// most 255 bytes, or there is an error.
func (s *Session) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	b, err := s.machine.ExporterContext(label, context)
	if err != nil {
		return nil, err
	}
	state := s.conn.ConnectionState()
	return state.ExportKeyingMaterial(wt.ExporterLabel, b, length)
}

// SendDatagram sends p unreliably and unordered. It does not wait and does not
// keep p. The error is quic.ErrDatagramsDisabled, a *quic.DatagramTooLargeError
// in bytes of p, or the session's.
//
// A server does not send empty datagrams to clients of draft 2: Chromium's reader
// never gets over one.
func (s *Session) SendDatagram(p []byte) error {
	if s.ended.Load() {
		return s.endedWith()
	}
	if !s.machine.TakesDatagram(len(p)) {
		return nil
	}
	return s.tunnel.SendDatagram(p)
}

// MaxDatagramSize returns how many bytes a datagram may have now, 0 if none may be
// sent.
func (s *Session) MaxDatagramSize() int { return s.tunnel.MaxDatagramSize() }

// ReceiveDatagram waits for the next datagram. The bytes are the caller's. Datagrams that
// nobody receives wait, up to 512 of them and 512 KiB in each session, and 4 MiB on
// a connection; beyond that the oldest is dropped. The error is context.Cause(ctx) or, when
// none is left, the session's: see Context.
func (s *Session) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	p, err := s.tunnel.ReceiveDatagram(ctx)
	if err == nil && s.hub.timed {
		s.hub.tell(func(*wt.Conn) { s.machine.HandleHeard(s.hub.now()) })
	}
	if err != nil && ctx.Err() == nil {
		if ended := s.endedWith(); ended != nil {
			err = ended
		}
	}
	return p, err
}

// DatagramsDropped returns how many received datagrams were dropped because nobody received
// them in time. Those that were dropped before they were sent are in Stats of QUIC.
func (s *Session) DatagramsDropped() uint64 { return s.tunnel.DatagramsDropped() }

// endedWith returns why the session ended, nil while it lives.
func (s *Session) endedWith() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.endedLocked()
}

// endedLocked is endedWith for those who hold the hub's lock.
func (s *Session) endedLocked() error {
	if err := s.machine.Err(); err != nil && s.err == nil {
		s.err = describe(err)
	}
	return s.err
}

var (
	_ io.ReadWriteCloser = (*Stream)(nil)
	_ h3ext.Conn         = (*hub)(nil)
)
