package engine_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// recorder is a Tracer that keeps a line for each event about packets and the end.
type recorder struct{ lines []string }

func (r *recorder) line(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// Trace implements quictrace.Tracer.
func (r *recorder) Trace(_ time.Duration, e quictrace.Event) {
	switch e := e.(type) {
	case *quictrace.PacketSent:
		r.line("sent %v, first frame %#x", e.Type, e.Frames[0])
	case *quictrace.PacketReceived:
		r.line("received %v, first frame %#x", e.Type, e.Frames[0])
	case *quictrace.PacketDropped:
		r.line("dropped, %s: %s", e.Trigger, e.Detail)
	case *quictrace.PacketBuffered:
		r.line("buffered")
	case *quictrace.KeyUpdated:
		if e.Trigger != quictrace.KeyByTLS && e.Server {
			r.line("keys of %v, phase %d: %s", e.Type, e.Phase, e.Trigger)
		}
	case *quictrace.ConnectionClosed:
		r.line("closed")
	case *quictrace.ConnectionStateUpdated:
		if e.New == quictrace.StateClosed {
			r.line("released")
		}
	}
}

// traced makes the puppet's endpoint tell r what its connection does.
func traced(r quictrace.Tracer) func(*puppet) {
	return func(p *puppet) {
		p.config.NewTracer = func(quictrace.Info) quictrace.Tracer { return r }
	}
}

func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if !reflect.DeepEqual(r.lines, want) {
		t.Errorf("the tracer was told:\n\t%s\nwant:\n\t%s", strings.Join(r.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// The packets that carry CONNECTION_CLOSE are traced, and what they answer.
func TestTraceClosing(t *testing.T) {
	var r recorder
	p := newServer(t, traced(&r))
	p.handshake()
	r.lines = nil
	p.conn.Close(p.now, 7, "bye")
	p.poll()
	p.send(wire.AppSpace, ping())
	p.advance(maxClosing)
	r.want(t,
		"closed",
		"sent 1RTT, first frame 0x1d",
		"dropped, general: the connection is closing",
		"sent 1RTT, first frame 0x1d",
		"released")
}

// So is what arrives after the peer's CONNECTION_CLOSE.
func TestTraceDraining(t *testing.T) {
	var r recorder
	p := newServer(t, traced(&r))
	p.handshake()
	r.lines = nil
	p.send(wire.AppSpace, appClose(7))
	p.send(wire.AppSpace, ping())
	p.advance(maxClosing)
	r.want(t,
		"received 1RTT, first frame 0x1d",
		"closed",
		"dropped, general: the connection is draining",
		"released")
}

// A driver that ends releases its connections without waiting.
func TestTraceReleasedEarly(t *testing.T) {
	var r recorder
	p := newServer(t, traced(&r))
	p.handshake()
	r.lines = nil
	p.conn.Release(p.now)
	p.wantOpen() // only what has ended is released
	p.conn.Close(p.now, 7, "")
	p.poll()
	p.conn.Release(p.now)
	p.conn.Release(p.now)
	r.want(t, "closed", "sent 1RTT, first frame 0x1d", "released")
	if err := p.endpoint.CheckEmpty(); err != nil {
		t.Error(err)
	}
}

// A connection that ends without a word is released at once.
func TestTraceIdle(t *testing.T) {
	var r recorder
	p := newServer(t, traced(&r))
	p.handshake()
	r.lines = nil
	p.advance(p.config.MaxIdleTimeout)
	r.want(t, "closed", "released")
}

// Each way not to use a packet is traced by its name in qlog.
func TestTraceDropped(t *testing.T) {
	bad := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	for _, tt := range []struct {
		name  string
		bytes func(p *puppet) []byte
		want  string
	}{
		{"not authentic", func(p *puppet) []byte { return bad(p.packet(wire.AppSpace, ping())) }, "dropped, decryption_failure: "},
		{"twice", func(p *puppet) []byte { return p.packetNumbered(wire.AppSpace, 0, ping()) }, "dropped, duplicate: "},
		{"truncated", func(p *puppet) []byte { return p.packet(wire.AppSpace, ping())[:9] }, "dropped, decryption_failure: "},
		{"no Handshake keys", func(p *puppet) []byte { return p.packet(wire.HandshakeSpace, ping()) },
			"dropped, key_unavailable: keys discarded"},
		{"small Initial", func(p *puppet) []byte {
			b, at := wire.AppendLongHeader(nil, wire.InitialPacket, wire.Version1, &p.remote, &p.local, nil, 9, 4)
			b = append(b, make([]byte, 100)...)
			wire.PutLength(b, at, 104)
			return b
		}, "dropped, invalid: Initial packet in a small datagram"},
		{"0-RTT", func(p *puppet) []byte {
			b, at := wire.AppendLongHeader(nil, wire.ZeroRTTPacket, wire.Version1, &p.remote, &p.local, nil, 9, 4)
			b = append(b, make([]byte, 100)...)
			wire.PutLength(b, at, 104)
			return b
		}, "dropped, rejected: 0-RTT packet"},
		{"another version", func(p *puppet) []byte {
			return longPacket(unknownVersion, string(p.remote.Bytes()), "source", 100)
		}, "dropped, unsupported: "},
		{"malformed", func(p *puppet) []byte {
			return longPacket(wire.Version1, string(p.remote.Bytes()), strings.Repeat("x", 21), 100)
		}, "dropped, invalid: malformed long header"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r recorder
			p := newServer(t, traced(&r))
			p.handshake()
			p.send(wire.AppSpace, ping())
			r.lines = nil
			p.raw(tt.bytes(p))
			r.want(t, tt.want)
		})
	}
}

// A packet that overtakes its keys is kept once, and then received.
func TestTraceBuffered(t *testing.T) {
	var r recorder
	p := newServer(t, traced(&r))
	p.reachHandshake()
	early := append([]byte{0x40}, append(bytes.Clone(p.remote.Bytes()), make([]byte, 100)...)...)
	r.lines = nil
	for range engine.MaxEarlyPackets + 1 {
		p.deliver(early)
	}
	want := slices.Repeat([]string{"buffered"}, engine.MaxEarlyPackets)
	r.want(t, append(want, "dropped, key_unavailable: ")...)
}

// Key updates are traced with who began them.
func TestTraceKeyUpdates(t *testing.T) {
	var r recorder
	p := newServer(t, traced(&r))
	p.handshake()
	p.send(wire.AppSpace, ping(), ping())
	p.advance(engine.MaxAckDelay)
	r.lines = nil
	p.update(false)
	p.send(wire.AppSpace, ping())
	p.send(wire.AppSpace, ping())
	p.ack()
	if err := p.conn.UpdateKeys(p.now); err != nil {
		t.Fatal(err)
	}
	p.send(wire.AppSpace, ping())
	p.send(wire.AppSpace, ping())
	var got []string
	for _, l := range r.lines {
		if strings.HasPrefix(l, "keys") {
			got = append(got, l)
		}
	}
	r.lines = got
	r.want(t, "keys of 1RTT, phase 1: remote_update", "keys of 1RTT, phase 2: local_update")
}
