package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// openMarked opens a stream whose first bytes are to survive a reset, and writes
// more behind them.
func openMarked(p *puppet, reliable, more string) *engine.Stream {
	p.t.Helper()
	s, err := p.conn.OpenStream(true)
	if err != nil {
		p.fatal("%v", err)
	}
	for _, b := range []string{reliable, more} {
		if _, err := s.Send.Write([]byte(b)); err != nil {
			p.fatal("%v", err)
		}
		if b == reliable {
			s.Send.MarkReliable()
		}
	}
	p.conn.StreamWritten(s)
	return s
}

// A peer that understands RESET_STREAM_AT gets it, after what it makes reliable.
func TestResetKeepsWhatIsReliable(t *testing.T) {
	p := newServer(t)
	p.params.ResetStreamAt = true
	p.handshake()
	s := openMarked(p, "header", "body")
	p.conn.ResetStream(s, 7)
	p.poll()
	p.want(stream(s.ID, 0, "header", false))
	p.silence()
	p.ack()
	p.want(wire.AppendResetStreamAt(nil, wire.ResetStreamAt{
		ResetStream: wire.ResetStream{ID: s.ID, Code: 7, FinalSize: 6}, ReliableSize: 6,
	}))
	p.silence()
}

// A peer that does not understand it gets RESET_STREAM then.
func TestResetWaitsForWhatIsReliable(t *testing.T) {
	p := newServer(t)
	p.handshake()
	s := openMarked(p, "header", "body")
	p.conn.ResetStream(s, 7)
	p.poll()
	p.want(stream(s.ID, 0, "header", false))
	p.silence()
	p.ack()
	p.want(resetStream(s.ID, 7, 6))
	p.silence()
	p.ack()
	p.wantSent(s)
}

// What had been sent before the reset counts for the final size, but needs no
// acknowledgement.
func TestResetWaitsForNothingElse(t *testing.T) {
	p := newServer(t)
	p.handshake()
	s := openMarked(p, "header", "body")
	p.poll()
	p.want(stream(s.ID, 0, "headerbody", false))
	p.conn.ResetStream(s, 7)
	p.poll()
	p.silence()
	p.ack()
	p.want(resetStream(s.ID, 7, 10))
	p.silence()
}

// A reset that comes after the acknowledgement does not wait, nor does one of a
// stream on which nothing is reliable.
func TestResetNeedNotWait(t *testing.T) {
	p := newServer(t)
	p.handshake()
	s := openMarked(p, "header", "")
	p.poll()
	p.want(stream(s.ID, 0, "header", false))
	p.ack()
	p.conn.ResetStream(s, 7)
	p.poll()
	p.want(resetStream(s.ID, 7, 6))

	s = openMarked(p, "", "body")
	p.conn.ResetStream(s, 8)
	p.poll()
	p.want(resetStream(s.ID, 8, 0))
	p.silence()
}

// wantSent wants the end of a stream's sending half to have been told.
func (p *puppet) wantSent(s *engine.Stream) {
	p.t.Helper()
	for _, e := range p.events {
		if e.Kind == engine.EventStreamSent && e.Stream == s {
			return
		}
	}
	p.fatal("stream %d is not over", s.ID)
}
