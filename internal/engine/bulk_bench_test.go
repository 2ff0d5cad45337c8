package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// BenchmarkBulk moves bytes over one stream between two engines that hand each
// other their datagrams: the engine's own cost, both sides together.
func BenchmarkBulk(b *testing.B) {
	const piece = 64 << 10
	p := newBenchPair(b)
	s, err := p.client.OpenStream(true)
	if err != nil {
		b.Fatal(err)
	}
	out, in := make([]byte, piece), make([]byte, piece)
	b.SetBytes(piece)
	b.ReportAllocs()
	var peer *engine.Stream
	for b.Loop() {
		for sent := 0; sent < piece; {
			n, err := s.Send.Write(out[sent:])
			if err != nil {
				b.Fatal(err)
			}
			sent += n
			p.client.StreamWritten(s)
			p.exchange()
			if peer == nil {
				peer = p.opened
			}
			for {
				n, err := peer.Recv.Read(in)
				if err != nil {
					b.Fatal(err)
				}
				if n == 0 {
					break
				}
				if peer.Recv.Consumed() {
					p.server.StreamConsumed(p.now, peer)
				}
			}
		}
	}
	b.ReportMetric(float64(p.packets)/float64(b.N), "packets/op")
}

// benchPair is a client and a server with nothing between them.
type benchPair struct {
	now            monotime.Time
	ce, se         *engine.Endpoint
	client, server *engine.Conn
	opened         *engine.Stream
	buf            []byte
	packets        int
}

func newBenchPair(b *testing.B) *benchPair {
	p := &benchPair{now: 1e9, buf: make([]byte, 64<<10)}
	cfg := engine.Config{MaxBidiStreams: 100, MaxUniStreams: 100, InitialStreamWindow: 4 << 20, InitialConnWindow: 8 << 20}.WithDefaults()
	p.ce = engine.NewEndpoint(engine.EndpointConfig{})
	p.se = engine.NewEndpoint(engine.EndpointConfig{Seed: [32]byte{1}})
	p.se.SetServer(&engine.Server{Config: cfg, NewTLS: func() engine.TLS { return &sim.FakeTLS{Side: wire.ServerSide} }})
	p.client = p.ce.Dial(p.now, engine.Path{}, cfg, &sim.FakeTLS{Side: wire.ClientSide})
	for range 10 {
		p.exchange()
	}
	return p
}

// exchange lets both sides send until neither has anything to say.
func (p *benchPair) exchange() {
	for progress := true; progress; {
		progress = false
		p.now += 1000
		progress = p.flush(p.client, p.se) || progress
		progress = p.flush(p.server, p.ce) || progress
	}
}

func (p *benchPair) flush(c *engine.Conn, to *engine.Endpoint) bool {
	if c == nil {
		return false
	}
	if d := c.Deadline(); d != 0 && d <= p.now {
		c.HandleDeadline(p.now)
	}
	sent := false
	for {
		t, ok := c.PollTransmit(p.now, p.buf, 44)
		if !ok {
			break
		}
		sent = true
		for data := t.Data; len(data) > 0; {
			n := min(t.Segment, len(data))
			p.packets++
			if got := to.HandleDatagram(p.now, engine.Datagram{Data: data[:n], ECN: t.ECN}); got != nil && p.server == nil {
				p.server = got
			}
			data = data[n:]
		}
	}
	var events [16]engine.Event
	for n := c.PollEvents(events[:]); n > 0; n = c.PollEvents(events[:]) {
		for _, e := range events[:n] {
			if e.Kind == engine.EventStreamOpened {
				p.opened = e.Stream
			}
		}
	}
	return sent
}
