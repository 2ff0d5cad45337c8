package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestLastWordsComeFirst: the end of a stream of the highest urgency leaves in the
// same packet as the resets of others, and before them, in whatever order the
// application has asked for it.
func TestLastWordsComeFirst(t *testing.T) {
	for _, tt := range []struct {
		name    string
		urgency engine.Urgency
		size    int
		first   wire.FrameType
	}{
		{"the highest urgency", 0, 100, wire.FrameStream},
		{"another", 1, 100, wire.FrameResetStream},
		{"more than a packet", 0, 5000, wire.FrameResetStream},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t)
			p.handshake()
			last, streams := p.openStream(), []*engine.Stream{p.openStream(), p.openStream()}
			p.drain()
			p.frames = nil
			for _, s := range streams {
				p.conn.ResetStream(s, 7)
			}
			if n, err := last.Send.WriteLast(make([]byte, tt.size)); n != tt.size || err != nil {
				t.Fatal(n, err)
			}
			p.conn.SetPriority(last, tt.urgency, true)
			p.conn.StreamWritten(last)
			before := p.sent
			p.drain()
			f, _ := p.next()
			first := f.kind()
			if first&^7 == wire.FrameStream {
				first = wire.FrameStream
			}
			if first != tt.first {
				t.Errorf("%v comes first, want %v", first, tt.first)
			}
			if sent := p.sent - before; tt.size < 1000 && sent != 1 {
				t.Errorf("%d packets, want 1", sent)
			}
		})
	}
}

// openStream opens a stream of the endpoint's and has a byte sent on it.
func (p *puppet) openStream() *engine.Stream {
	p.t.Helper()
	s, err := p.conn.OpenStream(false)
	if err == nil {
		_, err = s.Send.Write([]byte("x"))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	return s
}
