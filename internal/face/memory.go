package face

import "sync"

// streamPool has the memory of streams that were released, with nothing in it.
var streamPool = sync.Pool{New: func() any { return new(Stream) }}

// Ref returns the stream's present name.
func (s *Stream) Ref() Ref {
	return Ref{stream: s, generation: uint32(s.use.Load() >> 32), id: uint64(s.link.ID)}
}

// Release makes all names of the stream fail, and gives its memory back when it has
// ended. On the loop's goroutine, as the others.
func (s *Stream) Release() {
	s.use.Add(1 << 32)
	s.handler = nil
	s.flags.Or(released)
	s.recycle()
}

// recycle gives the stream's memory back if it was released and has ended. While
// somebody is in a call, which began before, the garbage collector has it.
func (s *Stream) recycle() {
	switch {
	case !s.is(released) || !s.ended || !s.link.Settle() || uint32(s.use.Load()) != 0:
		return
	case !s.link.Recycle():
		return
	}
	if s.rare != nil {
		s.rare.deadlines.forget(s.conn.Link)
	}
	s.empty()
	streamPool.Put(s)
}

// empty makes s what a new stream begins with. What a deadline of a stream before has
// posted to its loop may look at s meanwhile.
func (s *Stream) empty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streamState = streamState{}
}
