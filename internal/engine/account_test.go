package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// withMemory gives the real endpoint a budget of so many bytes, and the puppet's
// limits for what it is sent.
func withMemory(memory int64, stream, conn uint64) func(*puppet) {
	return func(p *puppet) {
		p.memory = streambuf.NewMemory(memory)
		p.params.InitialMaxStreamDataBidiLocal = stream
		p.params.InitialMaxData = conn
		p.params.MaxIdleTimeout = time.Hour
	}
}

// openAndWrite has the puppet open n streams on each of which the application
// writes as much as is taken. It returns the streams.
func (p *puppet) openAndWrite(n int) []*engine.Stream {
	p.t.Helper()
	for i := range n {
		p.queue(wire.AppSpace, stream(p.theirs(false, uint64(i)), 0, "?", false))
	}
	p.drain()
	var streams []*engine.Stream
	for _, e := range p.takeEvents(engine.EventStreamOpened) {
		streams = append(streams, e.Stream)
		p.fill(e.Stream)
	}
	if len(streams) != n {
		p.fatal("%d streams were opened of %d", len(streams), n)
	}
	return streams
}

// fill writes to a stream until it takes no more, and returns how much that was.
func (p *puppet) fill(s *engine.Stream) (written int) {
	p.t.Helper()
	for {
		n, err := s.Send.Write(make([]byte, 100_000))
		if written += n; err != nil {
			p.fatal("%v", err)
		}
		if n == 0 {
			return written
		}
		p.conn.StreamWritten(s)
		p.drain()
	}
}

// takeEvents returns the events of a kind that have come, and forgets all.
func (p *puppet) takeEvents(kind engine.EventKind) (found []engine.Event) {
	for _, e := range p.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	p.events = nil
	return found
}

// Nothing is counted in advance of memory that is not there.
func TestMemoryCountedWhenShort(t *testing.T) {
	p := newServer(t, withMemory(18<<10, 1<<20, 1<<30))
	p.handshake()
	p.openAndWrite(5) // each gets a block
	if used, held := p.memory.Used(), p.conn.MemoryHeld(); used != held || used <= p.memory.Limit() {
		t.Fatalf("%d bytes are counted, %d held, of %d", used, held, p.memory.Limit())
	}
}

// Attack: slow reading. A peer that lets nothing be sent, on the streams or on the
// connection, or acknowledges nothing, costs a block for each stream, what it may
// be sent, and what is in flight.
func TestAttackSlowReader(t *testing.T) {
	const streams, plenty = 100, 1 << 30
	blocks := int64(streams * 2 * streambuf.BlockSize) // answers to the questions have blocks, too
	for _, tt := range []struct {
		name         string
		stream, conn uint64
		most         int64
	}{
		{"no credit for streams", 0, plenty, blocks},
		{"no credit for the connection", plenty, 0, blocks},
		{"little credit for the connection", plenty, 100_000, blocks + 2*100_000},
		{"credit for streams and no acknowledgment", plenty, plenty, blocks + streambuf.MaxConnUnsent + 100_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t, withMemory(plenty, tt.stream, tt.conn))
			p.handshake()
			p.openAndWrite(streams)
			if used := p.memory.Used(); used > tt.most || used < streams*streambuf.BlockSize {
				t.Errorf("%d bytes are held, want at most %d", used, tt.most)
			}
			p.conn.Close(p.now, 0, "")
			p.poll()
			p.advance(time.Minute)
			if used := p.memory.Used(); used != 0 {
				t.Errorf("%d bytes are held after the end", used)
			}
		})
	}
}

// Attack: a peer that acknowledges all but what comes first, which is so lost again
// and again, makes the rest be kept: as much as some congestion windows.
func TestAttackHole(t *testing.T) {
	const plenty = 1 << 40
	p := newServer(t, withMemory(plenty, plenty, plenty))
	p.handshake()
	p.conceal = func(f frame) bool { return f.kind().IsStream() && f.stream().Offset == 0 }
	s := p.openAndWrite(1)[0]
	for range 500 {
		p.advance(10 * time.Millisecond)
		p.ack()
		p.frames = nil
		p.fill(s)
	}
	limit := int64(streambuf.MaxConnUnsent+2*p.conn.Stats().CongestionWindow) + 2*streambuf.BlockSize + streambuf.AccountStep
	if used := p.memory.Used(); used > limit {
		t.Errorf("%d bytes are held, want at most %d", used, limit)
	}
}
