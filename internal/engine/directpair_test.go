package engine_test

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
)

// directPair is a client and a server with nothing between them.
type directPair struct {
	now            monotime.Time
	config         *engine.Config
	ce, se         *engine.Endpoint
	client, server *engine.Conn
	opened         *engine.Stream
	buf            []byte
	packets        int
}

func newDirectPair(newTLS func() engine.TLS) *directPair {
	p := &directPair{now: 1e9, buf: make([]byte, 64<<10)}
	p.config = engine.Config{MaxBidiStreams: 100, MaxUniStreams: 100, InitialStreamWindow: 4 << 20, InitialConnWindow: 8 << 20}.WithDefaults()
	p.ce = engine.NewEndpoint(engine.EndpointConfig{})
	p.se = engine.NewEndpoint(engine.EndpointConfig{Seed: [32]byte{1}})
	p.se.SetServer(&engine.Server{Config: p.config, NewTLS: newTLS})
	return p
}

// dial makes the connection.
func (p *directPair) dial(tls engine.TLS) {
	p.server = nil
	p.client, _ = p.ce.Dial(p.now, path.Addrs{}, p.config, tls)
	for range 10 {
		p.exchange()
	}
}

// end has the client close the connection, and forgets it.
func (p *directPair) end() {
	p.client.Close(p.now, 0, "")
	p.exchange()
	p.client.Release(p.now)
	p.server.Release(p.now)
}

// exchange lets both sides send until neither has anything to say.
func (p *directPair) exchange() {
	for progress := true; progress; {
		progress = false
		p.now += 1000
		progress = p.flush(p.client, p.se) || progress
		progress = p.flush(p.server, p.ce) || progress
	}
}

func (p *directPair) flush(c *engine.Conn, to *engine.Endpoint) bool {
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
