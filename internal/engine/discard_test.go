package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// wantDiscarded wants so many bytes of a stream to be known as never to be read,
// and the event that tells of it; -1 means that it is not known yet.
func (p *puppet) wantDiscarded(s *engine.Stream, want int) {
	p.t.Helper()
	n, known := s.Recv.Discarded()
	if known != (want >= 0) || known && n != uint64(want) {
		p.fatal("%d bytes are discarded, known: %v, want %d", n, known, want)
	}
	told := false
	for _, e := range p.events {
		told = told || e.Kind == engine.EventStreamReadable && e.Stream == s
	}
	if known && !told {
		p.fatal("nobody was told")
	}
	p.events = nil
}

// accepted returns a stream of the puppet's on which 10 bytes have arrived, of
// which 4 were read.
func accepted(p *puppet) *engine.Stream {
	p.t.Helper()
	p.handshake()
	p.send(wire.AppSpace, stream(p.theirs(true, 0), 0, "0123456789", false))
	s := p.lastOpened()
	if n, err := s.Recv.Read(make([]byte, 4)); n != 4 || err != nil {
		p.fatal("read %d bytes, %v", n, err)
	}
	p.wantDiscarded(s, -1)
	return s
}

// A reset by either side leaves unsent what was written and not sent, but for what
// is reliable.
func TestUnsent(t *testing.T) {
	for name, reset := range map[string]func(p *puppet, s *engine.Stream){
		"reset": func(p *puppet, s *engine.Stream) { p.conn.ResetStream(s, 1); p.poll() },
		"stop":  func(p *puppet, s *engine.Stream) { p.send(wire.AppSpace, stopSending(s.ID, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newServer(t)
			p.params.InitialMaxStreamDataUni = 10
			p.handshake()
			s := openMarked(p, "head", "0123456789")
			p.poll()
			if _, known := s.Send.Unsent(); known {
				t.Fatal("known before the reset")
			}
			p.events = nil
			reset(p, s)
			if n, known := s.Send.Unsent(); n != 4 || !known {
				t.Errorf("%d bytes are unsent, known: %v, want 4", n, known)
			}
			if len(p.events) == 0 || p.events[0].Kind != engine.EventStreamWritable {
				t.Errorf("nobody was told: %v", p.events)
			}
			s = openMarked(p, "head", "")
			reset(p, s) // at once
			if n, known := s.Send.Unsent(); n != 0 || !known {
				t.Errorf("%d bytes are unsent, known: %v, want none", n, known)
			}
		})
	}
}

// A reset tells how many bytes were sent that will not be read.
func TestDiscardedByReset(t *testing.T) {
	p := newServer(t)
	s := accepted(p)
	p.send(wire.AppSpace, resetStream(s.ID, 1, 25))
	if _, known := s.Recv.Discarded(); known {
		t.Fatal("known while bytes are left to be read")
	}
	if n, err := s.Recv.Read(make([]byte, 20)); n != 6 || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	p.wantDiscarded(s, 15)
}

// With RESET_STREAM_AT, it is known when what is reliable has been read.
func TestDiscardedByResetAt(t *testing.T) {
	p := newServer(t)
	s := accepted(p)
	p.send(wire.AppSpace, wire.AppendResetStreamAt(nil, wire.ResetStreamAt{
		ResetStream: wire.ResetStream{ID: s.ID, Code: 1, FinalSize: 25}, ReliableSize: 6,
	}))
	if _, known := s.Recv.Discarded(); known {
		t.Fatal("known while bytes are left to be read")
	}
	if n, err := s.Recv.Read(make([]byte, 9)); n != 2 || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	p.wantDiscarded(s, 19)
}

// Who stops reading learns it with the reset or the end that the peer answers
// with, or at once if that has come before.
func TestDiscardedByStop(t *testing.T) {
	for name, answer := range map[string]func(s *engine.Stream) frame{
		"reset": func(s *engine.Stream) frame { return resetStream(s.ID, 1, 30) },
		"FIN":   func(s *engine.Stream) frame { return stream(s.ID, 25, "01234", true) },
		"reset of a part that is reliable": func(s *engine.Stream) frame {
			return wire.AppendResetStreamAt(nil, wire.ResetStreamAt{
				ResetStream: wire.ResetStream{ID: s.ID, Code: 1, FinalSize: 30}, ReliableSize: 8,
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newServer(t)
			s := accepted(p)
			p.conn.StopSending(p.now, s, 7)
			p.poll()
			p.wantDiscarded(s, -1)
			p.send(wire.AppSpace, answer(s))
			p.wantDiscarded(s, 26)
		})
	}
	t.Run("FIN before", func(t *testing.T) {
		p := newServer(t)
		s := accepted(p)
		p.send(wire.AppSpace, stream(s.ID, 10, "x", true))
		p.events = nil
		p.conn.StopSending(p.now, s, 7)
		p.poll()
		p.wantDiscarded(s, 7)
	})
}

// Nothing is discarded of a stream that was read whole.
func TestDiscardedNothing(t *testing.T) {
	p := newServer(t)
	s := accepted(p)
	p.send(wire.AppSpace, stream(s.ID, 10, "x", true))
	if n, err := s.Recv.Read(make([]byte, 9)); n != 7 || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	p.wantDiscarded(s, 0)
}
