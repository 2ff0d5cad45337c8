package webtransport

import "time"

// Stream is a bidirectional stream. One goroutine may read and another write at
// the same time; the other methods may be called from any goroutine.
type Stream struct {
	ReceiveStream
	SendStream
}

// StreamID returns the ID of the QUIC stream.
func (s *Stream) StreamID() uint64 { return s.ReceiveStream.StreamID() }

// Session returns the session that the stream belongs to.
func (s *Stream) Session() *Session { return s.ReceiveStream.session }

// SetDeadline sets the deadlines of both halves. The error is always nil.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}
