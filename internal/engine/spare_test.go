package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// talk has the client ask on so many streams at once, and the server answer. It returns
// the streams of both when they have ended.
func (p *pair) talk(n int) (streams []*engine.Stream) {
	p.t.Helper()
	client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
	server.streams = nil
	for range n {
		s, err := client.conn.OpenStream(false)
		if err != nil {
			p.t.Fatal(err)
		}
		p.say(client, s)
		streams = append(streams, s)
	}
	p.exchange()
	for _, s := range server.streams {
		p.say(server, s)
	}
	for range 5 {
		p.now = p.now.Add(30 * time.Millisecond) // longer than an acknowledgment may wait
		p.exchange()
	}
	return append(streams, server.streams...)
}

// say sends a few bytes and the end.
func (p *pair) say(e *end, s *engine.Stream) {
	p.t.Helper()
	if _, err := s.Send.WriteLast([]byte("some words")); err != nil {
		p.t.Fatal(err)
	}
	e.conn.StreamWritten(s)
}

// TestSpareMemory: streams that ended and blocks serve the next ones, up to a bound, and
// are given back when every connection of an endpoint is at rest.
func TestSpareMemory(t *testing.T) {
	const most = 2 * engine.MaxSpareStreams
	p := newPair(t, engine.Config{MaxBidiStreams: most + 2})
	spare := func() (n [2]int) {
		for side, e := range p.ends {
			_, n[side] = e.endpoint.Spare()
		}
		return n
	}
	first := p.talk(1)
	for _, s := range first {
		if !s.Recycle() {
			t.Fatal("a stream that has ended is not recycled")
		}
	}
	if spare() != [2]int{1, 1} {
		t.Fatalf("%v streams are spare, want one at each end", spare())
	}
	for i, s := range p.talk(1) {
		if s != first[i] {
			t.Error("a new stream has memory of its own though there was some")
		}
		s.Recycle()
	}
	for _, s := range p.talk(most) {
		s.Recycle()
	}
	if spare() != [2]int{engine.MaxSpareStreams, engine.MaxSpareStreams} {
		t.Errorf("%v streams are spare, want %d at each end", spare(), engine.MaxSpareStreams)
	}
	for side, e := range p.ends {
		if n, _ := e.endpoint.Spare(); n == 0 {
			t.Errorf("the %v has no spare block", wire.Side(side))
		}
	}
	p.now = p.now.Add(1100 * time.Millisecond)
	p.exchange()
	for side, e := range p.ends {
		if n, m := e.endpoint.Spare(); n+m > 0 {
			t.Errorf("at rest, the %v keeps %d bytes and %d streams", wire.Side(side), n, m)
		}
	}
}
