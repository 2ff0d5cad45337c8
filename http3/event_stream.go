package http3

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// eventStream is a stream of the loop's as package h3's machine sees it, an h3.Stream,
// and as package quic tells of it, a event.StreamHandler.
type eventStream struct {
	conn    *conn
	ref     event.Stream
	handler h3.StreamHandler // nil for nobody
	reset   error            // the peer has cancelled what it sends; nil if it has not
}

// ID returns the ID of the stream, for logs.
func (s *eventStream) ID() uint64 { return s.ref.ID() }

func (s *eventStream) streamRef() event.Stream { return s.ref }

// Read reads what has arrived.
func (s *eventStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.reset
	}
	return s.conn.turn.Read(s.ref, p)
}

// Write takes as much of p as fits, or with fin all.
func (s *eventStream) Write(p []byte, fin bool) (int, error) {
	if fin {
		return s.conn.turn.WriteLast(s.ref, p)
	}
	return s.conn.turn.Write(s.ref, p)
}

// Room returns how many bytes Write would take now.
func (s *eventStream) Room() int { return s.conn.turn.Room(s.ref) }

// Reset ends the sending half. Any goroutine may call it.
func (s *eventStream) Reset(code h3.ErrorCode) { s.ref.CancelWrite(uint64(code)) }

// Stop ends the receiving half. Any goroutine may call it.
func (s *eventStream) Stop(code h3.ErrorCode) { s.ref.CancelRead(uint64(code)) }

// SetHandler says who is told of the stream.
func (s *eventStream) SetHandler(h h3.StreamHandler) { s.handler = h }

// HandleReadable is called when there is something to read.
func (s *eventStream) HandleReadable(t event.Turn, _ event.Stream) {
	if s.handler != nil {
		s.conn.turn = t
		s.handler.HandleReadable(now(t))
	}
}

// HandleWritable is called when there is room, or the sending half has ended.
func (s *eventStream) HandleWritable(t event.Turn, _ event.Stream) {
	if s.handler != nil {
		s.conn.turn = t
		s.handler.HandleWritable(now(t))
	}
}

// HandleEnd is called when a part of the stream has ended. Whoever waits for insertions
// should not wait for a stream that was reset.
func (s *eventStream) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	if end.Kind == event.PeerReset {
		s.reset = end.Err
		s.HandleReadable(t, ref)
	}
}

// waitingStream is a body's stream in goroutines, which wait, as package h3's machine sees
// it.
type waitingStream body

// Read waits until there is something.
func (s *waitingStream) Read(p []byte) (n int, err error) {
	switch {
	case len(p) == 0:
		return s.stream.TryRead(p)
	case s.paced != nil:
		n, err = s.paced.read(p)
	default:
		n, err = s.stream.Read(p)
	}
	if isDeadline(err) {
		s.paused, err = err, h3.ErrPaused
	}
	return n, err
}

// TryRead does not wait.
func (s *waitingStream) TryRead(p []byte) (int, error) { return s.stream.TryRead(p) }

// Write waits until all of p is buffered.
func (s *waitingStream) Write(p []byte, fin bool) (int, error) {
	if fin {
		return s.stream.WriteLast(p)
	}
	return s.stream.Write(p)
}

// Room returns how many bytes Write would take without waiting.
func (s *waitingStream) Room() int { return s.stream.Room() }

// Reset ends the sending half.
func (s *waitingStream) Reset(code h3.ErrorCode) { s.stream.CancelWrite(uint64(code)) }

// Stop ends the receiving half.
func (s *waitingStream) Stop(code h3.ErrorCode) { s.stream.CancelRead(uint64(code)) }

// SetHandler does nothing: a reader finds out by reading.
func (s *waitingStream) SetHandler(h3.StreamHandler) {}
