package loop

import (
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Stream tells the loop what the application did to an engine.Stream. Any
// goroutine may call its methods. However often they are called before the
// loop takes notice, it is told once.
type Stream struct {
	*engine.Stream
	conn      *Conn
	pending   atomic.Uint32
	priority  atomic.Uint32
	resetCode uint64 // when pendingReset is set
	stopCode  uint64 // when pendingStop is set
	settling  bool   // Settle was called; of the loop's goroutine
}

// What may be pending on a stream.
const (
	pendingWritten = 1 << iota
	pendingConsumed
	pendingReset
	pendingStop
	pendingPriority
)

// Init makes s the link between the engine's stream and conn. It must be
// called once, before s is shared.
func (s *Stream) Init(conn *Conn, e *engine.Stream) { s.conn, s.Stream = conn, e }

// Written tells that s.Send was written to or closed.
func (s *Stream) Written() { s.post(pendingWritten) }

// Consumed tells that s.Recv was read from and wants the engine to know.
func (s *Stream) Consumed() { s.post(pendingConsumed) }

// Reset ends sending abruptly with an application's code. It may be called
// once.
func (s *Stream) Reset(code uint64) {
	s.resetCode = code
	s.post(pendingReset)
}

// ResetCode returns what Reset was called with.
func (s *Stream) ResetCode() uint64 { return s.resetCode }

// Stop tells the peer with an application's code that nobody will read what it
// sends. It may be called once.
func (s *Stream) Stop(code uint64) {
	s.stopCode = code
	s.post(pendingStop)
}

// Settle reports whether the loop has nothing to do for s. Otherwise the handler is
// told as soon as that is so. It must be called on the loop's goroutine, and by
// somebody who knows that nothing further will be told.
func (s *Stream) Settle() bool {
	s.settling = s.pending.Load() != 0
	return !s.settling
}

// StopCode returns what Stop was called with.
func (s *Stream) StopCode() uint64 { return s.stopCode }

// incrementalBit is set in Stream.priority, beside the urgency.
const incrementalBit = 1 << 8

// Prioritize says in which order the stream's data is sent: see
// engine.Conn.SetPriority. The last call counts.
func (s *Stream) Prioritize(u engine.Urgency, incremental bool) {
	p := uint32(u)
	if incremental {
		p |= incrementalBit
	}
	s.priority.Store(p)
	s.post(pendingPriority)
}

// post notes what is pending. The stream is in the mailbox whenever something
// is, so only the first note posts it.
func (s *Stream) post(what uint32) {
	if s.pending.Or(what) == 0 {
		s.conn.loop.post(item{stream: s})
	}
}

// handle does what is pending. It takes the notes first: what is written
// after that is noted, and posted, anew.
func (s *Stream) handle() {
	what := s.pending.Swap(0)
	c := s.conn
	if c.released {
		return
	}
	if what&pendingPriority != 0 {
		p := s.priority.Load()
		c.engine.SetPriority(s.Stream, engine.Urgency(p), p&incrementalBit != 0)
	}
	if what&pendingWritten != 0 {
		c.engine.StreamWritten(s.Stream)
	}
	if what&pendingConsumed != 0 {
		c.engine.StreamConsumed(c.loop.now, s.Stream)
	}
	if what&pendingReset != 0 {
		c.engine.ResetStream(s.Stream, s.resetCode)
	}
	if what&pendingStop != 0 {
		c.engine.StopSending(c.loop.now, s.Stream, s.stopCode)
	}
	c.touch()
	if s.settling {
		s.settling = false
		c.handler.HandleStreamSettled(s.Stream)
	}
}
