// Package h3event has streams of package event as package h3's machine wants them.
package h3event

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic/event"
)

// Stream is a stream as package h3's machine sees it, an h3.Stream, and as package event
// tells of it, an event.StreamHandler. It is made with Turn and Ref; a part of what a host
// has for each request, it costs no allocation of its own. Reset and Stop may be called by
// any goroutine, the rest on the event loop.
type Stream struct {
	// Turn is where the host keeps the Turn of the callback under way.
	Turn *event.Turn
	Ref  event.Stream

	handler h3.StreamHandler // nil for nobody
	reset   error            // the peer has cancelled what it sends; nil if it has not
}

// OpenUni opens a stream of the machine's, as h3.Transport's method; turn is as in Stream.
func OpenUni(turn *event.Turn, h h3.StreamHandler) h3.Stream {
	s := &Stream{Turn: turn, handler: h}
	ref, err := turn.Open(true, s)
	if err != nil {
		return nil // HandleStreamsAvailable or HandleClose follows
	}
	ref.SetPriority(0, true)
	s.Ref = ref
	return s
}

// Of returns the stream of package event below one of the machine's, which is a Stream or
// has one embedded.
func Of(s h3.Stream) event.Stream { return s.(interface{ below() event.Stream }).below() }

func (s *Stream) below() event.Stream { return s.Ref }

// Now returns when a turn began as package h3 has it.
func Now(t event.Turn) monotime.Time { return monotime.Time(t.Now()) }

// ID returns the ID of the stream, for logs.
func (s *Stream) ID() uint64 { return s.Ref.ID() }

// Read reads what has arrived.
func (s *Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.reset
	}
	return s.Turn.Read(s.Ref, p)
}

// Write takes as much of p as fits, or with fin all.
func (s *Stream) Write(p []byte, fin bool) (int, error) {
	if fin {
		return s.Turn.WriteLast(s.Ref, p)
	}
	return s.Turn.Write(s.Ref, p)
}

// Room returns how many bytes Write would take now.
func (s *Stream) Room() int { return s.Ref.Room() }

// Reset ends the sending half.
func (s *Stream) Reset(code h3.ErrorCode) { s.Ref.CancelWrite(uint64(code)) }

// Stop ends the receiving half.
func (s *Stream) Stop(code h3.ErrorCode) { s.Ref.CancelRead(uint64(code)) }

// SetHandler says who is told of the stream.
func (s *Stream) SetHandler(h h3.StreamHandler) { s.handler = h }

// Handled reports whether somebody is told of the stream.
func (s *Stream) Handled() bool { return s.handler != nil }

// HandleReadable implements event.StreamHandler.
func (s *Stream) HandleReadable(t event.Turn, _ event.Stream) {
	if s.handler != nil {
		*s.Turn = t
		s.handler.HandleReadable(Now(t))
	}
}

// HandleWritable implements event.StreamHandler.
func (s *Stream) HandleWritable(t event.Turn, _ event.Stream) {
	if s.handler != nil {
		*s.Turn = t
		s.handler.HandleWritable(Now(t))
	}
}

// HandleEnd implements event.StreamHandler. Whoever waits for insertions into QPACK's table
// should not wait for a stream that was reset.
func (s *Stream) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	if end.Kind == event.PeerReset {
		s.reset = end.Err
		s.HandleReadable(t, ref)
	}
}
