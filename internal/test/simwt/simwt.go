// Package simwt runs WebTransport sessions over simulated networks, without a goroutine,
// socket or clock: between the machines of packages h3 and wt it carries what either one
// says to the other. A simh3.User that embeds Sessions has them:
//
//	func (u *user) HandleExtensionStream(now monotime.Time, id, _ uint64, s h3.Stream) {
//		u.sessions.HandleStream(now, id, s)
//	}
package simwt

import (
	"errors"
	"io"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/test/simh3"
	"github.com/godwit-quic/godwit/internal/wt"
)

// Application is told of sessions and their streams.
type Application interface {
	// HandleEvent takes an event that is for the application.
	HandleEvent(now monotime.Time, e wt.Event)
	// HandleStreamReadable: there is something to read on a stream that was accepted or
	// opened.
	HandleStreamReadable(now monotime.Time, st *Stream)
	// HandleStreamWritable: there is room on the stream again, or nothing more is wanted.
	HandleStreamWritable(now monotime.Time, st *Stream)
}

// Sessions are those of one end of a connection.
type Sessions struct {
	Machine *wt.Conn

	host *simh3.Host
	app  Application
	now  monotime.Time
}

// Begin begins before SETTINGS are sent.
func (s *Sessions) Begin(h *simh3.Host, conf *wt.Config, app Application) {
	s.Machine, s.host, s.app = wt.NewConn(h.Conn.Side(), conf), h, app
	h.Conn.AddSettings(s.Machine.AppendSettings(nil)...)
	h.Conn.Claim(wt.TypeUni, wt.SignalBidi)
}

// HandleSettings takes the peer's.
func (s *Sessions) HandleSettings(now monotime.Time) {
	s.Machine.HandleSettings(s.host.Conn.PeerSettings(), s.host.QUIC.PeerResetStreamAt())
	s.Run(now)
}

// HandleDeadline does what is due.
func (s *Sessions) HandleDeadline(now monotime.Time) {
	if at := s.Machine.Deadline(); !at.IsZero() && !at.After(now) {
		s.Machine.HandleDeadline(now)
	}
	s.Run(now)
}

// Session is a session on its CONNECT stream.
type Session struct {
	*wt.Session
	request   *h3.RequestStream
	over      [2]bool // receiving, sending
	told      bool
	Datagrams [][]byte // that were received
}

// Add begins a session on an accepted request.
func (s *Sessions) Add(now monotime.Time, rs *h3.RequestStream, d wt.Draft, protocol string) *Session {
	x := &Session{Session: s.Machine.Begin(now, rs.ID(), d, protocol), request: rs}
	x.App = x
	rs.TakeDatagrams()
	s.Run(now)
	return x
}

// HandleContent reads a session's CONNECT stream.
func (s *Sessions) HandleContent(now monotime.Time, x *Session) {
	var b [500]byte
	for !x.over[0] {
		n, err := x.request.Read(b[:])
		if n > 0 {
			x.HandleContent(now, b[:n])
		} else if err != nil {
			x.over[0] = true
			x.HandleContentEnd(now, err)
		} else {
			break
		}
		s.Run(now)
	}
	s.settle(x)
}

// HandleWritable sends what a session owes, once what was sent before has left.
func (s *Sessions) HandleWritable(now monotime.Time, x *Session) {
	if x.Owes() && x.request.Unsent() == 0 && s.below(x).Send.AwaitSent() == 0 {
		_ = x.request.Send(x.PollContent(nil))
	}
}

func (s *Sessions) below(x *Session) *engine.Stream { return simh3.Below(x.request.Stream()) }

// settle tells when both directions of the CONNECT stream are over.
func (s *Sessions) settle(x *Session) {
	if x.over == [2]bool{true, true} && !x.told {
		x.told = true
		x.HandleOver()
		x.request.DropDatagrams()
	}
}

// Run does what the machine says.
func (s *Sessions) Run(now monotime.Time) {
	s.now = now
	var events [4]wt.Event
	for n := s.Machine.PollEvents(events[:]); n > 0; n = s.Machine.PollEvents(events[:]) {
		for _, e := range events[:n] {
			s.execute(now, e)
		}
	}
}

func (s *Sessions) execute(now monotime.Time, e wt.Event) {
	var x *Session
	if e.Session != nil {
		x, _ = e.Session.App.(*Session)
	}
	switch e.Kind {
	case wt.EventContent:
		s.HandleWritable(now, x)
	case wt.EventFinish:
		s.host.QUIC.SetPriority(s.below(x), 0, true)
		x.request.SendLast(e.Data)
		x.over[1] = true
		s.settle(x)
	case wt.EventAbort:
		x.request.Cancel(e.Code)
		x.over = [2]bool{true, true}
		s.settle(x)
	case wt.EventStopReading:
		x.request.StopReading(e.Code)
		x.over[0] = true
		s.settle(x)
	case wt.EventReset:
		e.Stream.App.(*Stream).reset(uint64(e.Code))
	case wt.EventStop:
		e.Stream.App.(*Stream).stop(uint64(e.Code))
	case wt.EventClose:
		_, _ = e.Stream.App.(*Stream).stream.Write(nil, true)
	case wt.EventFail:
		s.host.Conn.Abort(e.Err)
	case wt.EventDatagram:
		for p, ok := x.ReceiveDatagram(); ok; p, ok = x.ReceiveDatagram() {
			x.Datagrams = append(x.Datagrams, p)
		}
	default:
		s.app.HandleEvent(now, e)
	}
}

// Stream is a stream of a session.
type Stream struct {
	*wt.Stream
	App any // the application's

	sessions         *Sessions
	stream           h3.Stream
	below            *engine.Stream
	accepted         bool
	discards, unsent bool // told
}

// HandleStream takes a stream that begins with what WebTransport has claimed.
func (s *Sessions) HandleStream(now monotime.Time, id uint64, stream h3.Stream) {
	st := &Stream{Stream: s.Machine.HandleStream(id), sessions: s, stream: stream, below: simh3.Below(stream)}
	st.Stream.App = st
	stream.SetHandler(st)
	st.HandleReadable(now)
}

// Accept returns the next stream of the peer's in a session, nil for none.
func (s *Sessions) Accept(x *Session, k wt.Kind) *Stream {
	machine := x.Accept(k)
	if machine == nil {
		return nil
	}
	st := machine.App.(*Stream)
	st.accepted = true
	return st
}

// Open opens a stream that the session allows. It returns nil when the connection does
// not.
func (s *Sessions) Open(now monotime.Time, machine *wt.Stream) *Stream {
	id, stream := s.host.Open(machine.Kind() == wt.Uni)
	if stream == nil {
		return nil
	}
	st := &Stream{Stream: machine, sessions: s, stream: stream, below: simh3.Below(stream), accepted: true}
	machine.App = st
	stream.SetHandler(st)
	_, _ = stream.Write(machine.AppendHeader(nil), false)
	st.below.Send.MarkReliable()
	_ = machine.Opened(id)
	s.Run(now)
	return st
}

// HandleReadable implements h3.StreamHandler.
func (st *Stream) HandleReadable(now monotime.Time) {
	m := st.sessions.Machine
	var b [8]byte
	for st.Missing() > 0 {
		n, err := st.stream.Read(b[:st.Missing()])
		if n > 0 {
			m.HandleHeader(now, st.Stream, b[:n])
		} else if err != nil {
			m.HandleHeaderEnd(st.Stream)
		} else {
			return
		}
		st.sessions.Run(now)
	}
	if _, err := st.stream.Read(nil); wasReset(err) {
		st.Stream.HandleReset()
	}
	st.settle()
	st.sessions.Run(now)
	if st.accepted {
		st.sessions.app.HandleStreamReadable(now, st)
	}
}

// wasReset reports whether err is that of a stream that the peer has reset.
func wasReset(err error) bool {
	cancelled, ok := errors.AsType[*engine.StreamError](err)
	return ok && cancelled.Remote
}

// HandleWritable implements h3.StreamHandler.
func (st *Stream) HandleWritable(now monotime.Time) {
	st.settle()
	st.sessions.Run(now)
	if st.accepted {
		st.sessions.app.HandleStreamWritable(now, st)
	}
}

// settle counts what the end of a half has left.
func (st *Stream) settle() {
	if n, known := st.below.Recv.Discarded(); st.below.Receives() && known && !st.discards {
		st.discards = true
		st.HandleDiscarded(n)
	}
	if n, known := st.below.Send.Unsent(); st.below.Sends() && known && !st.unsent {
		st.unsent = true
		st.Unused(n)
		st.SendOver()
	}
}

// Read reads what has arrived. Errors are the stream's.
func (st *Stream) Read(now monotime.Time, p []byte) (int, error) {
	n, err := st.stream.Read(p)
	if n > 0 {
		st.Consumed(now, n)
	}
	if err != nil {
		st.ReceiveOver()
		st.settle()
		if err != io.EOF {
			if code, ok := errors.AsType[*engine.StreamError](err); ok {
				err = &ResetError{code.Code}
			}
		}
	}
	st.sessions.Run(now)
	return n, err
}

// ResetError says that a stream was cancelled.
type ResetError struct{ Code uint64 }

func (e *ResetError) Error() string { return "stream cancelled" }

// Write writes as much of p as the session and the connection let it.
func (st *Stream) Write(now monotime.Time, p []byte) (int, error) {
	n := min(len(p), st.stream.Room())
	if n == 0 && len(p) > 0 {
		_, err := st.stream.Write(p, false) // tells when there is room
		return 0, err
	}
	n, err := st.Allow(n)
	if err == nil && n > 0 {
		n, err = st.stream.Write(p[:n], false)
	}
	st.sessions.Run(now)
	return n, err
}

// Close finishes the stream.
func (st *Stream) Close(now monotime.Time) {
	if st.Finish(now, 0) {
		_, _ = st.stream.Write(nil, true)
	}
	st.sessions.Run(now)
}

// CancelWrite resets the stream, and CancelRead stops reading it, for the application.
func (st *Stream) CancelWrite(now monotime.Time, code uint32) {
	st.SendOver()
	st.reset(wt.ToHTTP(code))
	st.sessions.Run(now)
}

// CancelRead is described there.
func (st *Stream) CancelRead(now monotime.Time, code uint32) {
	st.ReceiveOver()
	st.stop(wt.ToHTTP(code))
	st.sessions.Run(now)
}

func (st *Stream) reset(code uint64) {
	st.stream.Reset(h3.ErrorCode(code))
	st.settle()
}

func (st *Stream) stop(code uint64) {
	st.stream.Stop(h3.ErrorCode(code))
	st.settle()
}
