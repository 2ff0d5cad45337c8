package quic

import (
	"context"
	"errors"

	"github.com/godwit-quic/godwit/internal/queue"
)

// acceptQueues are the streams that the peer opened and nobody has accepted.
type acceptQueues struct{ bidi, uni queue.Queue[*Stream] }

// errEventDriven is the error of accepting streams that a Handler gets.
var errEventDriven = errors.New("quic: the connection is event-driven: its Handler gets the streams")

// AcceptStream returns the next bidirectional stream that the peer opened. The
// error is Err once the connection has ended, or the cause of ctx's end. It is
// an error to call it on an event-driven connection.
func (c *Conn) AcceptStream(ctx context.Context) (*Stream, error) {
	if c.accepts == nil {
		return nil, errEventDriven
	}
	return c.accepts.bidi.Pop(ctx)
}

// AcceptUniStream is AcceptStream for streams that only receive.
func (c *Conn) AcceptUniStream(ctx context.Context) (*ReceiveStream, error) {
	if c.accepts == nil {
		return nil, errEventDriven
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
func (c *Conn) queueStream(s *stream) {
	q, limit := &c.accepts.bidi, c.conf.MaxBidiStreams
	if s.link.ID.Uni() {
		q, limit = &c.accepts.uni, c.conf.MaxUniStreams
	}
	q.Push(s.ref().Detach())
	if uint64(q.Len()) > 2*limit {
		q.Keep(func(s *Stream) bool { return !s.Ref().stream.void() })
	}
}
