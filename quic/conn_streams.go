package quic

import (
	"context"
	"errors"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/queue"
)

// acceptQueues are the streams that the peer opened and nobody has accepted.
type acceptQueues struct{ bidi, uni queue.Queue[*Stream] }

// errHandled is the error of accepting streams that a Handler gets.
var errHandled = errors.New("quic: the connection has a Handler, which gets the streams")

// AcceptStream returns the next bidirectional stream that the peer opened. The
// error is Err once the connection has ended, or the cause of ctx's end. It is
// an error to call it on a connection with a Handler (package event).
func (c *Conn) AcceptStream(ctx context.Context) (*Stream, error) {
	if c.accepts == nil {
		return nil, errHandled
	}
	return c.accepts.bidi.Pop(ctx)
}

// AcceptUniStream is AcceptStream for streams that only receive.
func (c *Conn) AcceptUniStream(ctx context.Context) (*ReceiveStream, error) {
	if c.accepts == nil {
		return nil, errHandled
	}
	s, err := c.accepts.uni.Pop(ctx)
	if err != nil {
		return nil, err
	}
	return &s.ReceiveStream, nil
}

// queueStream puts a stream that the peer opened where it is accepted. Streams
// that are open are bounded by our limit, but a peer may reset one to be
// allowed the next, so those that nobody will miss are swept out once as many
// have gathered: each costs a constant effort, and memory stays bounded.
func (c *Conn) queueStream(s *face.Stream) {
	q, limit := &c.accepts.bidi, c.conf.MaxBidiStreams
	if s.Uni() {
		q, limit = &c.accepts.uni, c.conf.MaxUniStreams
	}
	s.DetachReading()
	s.DetachWriting()
	q.Push(blocking(s.Ref()))
	if uint64(q.Len()) > 2*limit {
		q.Keep(func(s *Stream) bool { return !s.SendStream.ref.Void() })
	}
}
