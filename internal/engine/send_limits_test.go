package engine_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// What is sent keeps to the limits of each stream, of the connection, and in the number of
// streams, which have an ID of their own each. Limits that do not rise are ignored (RFC 9000,
// Sections 2.1, 4.1, 4.6, 19.9 to 19.11).
func TestSenderKeepsToLimits(t *testing.T) {
	p := newServer(t, func(p *puppet) {
		p.params.InitialMaxData, p.params.InitialMaxStreamDataUni, p.params.InitialMaxStreamsUni = 150, 100, 2
	})
	p.handshake()
	open := func(seq uint64) *engine.Stream {
		t.Helper()
		s, err := p.conn.OpenStream(true)
		if err != nil || s.ID != p.ours(true, seq) {
			t.Fatalf("stream number %d: %v", seq, err)
		}
		return s
	}
	full := func() {
		t.Helper()
		if _, err := p.conn.OpenStream(true); err != engine.ErrStreamLimit {
			t.Fatalf("more streams than allowed: %v", err)
		}
	}
	first, second := p.ours(true, 0), p.ours(true, 1)
	for seq := range uint64(2) {
		s := open(seq)
		if n, err := s.Send.WriteLast(make([]byte, 1000)); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
		p.conn.StreamWritten(s)
	}
	full()
	p.poll()
	for _, tt := range []struct {
		name          string
		frames        []frame
		first, second uint64
	}{
		{"from the beginning", nil, 100, 50},
		{"lower ones", []frame{maxData(10), maxStreamData(first, 5), maxStreamData(second, 5), maxStreams(true, 1)}, 100, 50},
		{"the same", []frame{maxData(150), maxStreamData(first, 100), maxStreams(true, 2)}, 100, 50},
		{"more of the connection", []frame{maxData(180)}, 100, 80},
		{"more of one stream", []frame{maxStreamData(first, 120)}, 100, 80},
		{"more of both", []frame{maxData(1 << 20)}, 120, 100},
	} {
		if tt.frames != nil {
			p.send(wire.AppSpace, tt.frames...)
		}
		p.advance(2 * time.Second) // with probes
		if got := p.sentUpTo(); got[first] != tt.first || got[second] != tt.second {
			t.Fatalf("%s: %d and %d bytes were sent, want %d and %d", tt.name, got[first], got[second], tt.first, tt.second)
		}
	}
	full()
	p.send(wire.AppSpace, maxStreams(true, 3))
	open(2)
	full()
}

// A frame for a stream opens those before it as well (RFC 9000, Section 3.2).
func TestStreamsOpenInOrder(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace, stream(p.theirs(false, 3), 0, "x", false))
	seq := uint64(0)
	for _, e := range p.events {
		if e.Kind == engine.EventStreamOpened {
			if e.Stream.ID != p.theirs(false, seq) {
				t.Fatalf("stream %d is opened, want number %d", e.Stream.ID, seq)
			}
			seq++
		}
	}
	if seq != 4 {
		t.Fatalf("%d streams were opened, want 4", seq)
	}
}

// Flow control goes on for a half of a stream whose other half has ended (RFC 9000,
// Section 4.4).
func TestFlowControlOfHalf(t *testing.T) {
	p := newServer(t, withWindows(1000, 100_000))
	p.handshake()
	id := p.theirs(false, 0)
	p.send(wire.AppSpace, stopSending(id, 1))
	p.want(resetStream(id, 1, 0))
	p.ack()
	p.send(wire.AppSpace, stream(id, 999, "x", false))
	p.wantOpen()
	p.send(wire.AppSpace, stream(id, 1000, "x", false))
	p.wantClose(wire.FlowControlError)
}

// A reset that gets lost is sent again as it was, without any of the data before it, until it
// is acknowledged (RFC 9000, Sections 3.3 and 13.3).
func TestResetRepeated(t *testing.T) {
	p := newServer(t)
	p.handshake()
	s, err := p.conn.OpenStream(true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	p.poll()
	p.want(stream(s.ID, 0, string(make([]byte, 100)), false))
	reset := resetStream(s.ID, 7, 100)
	p.conn.ResetStream(s, 7)
	p.poll()
	p.want(reset)
	p.advance(10 * time.Second)
	n := 0
	for f, ok := p.next(); ok; f, ok = p.next() {
		switch {
		case bytes.Equal(f.frame, reset):
			n++
		case f.kind() != wire.FramePing:
			t.Fatalf("the endpoint sent %v", f)
		}
	}
	if n == 0 {
		t.Fatal("the reset is not sent again")
	}
	p.ack()
	p.advance(10 * time.Second)
	p.silence()
}

// Probes leave though the congestion window is full, and count as in flight; nothing else
// does (RFC 9002, Sections 7 and 7.5).
func TestProbesPassTheWindow(t *testing.T) {
	p := newServer(t, func(p *puppet) {
		p.params.InitialMaxData, p.params.InitialMaxStreamDataBidiLocal = 1<<30, 1<<30
	})
	p.handshake()
	p.serve(1 << 20)
	var full engine.Stats
	for range 1000 {
		if full = p.conn.Stats(); full.BytesInFlight >= full.CongestionWindow {
			break
		}
		p.advance(10 * time.Microsecond) // the pacer
	}
	if full.BytesInFlight < full.CongestionWindow || full.BytesInFlight >= full.CongestionWindow+1200 || full.ProbeTimeouts != 0 {
		t.Fatalf("%+v", full)
	}
	sent := p.sent
	p.advance(10 * time.Millisecond)
	if p.sent != sent {
		t.Fatalf("%d datagrams leave though the window is full", p.sent-sent)
	}
	p.advance(time.Duration(p.conn.PTO()))
	got := p.conn.Stats()
	if got.ProbeTimeouts != 1 || p.sent != sent+2 || got.BytesInFlight <= full.BytesInFlight {
		t.Fatalf("%d datagrams after %d probe timeouts, %d bytes in flight, before %d", p.sent-sent, got.ProbeTimeouts, got.BytesInFlight, full.BytesInFlight)
	}
}

// The delay that a peer says it acknowledged with counts up to what it promised (RFC 9002,
// Section 5.3).
func TestAckDelayPromise(t *testing.T) {
	const promised, late = wire.DefaultMaxAckDelay, 90 * time.Millisecond
	p := newServer(t, func(p *puppet) { p.rtt = 40 * time.Millisecond })
	p.handshake()
	before := p.conn.Stats()
	p.send(wire.AppSpace, pathChallenge("measured"))
	pn := p.largest(wire.AppSpace)
	p.advance(late)
	claimed := uint64(100*time.Millisecond/time.Microsecond) >> wire.DefaultAckDelayExponent
	p.send(wire.AppSpace, wire.AppendAck(nil, 1000, claimed, []wire.PacketRange{{Smallest: pn, Largest: pn}}, nil))
	got := p.conn.Stats()
	if want := (7*before.SmoothedRTT + late - promised) / 8; got.LatestRTT != late || got.SmoothedRTT != want {
		t.Fatalf("sample %v, smoothed %v, want %v", got.LatestRTT, got.SmoothedRTT, want)
	}
}
