package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// pair is a client and a server that hand each other their datagrams, with a
// little virtual time between.
type pair struct {
	t    testing.TB
	now  monotime.Time
	ends [2]*end // by side
	buf  []byte
	// packets counts the datagrams exchanged.
	packets int
}

// end is one of the two, with an application that reads everything at once.
type end struct {
	endpoint *engine.Endpoint
	conn     *engine.Conn
	streams  []*engine.Stream // opened by the peer
	read     int
	buf      []byte
	events   [32]engine.Event
}

func newPair(t testing.TB, cfg engine.Config) *pair {
	return newPairWithIDs(t, cfg, [2]connid.Generator{})
}

// newPairWithIDs makes a pair whose sides have connection IDs of their own making.
func newPairWithIDs(t testing.TB, cfg engine.Config, ids [2]connid.Generator) *pair {
	t.Helper()
	p := &pair{t: t, now: puppetStart, buf: make([]byte, 64<<10)}
	config := cfg.WithDefaults()
	for side := range p.ends {
		p.ends[side] = &end{
			endpoint: engine.NewEndpoint(engine.EndpointConfig{Seed: [32]byte{byte(side)}, ConnectionIDs: ids[side]}),
			buf:      make([]byte, 64<<10),
		}
	}
	p.ends[wire.ServerSide].endpoint.SetServer(&engine.Server{Config: config, NewTLS: fakeServerTLS(2000)})
	c := p.ends[wire.ClientSide]
	c.conn, _ = c.endpoint.Dial(p.now, path.Addrs{Remote: puppetAddr}, config, &sim.FakeTLS{Side: wire.ClientSide})
	for range 10 {
		p.exchange()
	}
	if p.ends[wire.ServerSide].conn == nil || c.conn.Closed() != nil {
		t.Fatalf("no handshake: %v", c.conn.Closed())
	}
	return p
}

// exchange lets both send until neither has anything to say now.
func (p *pair) exchange() {
	for progress := true; progress; {
		progress = false
		p.now = p.now.Add(10 * time.Microsecond)
		for side := range p.ends {
			progress = p.flush(wire.Side(side)) || progress
		}
	}
}

// flush sends what one side has to say, and lets its application read.
func (p *pair) flush(side wire.Side) (sent bool) {
	e, to := p.ends[side], p.ends[side.Peer()]
	if e.conn == nil {
		return false
	}
	if d := e.conn.Deadline(); d != 0 && d <= p.now {
		e.conn.HandleDeadline(p.now)
	}
	p.handleEvents(e)
	for p.sendTrain(e, to) {
		sent = true
	}
	return sent
}

// sendTrain lets one side send once.
func (p *pair) sendTrain(e, to *end) bool {
	t, ok := e.conn.PollTransmit(p.now, p.buf, 44)
	for data := t.Data; len(data) > 0; {
		n := min(t.Segment, len(data))
		p.packets++
		c := to.endpoint.HandleDatagram(p.now, engine.Datagram{Data: data[:n], Path: path.Addrs{Remote: puppetAddr}, ECN: t.ECN})
		if to.conn == nil {
			to.conn = c
		}
		data = data[n:]
	}
	return ok
}

func (p *pair) handleEvents(e *end) {
	for n := e.conn.PollEvents(e.events[:]); n > 0; n = e.conn.PollEvents(e.events[:]) {
		for _, ev := range e.events[:n] {
			switch ev.Kind {
			case engine.EventStreamOpened:
				e.streams = append(e.streams, ev.Stream)
			case engine.EventStreamReadable:
				p.readAll(e, ev.Stream)
			}
		}
	}
}

func (p *pair) readAll(e *end, s *engine.Stream) {
	for {
		n, err := s.Recv.Read(e.buf)
		e.read += n
		if s.Recv.Consumed() {
			e.conn.StreamConsumed(p.now, s)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// write puts data on a stream and exchanges until all of it is taken.
func (p *pair) write(side wire.Side, s *engine.Stream, data []byte) {
	for len(data) > 0 {
		n, err := s.Send.Write(data)
		if err != nil {
			p.t.Fatal(err)
		}
		data = data[n:]
		p.ends[side].conn.StreamWritten(s)
		p.exchange()
	}
}
