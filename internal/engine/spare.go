package engine

import "github.com/godwit-quic/godwit/internal/streambuf"

// spare is memory that serves one connection of an endpoint after the other. It is
// given back when all of them are at rest.
type spare struct {
	blocks    streambuf.Pool
	streams   []*Stream // bidirectional ones that ended, with nothing in them
	datagrams [][]byte  // memory for the list of those that a connection receives
	feedback  feedback  // of the ACK frame that a connection is handling
	awake     int       // connections that are not at rest
}

// maxSpareStreams is how many streams are kept for those to be opened, about 300 KiB:
// a request takes one, they are short, and a few hundred end in one turn of a loop
// before as many begin.
const maxSpareStreams = 512

// stream returns a bidirectional stream in which nothing is, nil if there is none.
func (m *spare) stream() *Stream {
	n := len(m.streams) - 1
	if n < 0 {
		return nil
	}
	s := m.streams[n]
	m.streams[n], m.streams = nil, m.streams[:n]
	return s
}

// rested is told when a connection is at rest, or gone.
func (m *spare) rested() {
	if m.awake--; m.awake == 0 {
		m.streams, m.datagrams = nil, nil
		m.feedback = feedback{}
		m.blocks.Drain()
	}
}

// Recycle gives the memory of a stream that has ended to one to be opened. It
// reports false and does nothing while the engine may still come back to the
// stream. After that the caller must not use it any more, nor its buffers.
func (s *Stream) Recycle() bool {
	if !s.done || s.waiting != 0 || s.links != (queueLinks{}) || s.in == noReceiving || s.out == noSending {
		return false
	}
	spare := &s.conn.endpoint.spare
	s.in.buf.Recycle()
	s.out.buf.Recycle()
	s.in.recvProgress, s.out.sendProgress = recvProgress{}, sendProgress{}
	*s = Stream{Recv: s.Recv, Send: s.Send, in: s.in, out: s.out}
	if len(spare.streams) < maxSpareStreams {
		spare.streams = append(spare.streams, s)
	}
	return true
}
