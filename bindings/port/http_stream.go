package port

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// h3Stream is a stream as package h3's machine sees it, an h3.Stream, and as package quic
// tells of it, a event.StreamHandler.
type h3Stream struct {
	http    *httpConn
	ref     event.Stream
	handler h3.StreamHandler // nil for nobody
	reset   error            // the peer has cancelled what it sends; nil if it has not
	request *request         // nil for what is none
}

// Read reads what has arrived.
func (s *h3Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.reset
	}
	return s.http.turn.Read(s.ref, p)
}

// Write takes as much of p as fits, or with fin all.
func (s *h3Stream) Write(p []byte, fin bool) (int, error) {
	if fin {
		return s.http.turn.WriteLast(s.ref, p)
	}
	return s.http.turn.Write(s.ref, p)
}

// Room returns how many bytes Write would take now.
func (s *h3Stream) Room() int { return s.http.turn.Room(s.ref) }

// Reset ends the sending half.
func (s *h3Stream) Reset(code h3.ErrorCode) { s.ref.CancelWrite(uint64(code)) }

// Stop ends the receiving half.
func (s *h3Stream) Stop(code h3.ErrorCode) { s.ref.CancelRead(uint64(code)) }

// SetHandler says who is told of the stream.
func (s *h3Stream) SetHandler(h h3.StreamHandler) { s.handler = h }

// HandleReadable implements event.StreamHandler.
func (s *h3Stream) HandleReadable(t event.Turn, _ event.Stream) {
	if s.handler != nil {
		s.http.turn = t
		s.handler.HandleReadable(now(t))
	}
}

// HandleWritable implements event.StreamHandler.
func (s *h3Stream) HandleWritable(t event.Turn, _ event.Stream) {
	if s.handler != nil {
		s.http.turn = t
		s.handler.HandleWritable(now(t))
	}
}

// HandleEnd implements event.StreamHandler.
func (s *h3Stream) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	s.http.turn = t
	switch end.Kind {
	case event.PeerReset:
		s.reset = end.Err
		s.HandleReadable(t, ref) // of who waits for insertions
		if s.request != nil {
			s.request.peerReset(end.Err)
		}
	case event.SendingCut:
		if s.request != nil && end.Err.Remote {
			s.request.peerStopped(end.Err)
		}
	case event.StreamEnded:
		if s.request != nil {
			s.request.over()
			if s.request.stream != nil && !s.request.stream.ended {
				return // the machine may read on
			}
		}
		t.Release(ref)
	}
}
