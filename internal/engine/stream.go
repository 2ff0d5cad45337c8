package engine

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Stream is a stream of a connection. Recv and Send may be used by the
// application's goroutines as they say; everything else is the engine's.
type Stream struct {
	ID   wire.StreamID
	Recv *streambuf.Reader // fails to be read on a stream that only sends
	Send *streambuf.Writer // fails to be written on one that only receives
	// App is the owner's own value; the engine does not touch it.
	App any

	conn *Conn
	in   *recvHalf
	out  *sendHalf

	links      queueLinks
	before     *Stream // in a queue of streams with data, the one that is followed by this one
	listed     *Stream // in the streamTable, the one that follows
	waiting    eventSet
	done       bool // both halves ended, forgotten
	sequential bool // other streams have their turns when this one has nothing to send
	held       bool // in the queue of streams that wait for the connection's window
	parked     bool // opened early, and not allowed yet: nothing is sent
	urgency    Urgency
}

// The kinds of streams by the halves they have, each allocated in one piece.
type (
	bothHalves struct {
		Stream
		recvHalf
		sendHalf
	}
	onlyReceiving struct {
		Stream
		recvHalf
	}
	onlySending struct {
		Stream
		sendHalf
	}
)

// errNoHalf is what the half of a stream fails with that it does not have.
var errNoHalf = errors.New("engine: the stream has no such half")

// The halves that a stream does not have. Nothing about them ever changes.
var noReceiving, noSending = absentHalves()

func absentHalves() (*recvHalf, *sendHalf) {
	in, out := new(recvHalf), new(sendHalf)
	account := new(streambuf.Account)
	account.Init(new(streambuf.Pool))
	in.buf.Init(account)
	in.buf.Fail(errNoHalf)
	out.buf.Init(account, 0)
	out.buf.Fail(errNoHalf)
	return in, out
}

// makeStream returns a new stream with the halves it has.
func (m *spare) makeStream(receives, sends bool) *Stream {
	in, out := noReceiving, noSending
	var s *Stream
	switch {
	case receives && sends:
		if s := m.stream(); s != nil {
			return s
		}
		both := new(bothHalves)
		s, in, out = &both.Stream, &both.recvHalf, &both.sendHalf
	case receives:
		one := new(onlyReceiving)
		s, in = &one.Stream, &one.recvHalf
	default:
		one := new(onlySending)
		s, out = &one.Stream, &one.sendHalf
	}
	s.in, s.Recv = in, in.buf.Reader()
	s.out, s.Send = out, out.buf.Writer()
	return s
}

// Receives reports whether the stream has a receiving half.
func (s *Stream) Receives() bool { return s.in.state != recvAbsent }

// Sends reports whether the stream has a sending half.
func (s *Stream) Sends() bool { return s.out.state != sendAbsent }

func (s *Stream) readable() { s.conn.event(EventStreamReadable, s) }
func (s *Stream) writable() { s.conn.event(EventStreamWritable, s) }

// finish forgets the stream once both halves have ended.
func (s *Stream) finish() {
	if s.done || !s.in.state.ended() || !s.out.state.ended() {
		return
	}
	s.done = true
	s.conn.streams.remove(s.conn, s)
	s.conn.event(EventStreamEnded, s)
}

// StreamWritten tells that the application wrote to s.Send or closed it.
func (c *Conn) StreamWritten(s *Stream) {
	if s.out.state.ended() || c.state >= stateClosing {
		return
	}
	s.out.end, s.out.fin = s.out.buf.Written()
	c.streams.queueData(s)
}

// StreamConsumed tells that the application read from s.Recv.
func (c *Conn) StreamConsumed(now monotime.Time, s *Stream) {
	if c.state >= stateClosing {
		return
	}
	c.flow.collect(now, c)
	if s.in.state.ended() || s.in.discard {
		return
	}
	read, all := s.in.buf.Progress()
	s.in.window.consumed = read
	if all {
		s.toRecv(recvEventRead)
		if s.in.cut != nil {
			s.readable() // a caller that has read all may not have looked for the reset
		}
		s.finish()
		return
	}
	if s.in.state == recvRecv && s.in.window.grant(now, c.paths.Current.RTT.Smoothed, c.flow.largestStream(c)) {
		c.flow.widen(now, c, s.in.window.window)
		s.in.update.set()
		c.streams.queueControl(s)
	}
	s.in.setNotify()
}

// ResetStream ends sending on s abruptly (RFC 9000, Section 3.1). What was
// not yet delivered may be lost.
func (c *Conn) ResetStream(s *Stream, code uint64) {
	if c.state >= stateClosing {
		return
	}
	c.resetSend(s, code, &StreamError{StreamID: uint64(s.ID), Code: code})
}

// StopSending tells the peer that s will not be read any more (RFC 9000,
// Section 3.5) and drops what arrives.
func (c *Conn) StopSending(now monotime.Time, s *Stream, code uint64) {
	if c.state >= stateClosing || s.in.state.ended() || s.in.discard {
		return
	}
	s.in.discard = true
	c.abandon(now, s, &StreamError{StreamID: uint64(s.ID), Code: code})
	if s.in.sizeKnown {
		s.discarded()
		return
	}
	s.in.stop = &stopSending{val: valUnsent, code: code}
	c.streams.queueControl(s)
}
