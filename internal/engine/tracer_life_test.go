package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// lifeRecorder is a Tracer that keeps a line for what recorder leaves out.
type lifeRecorder struct {
	lines     []string
	datagrams [2]int // sent, received
	metrics   quictrace.RecoveryMetricsUpdated
	control   string
	mtu       int
	chosen    uint32
}

func (r *lifeRecorder) line(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// Trace implements quictrace.Tracer.
func (r *lifeRecorder) Trace(_ time.Duration, e quictrace.Event) {
	switch e := e.(type) {
	case *quictrace.ConnectionStarted:
		r.line("started with %x at %v", e.RemoteID, e.Remote)
	case *quictrace.RecoveryParametersSet:
		r.line("loss after %d packets or %v round trips", e.ReorderingThreshold, e.TimeThreshold)
	case *quictrace.VersionInformation:
		r.line("version %v, of %d and %d", wire.Version(e.Chosen), len(e.Client), len(e.Server))
		r.chosen = e.Chosen
	case *quictrace.ALPNInformation:
		r.line("protocol %q", e.Chosen)
	case *quictrace.ParametersSet:
		r.line("parameters, by the peer: %v, %d streams", e.Remote, e.InitialMaxStreamsBidi)
	case *quictrace.ConnectionStateUpdated:
		r.line("%s", e.New)
	case *quictrace.ConnectionIDUpdated:
		r.line("other ID, the peer's: %v", e.Remote)
	case *quictrace.StreamStateUpdated:
		r.line("stream %d, sending %v: %s", e.StreamID, e.Sending, e.New)
	case *quictrace.KeyUpdated:
		r.line("key of %v by %s, the server's: %v", e.Type, e.Trigger, e.Server)
	case *quictrace.KeyDiscarded:
		r.line("no key of %v, phase %d, the server's: %v", e.Type, e.Phase, e.Server)
	case *quictrace.PacketLost:
		r.line("lost, %s, probe %v", e.Trigger, e.Probe)
	case *quictrace.RecoveryMetricsUpdated:
		r.metrics = *e
	case *quictrace.CongestionStateUpdated:
		r.control = e.New
	case *quictrace.MTUUpdated:
		r.mtu = e.New
	case *quictrace.UDPDatagramsSent:
		r.datagrams[0]++
	case *quictrace.UDPDatagramsReceived:
		r.datagrams[1]++
	}
}

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
	p := newServer(t, traced(&r))
	p.sayVersions(v1, v1, v2)
	p.handshake()
	r.want(t,
		"started with "+p.local.String()+" at "+puppetAddr.String(),
		"version v1, of 0 and 2",
		"loss after 3 packets or 1.125 round trips",
		"parameters, by the peer: true, 100 streams",
		"version v1, of 2 and 2",
		"parameters, by the peer: false, 100 streams",
		"key of handshake by tls, the server's: true",
		"key of handshake by tls, the server's: false",
		"key of 1RTT by tls, the server's: true",
		"no key of initial, phase 0, the server's: false",
		"no key of initial, phase 0, the server's: true",
		"key of 1RTT by tls, the server's: false",
		`protocol ""`,
		"handshake_complete",
		"handshake_confirmed",
		"no key of handshake, phase 0, the server's: false",
		"no key of handshake, phase 0, the server's: true",
	)
	if r.datagrams[0] == 0 || r.datagrams[1] == 0 {
		t.Errorf("%d datagrams sent, %d received", r.datagrams[0], r.datagrams[1])
	}
	if r.control == "" || r.mtu == 0 || wire.Version(r.chosen) != v1 || r.metrics.CongestionWindow == 0 {
		t.Errorf("metrics are %+v, %q, %d bytes, version %d", r.metrics, r.control, r.mtu, r.chosen)
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
