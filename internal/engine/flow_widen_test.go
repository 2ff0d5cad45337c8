package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// feeder is a puppet that fills streams as far as it may.
type feeder struct {
	*puppet
	sent, read, connMax, streamMax uint64
}

// look takes note of what the endpoint grants.
func (f *feeder) look() {
	for _, seen := range f.frames {
		switch seen.kind() {
		case wire.FrameMaxData:
			f.connMax = max(f.connMax, seen.number())
		case wire.FrameMaxStreamData:
			var m wire.MaxStreamData
			wire.ConsumeMaxStreamData(seen.body(), &m)
			f.streamMax = max(f.streamMax, m.Max)
		}
	}
	f.frames = nil
}

// feed sends n more bytes on the puppet's first stream, and lets time pass.
func (f *feeder) feed(n uint64) {
	f.t.Helper()
	f.send(wire.AppSpace, stream(f.theirs(false, 0), f.sent, strings.Repeat("x", int(n)), false))
	f.sent += n
	f.advance(625 * time.Microsecond) // 320 kB in two round trips
	f.look()
}

// theFirst returns the stream that the puppet has opened.
func (f *feeder) theFirst() *engine.Stream {
	f.t.Helper()
	opened := f.takeEvents(engine.EventStreamOpened)
	if len(opened) != 1 {
		f.fatal("%d streams are open", len(opened))
	}
	return opened[0].Stream
}

// A stream that is read fast enough to have its window doubled, and then no more, fills
// that window; the connection's has room for others all the same, also where memory is
// short, or one side's windows were set and not the other's.
func TestConnWindowWiderThanStreams(t *testing.T) {
	const memory = 1500 << 10
	for name, change := range map[string]func(*puppet){
		"defaults":     func(*puppet) {},
		"short memory": func(p *puppet) { p.memory = streambuf.NewMemory(memory) },
		"large window": func(p *puppet) { p.config.InitialStreamWindow = 4 << 20 },
		"least windows": func(p *puppet) {
			p.config.InitialStreamWindow, p.config.MaxStreamWindow = 300<<10, 900<<10
			p.config.InitialConnWindow, p.config.MaxConnWindow = 450<<10, 900<<10
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &feeder{puppet: newServer(t, func(p *puppet) {
				p.rtt = 100 * time.Millisecond
				p.params.MaxIdleTimeout = time.Hour
				change(p)
			})}
			f.handshake()
			f.connMax, f.streamMax = f.peer.InitialMaxData, f.peer.InitialMaxStreamDataBidiRemote
			const piece = 1000
			f.feed(piece)
			s := f.theFirst()
			buf := make([]byte, piece)
			for range 3000 { // of which half a window takes less than two round trips
				for range 2 {
					f.feed(piece)
				}
				for n := 1; n > 0; {
					n, _ = s.Recv.Read(buf)
					f.read += uint64(n)
				}
				if s.Recv.Consumed() {
					f.conn.StreamConsumed(f.now, s)
				}
			}
			for f.sent < min(f.streamMax, f.connMax) {
				f.feed(min(piece, min(f.streamMax, f.connMax)-f.sent))
			}
			f.wantOpen()
			if f.sent != f.streamMax || f.connMax < f.sent+(f.streamMax-f.read)/4 {
				t.Errorf("with %d bytes sent the stream may have %d, the connection %d", f.sent, f.streamMax, f.connMax)
			}
		})
	}
}
