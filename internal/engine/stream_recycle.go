package engine

import "sync"

// streamPool has the memory of bidirectional streams that ended, with nothing in
// it: a request takes one, and they are short.
var streamPool sync.Pool // of *Stream

// Recycle gives the memory of a stream that has ended to one to be opened. It
// reports false and does nothing while the engine may still come back to the
// stream. After that the caller must not use it any more, nor its buffers.
func (s *Stream) Recycle() bool {
	if !s.done || s.waiting != 0 || s.links != (queueLinks{}) || s.in == &noReceiving.in || s.out == &noSending.out {
		return false
	}
	s.Recv.drop()
	s.Send.drop()
	*s.Recv, *s.in = RecvBuffer{}, recvHalf{}
	*s.Send, *s.out = SendBuffer{}, sendHalf{}
	*s = Stream{Recv: s.Recv, Send: s.Send, in: s.in, out: s.out}
	streamPool.Put(s)
	return true
}
