package recovery

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// The probe timeout doubles each time until news come (RFC 9002,
// Section 6.2.1), and not without end.
func TestPTOBackoff(t *testing.T) {
	f := sampled(t) // 100 + 4*50 + 25 ms
	sent := f.now.Sub(t0)
	f.send(wire.AppSpace, 1)
	for i := range maxPTOBackoff + 3 {
		wait := (325 * ms) << min(i, maxPTOBackoff)
		f.wantDeadline(confirmed, sent+wait)
		f.now = t0.Add(sent + wait - 1)
		if f.d.OnDeadline(f.now, confirmed).Probe {
			t.Fatal("probes early")
		}
		f.wait(1)
		if due := f.d.OnDeadline(f.now, confirmed); !due.Probe || due.Space != wire.AppSpace {
			t.Fatalf("%+v", due)
		}
		if f.d.PTOCount() != i+1 {
			t.Fatalf("%d timeouts are counted", f.d.PTOCount())
		}
		sent = f.now.Sub(t0)
		f.send(wire.AppSpace, 1) // the probe, from which the next one counts
	}
	f.d.ResetPTO()
	f.wantDeadline(confirmed, sent+325*ms)
	if len(f.lost) != 0 {
		t.Fatal("a probe timeout lost packets")
	}
}

// Nothing in flight, no deadline; an ACK alone is nothing in flight.
func TestNoDeadline(t *testing.T) {
	f := newFixture(t)
	f.wantDeadline(confirmed, 0)
	f.sendPacket(wire.AppSpace, func(p *Sent) {})
	f.wantDeadline(confirmed, 0)
	f.send(wire.AppSpace, 1)
	f.wantDeadline(confirmed, 999*ms+25*ms)
	f.ack(wire.AppSpace, one(1))
	f.wantDeadline(confirmed, 0)
}

// 1-RTT packets are not probed before the handshake is confirmed, and
// Initial and Handshake probes do not wait for the peer's ACK delay
// (RFC 9002, Section 6.2.1).
func TestPTOSpaces(t *testing.T) {
	f := newFixture(t)
	f.send(wire.AppSpace, 1)
	f.wantDeadline(Limits{PeerValidated: true}, 0)
	f.wait(10 * ms)
	f.send(wire.HandshakeSpace, 1)
	f.wantDeadline(Limits{PeerValidated: true}, 10*ms+999*ms)
	f.wait(10 * ms)
	f.send(wire.InitialSpace, 1)
	f.wantDeadline(Limits{PeerValidated: true}, 10*ms+999*ms)
	f.now = t0.Add(1009 * ms)
	if due := f.d.OnDeadline(f.now, Limits{PeerValidated: true}); !due.Probe || due.Space != wire.HandshakeSpace {
		t.Fatalf("%+v", due)
	}
	f.d.Discard(f.now, wire.InitialSpace)
	f.d.Discard(f.now, wire.HandshakeSpace)
	f.wantDeadline(Limits{PeerValidated: true}, 0)
	f.wantDeadline(confirmed, 1024*ms)
	if f.d.PTOCount() != 0 {
		t.Fatal("the backoff outlives its space")
	}
}

// No probe is due in the very moment a space goes.
func TestDiscardDelaysProbe(t *testing.T) {
	f := sampled(t)
	f.send(wire.AppSpace, 1)
	f.wait(time.Second)
	f.d.Discard(f.now, wire.HandshakeSpace)
	if at := f.d.Deadline(confirmed); !at.After(f.now) {
		t.Fatalf("due %v ago", f.now.Sub(at))
	}
}

// A client that has nothing in flight probes until the server has surely
// validated its address (RFC 9002, Section 6.2.2.1).
func TestPTOAntiDeadlock(t *testing.T) {
	f := newFixture(t)
	f.wantDeadline(Limits{}, 0) // nothing was ever sent
	f.send(wire.InitialSpace, 1)
	f.wait(50 * ms)
	f.ack(wire.InitialSpace, one(0))
	for _, keys := range []bool{false, true} {
		f.wantDeadline(Limits{HandshakeKeys: keys}, 50*ms+150*ms)
		d := f.d
		want := wire.InitialSpace
		if keys {
			want = wire.HandshakeSpace
		}
		if due := d.OnDeadline(t0.Add(200*ms), Limits{HandshakeKeys: keys}); !due.Probe || due.Space != want {
			t.Fatalf("%+v", due)
		}
	}
	f.wantDeadline(Limits{PeerValidated: true}, 0)
}

// At the amplification limit nothing is armed but losses.
func TestPTOAmplificationLimit(t *testing.T) {
	f := sampled(t)
	limited := Limits{AmplificationCap: true}
	f.send(wire.InitialSpace, 2)
	f.wantDeadline(limited, 0)
	if f.d.OnDeadline(f.now.Add(time.Hour), limited).Probe {
		t.Fatal("probes beyond the limit")
	}
	f.wait(100 * ms)
	f.ack(wire.InitialSpace, one(1))
	f.wantDeadline(limited, 212500*time.Microsecond)
}

// Probes carry what is oldest; its fate stays open.
func TestOldest(t *testing.T) {
	f := newFixture(t)
	f.sendPacket(wire.AppSpace, func(p *Sent) {})
	f.send(wire.AppSpace, 5)
	f.ack(wire.AppSpace, one(2))
	f.wantFates(pns{2}, nil)
	var oldest pns
	f.d.Oldest(wire.AppSpace, 2, func(pn wire.PacketNumber, _ *Sent) bool { oldest = append(oldest, pn); return true })
	if !equal(oldest, pns{1, 3}) {
		t.Fatalf("oldest %v", oldest)
	}
	f.ack(wire.AppSpace, one(3), one(1))
	f.wantFates(pns{3, 1}, nil)
	f.d.Discard(f.now, wire.InitialSpace)
	f.d.Oldest(wire.InitialSpace, 2, func(wire.PacketNumber, *Sent) bool { t.Fatal("a packet of a space that is gone"); return true })
}

// PTO is the period without backoff, by the peer's promise.
func TestPTOPeriod(t *testing.T) {
	f := sampled(t)
	if got := f.d.PTO(); got != 325*ms {
		t.Fatalf("%v", got)
	}
	f.d.MaxAckDelay = 0
	if got := f.d.PTO(); got != 300*ms {
		t.Fatalf("%v without ACK delay", got)
	}
}

// A probe for a path that is not in use sets no probe timeout for that in use, nor moves it,
// and memory does not wait for it.
func TestPathProbesSetNoTimeout(t *testing.T) {
	f := sampled(t)
	sent := f.now.Sub(t0)
	probe := func() {
		f.sendPacket(wire.AppSpace, func(p *Sent) { p.AckEliciting, p.Probe, p.Bytes = true, PathProbe, 1200 })
	}
	probe() // 1
	f.wantDeadline(confirmed, 0)
	f.send(wire.AppSpace, 1)
	f.wantDeadline(confirmed, sent+325*ms)
	f.wait(200 * ms)
	probe() // 3
	f.wantDeadline(confirmed, sent+325*ms)
	f.ack(wire.AppSpace, one(2))
	f.ack(wire.AppSpace, one(3))
	f.wantDeadline(confirmed, 0)
	probe()
	f.d.Trim(wire.AppSpace)
	if n, bytes := f.space[wire.AppSpace].AckEliciting(), f.path.InFlight(); n != 0 || bytes != 0 {
		t.Errorf("%d packets of %d bytes are waited for", n, bytes)
	}
}
