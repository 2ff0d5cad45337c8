package http3

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// waitingStream is a body's stream in goroutines, which wait, as package h3's machine sees
// it.
type waitingStream body

// Read waits until there is something.
func (s *waitingStream) Read(p []byte) (n int, err error) {
	switch {
	case len(p) == 0:
		return event.Of(s.stream).TryRead(p)
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
func (s *waitingStream) TryRead(p []byte) (int, error) { return event.Of(s.stream).TryRead(p) }

// Write waits until all of p is buffered.
func (s *waitingStream) Write(p []byte, fin bool) (int, error) {
	if fin {
		return s.stream.WriteLast(p)
	}
	return s.stream.Write(p)
}

// Room returns how many bytes Write would take without waiting.
func (s *waitingStream) Room() int { return event.Of(s.stream).Room() }

// Reset ends the sending half.
func (s *waitingStream) Reset(code h3.ErrorCode) { s.stream.CancelWrite(uint64(code)) }

// Stop ends the receiving half.
func (s *waitingStream) Stop(code h3.ErrorCode) { s.stream.CancelRead(uint64(code)) }

// SetHandler does nothing: a reader finds out by reading.
func (s *waitingStream) SetHandler(h3.StreamHandler) {}
