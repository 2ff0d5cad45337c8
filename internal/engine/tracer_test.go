package engine_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// recorder is a Tracer that keeps a line for each call.
type recorder struct{ lines []string }

func (r *recorder) line(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) PacketSent(_ monotime.Time, t wire.PacketType, _ wire.PacketNumber, _ int, frames []byte) {
	r.line("sent %v, first frame %#x", t, frames[0])
}

func (r *recorder) PacketReceived(_ monotime.Time, t wire.PacketType, _ wire.PacketNumber, _ int, frames []byte) {
	r.line("received %v, first frame %#x", t, frames[0])
}

func (r *recorder) PacketDropped(_ monotime.Time, _ int, reason string) {
	r.line("dropped: %s", reason)
}

func (r *recorder) PacketLost(monotime.Time, wire.Space, wire.PacketNumber) { r.line("lost") }
func (r *recorder) MetricsUpdated(monotime.Time, engine.Stats)              {}
func (r *recorder) Closed(monotime.Time, error)                             { r.line("closed") }
func (r *recorder) Released(monotime.Time)                                  { r.line("released") }

// traced makes the puppet's endpoint tell r what its connection does.
func traced(r *recorder) func(*puppet) {
	return func(p *puppet) {
		p.config.NewTracer = func(wire.Side, wire.ConnectionID) engine.Tracer { return r }
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
		"sent 1-RTT, first frame 0x1d",
		"dropped: closing",
		"sent 1-RTT, first frame 0x1d",
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
		"received 1-RTT, first frame 0x1d",
		"closed",
		"dropped: draining",
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
	r.want(t, "closed", "sent 1-RTT, first frame 0x1d", "released")
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
