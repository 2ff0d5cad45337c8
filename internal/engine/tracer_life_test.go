package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// lifeRecorder is a Tracer that keeps a line for what recorder leaves out.
type lifeRecorder struct {
	engine.NopTracer
	lines     []string
	datagrams [2]int // sent, received
	metrics   engine.Metrics
}

func (r *lifeRecorder) line(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// Started implements engine.Tracer, and so do the others.
func (r *lifeRecorder) Started(_ monotime.Time, addrs path.Addrs, _, remote wire.ConnectionID) {
	r.line("started with %v at %v", remote, addrs.Remote)
}

func (r *lifeRecorder) VersionKnown(_ monotime.Time, chosen wire.Version, client, server []wire.Version) {
	r.line("version %v, of %d and %d", chosen, len(client), len(server))
}

func (r *lifeRecorder) ProtocolKnown(_ monotime.Time, alpn []byte) { r.line("protocol %q", alpn) }

func (r *lifeRecorder) ParametersSet(_ monotime.Time, p *wire.TransportParameters, remote bool) {
	r.line("parameters, by the peer: %v, %d streams", remote, p.InitialMaxStreamsBidi)
}
func (r *lifeRecorder) StateUpdated(_ monotime.Time, state string) { r.line("%s", state) }
func (r *lifeRecorder) StreamUpdated(id wire.StreamID, sending bool, state string) {
	r.line("stream %d, sending %v: %s", id, sending, state)
}

func (r *lifeRecorder) KeysUpdated(_ monotime.Time, level wire.Level, _ uint64, trigger engine.KeyTrigger, writing bool) {
	r.line("keys of %v by %s, writing %v", level, trigger, writing)
}

func (r *lifeRecorder) KeysDiscarded(_ monotime.Time, level wire.Level, phase uint64) {
	r.line("no keys of %v, phase %d", level, phase)
}

func (r *lifeRecorder) PacketLost(_ monotime.Time, _ wire.Space, pn wire.PacketNumber, trigger engine.LossTrigger, probe bool) {
	r.line("lost, %s, probe %v", trigger, probe)
}
func (r *lifeRecorder) MetricsUpdated(_ monotime.Time, m engine.Metrics)    { r.metrics = m }
func (r *lifeRecorder) DatagramsSent(monotime.Time, engine.Transmit)        { r.datagrams[0]++ }
func (r *lifeRecorder) DatagramReceived(_ monotime.Time, _ int, _ path.ECN) { r.datagrams[1]++ }

func (r *lifeRecorder) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.lines, want) {
		t.Errorf("the tracer was told:\n%q\nwant:\n%q", r.lines, want)
	}
	r.lines = nil
}

// A tracer is told of all that a connection goes through.
func TestTraceLife(t *testing.T) {
	var r lifeRecorder
	p := newServer(t, func(p *puppet) {
		p.config.NewTracer = func(wire.Side, wire.ConnectionID) engine.Tracer { return &r }
	})
	p.sayVersions(v1, v1, v2)
	p.handshake()
	r.want(t,
		"started with "+p.local.String()+" at "+puppetAddr.String(),
		"version v1, of 0 and 2",
		"parameters, by the peer: true, 100 streams",
		"version v1, of 2 and 2",
		"parameters, by the peer: false, 100 streams",
		"keys of Handshake by tls, writing true",
		"keys of Handshake by tls, writing false",
		"keys of 1-RTT by tls, writing true",
		"no keys of Initial, phase 0",
		"keys of 1-RTT by tls, writing false",
		`protocol ""`,
		"handshake_complete",
		"handshake_confirmed",
		"no keys of Handshake, phase 0",
	)
	if r.datagrams[0] == 0 || r.datagrams[1] == 0 {
		t.Errorf("%d datagrams sent, %d received", r.datagrams[0], r.datagrams[1])
	}
	if r.metrics.Congestion == "" || r.metrics.DatagramSize == 0 || r.metrics.Version != v1 {
		t.Errorf("metrics are %+v", r.metrics)
	}

	s, err := p.conn.OpenStream(true)
	if err != nil {
		t.Fatal(err)
	}
	var last wire.PacketNumber
	for range 5 { // packets, the last of which is acknowledged
		if _, err := s.Send.Write([]byte("data")); err != nil {
			t.Fatal(err)
		}
		p.conn.StreamWritten(s)
		p.poll()
		last = p.largest(wire.AppSpace)
	}
	r.want(t, "stream 3, sending true: send")
	p.send(wire.AppSpace, ack(wire.PacketRange{Smallest: last, Largest: last}))
	lost := slices.DeleteFunc(r.lines, func(l string) bool { return l != "lost, reordering_threshold, probe false" })
	if len(lost) != 2 {
		t.Errorf("%d packets were overtaken: %q", len(lost), r.lines)
	}
	r.lines = nil
	p.advance(time.Second)
	if !slices.Contains(r.lines, "lost, time_threshold, probe false") {
		t.Errorf("none took too long: %q", r.lines)
	}
	p.ack()
	r.lines = nil
	p.send(wire.AppSpace, stopSending(s.ID, 7))
	p.send(wire.AppSpace, stream(0, 0, "hello", true))
	p.conn.Close(p.now, 0, "")
	p.poll()
	r.want(t,
		"stream 3, sending true: reset_sent",
		"stream 0, sending true: send",
		"stream 0, sending false: receive",
		"stream 0, sending false: size_known",
		"stream 0, sending false: data_received",
		"closing",
	)
}
