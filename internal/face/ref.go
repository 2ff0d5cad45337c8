package face

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Ref names a stream. It can be copied and compared; the zero Ref names none. All of
// package quic's streams, and package event's, are one.
type Ref struct {
	stream     *Stream
	generation uint32 // of the stream's memory
	id         uint64
}

// ErrReleased is the error of using a stream after Release.
var ErrReleased = errors.New("quic: the stream was released")

// ID returns the stream's ID.
func (r Ref) ID() uint64 { return r.id }

// Enter returns the stream if it was not released, and keeps its memory from serving
// another until Leave; nil otherwise.
func (r Ref) Enter() *Stream {
	switch {
	case r.stream == nil:
	case uint32(r.stream.use.Add(1)>>32) == r.generation:
		return r.stream
	default:
		r.stream.Leave()
	}
	return nil
}

// Leave ends what Enter has begun.
func (s *Stream) Leave() { s.use.Add(^uint64(0)) }

// In returns the stream if it was not released, nil otherwise, for the time of a callback
// of its connection, which t is of.
func (r Ref) In(t *Turn) *Stream {
	c := t.Conn()
	s := r.stream
	if s == nil || uint32(s.use.Load()>>32) != r.generation {
		return nil
	}
	if s.conn != c {
		panic("quic: a stream was used with the Turn of another connection")
	}
	return s
}

// Void reports whether nothing can be done with the stream but to see errors. On the
// loop's goroutine.
func (r Ref) Void() bool {
	s := r.stream
	_, err := s.link.Recv.Read(nil)
	var reset *engine.StreamError
	return errors.As(err, &reset) && (s.is(noWriting) || s.link.Send.Err() != nil)
}
