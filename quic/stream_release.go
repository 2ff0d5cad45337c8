package quic

import "sync"

// streamPool has the memory of streams that were released, with nothing in it.
var streamPool = sync.Pool{New: func() any { return new(Stream) }}

// Release tells that nobody will use the stream any more, so that its memory can
// serve another stream once this one has ended: servers and clients of short
// streams, like requests, allocate less. What was written and closed is sent as
// without it; a stream whose halves have not been read to the end, closed or
// cancelled stays as long as the connection.
//
// After the call no method of the stream may be called, by any goroutine, as it may
// be another stream by then. An event-driven stream should have no value
// (SetValue) that its Handler would follow.
func (s *Stream) Release() { s.link.Release() }

// recycle gives the stream's memory back if it was released and has ended. On the
// loop's goroutine.
func (s *Stream) recycle() {
	switch {
	case !s.is(flagReleased) || !s.link.Idle():
		return
	case s.rare != nil:
		return // a timer or a hook may come back to it
	case !s.link.Recycle():
		return
	}
	*s = Stream{}
	streamPool.Put(s)
}
