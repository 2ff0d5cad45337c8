package congestion

import (
	"math"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestCubicCurve compares the window with W_cubic of RFC 9438, Section 4.2, for
// 20 seconds after a reduction from 1000 packets.
func TestCubicCurve(t *testing.T) {
	const rtt = 100 * time.Millisecond
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), rtt)
	p.growTo(1000 * mds)
	p.lose()
	k := math.Cbrt(1000 * 0.3 / 0.4)
	p.round()
	start := p.now // the first ACK began the epoch
	for i := range 200 {
		p.round()
		elapsed := p.now.Add(rtt).Sub(start) // at the last ACK
		want := 0.4*math.Pow(elapsed.Seconds()-k, 3) + 1000
		got := float64(p.c.Window()) / mds
		if math.Abs(got-want) > 0.02*want {
			t.Fatalf("round %d: window is %.1f packets at %v, want %.1f", i, got, elapsed, want)
		}
	}
}

// TestCubicRenoFriendly: at short RTTs the window is that of Reno's line, with
// alpha 0.53 up to where it was and 1 beyond (RFC 9438, Section 4.3).
func TestCubicRenoFriendly(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 5*time.Millisecond)
	p.growTo(40 * mds)
	p.lose()
	want := 28.0
	for i := range 60 {
		p.round()
		if want < 40 {
			want += 3 * 0.3 / 1.7
		} else {
			want++
		}
		got := float64(p.c.Window()) / mds
		if math.Abs(got-want) > 0.05*want {
			t.Fatalf("round %d: window is %.2f packets, want %.2f", i, got, want)
		}
	}
}

func TestCubicFastConvergence(t *testing.T) {
	c := NewCUBIC(Config{MaxDatagramSize: mds}).(*cubic)
	p := newPath(c, 50*time.Millisecond)
	p.growTo(1000 * mds)
	p.lose()
	if c.wMax != 1000 {
		t.Errorf("wMax is %v after the first loss, want 1000", c.wMax)
	}
	p.lose() // at 700, below wMax
	if want := 700 * 0.85; math.Abs(c.wMax-want) > 0.01 {
		t.Errorf("wMax is %v after the second loss, want %v", c.wMax, want)
	}
}

// TestCubicTimeout: after persistent congestion the window is on a plateau when
// slow start ends (RFC 9438, Section 4.8).
func TestCubicTimeout(t *testing.T) {
	c := NewCUBIC(Config{MaxDatagramSize: mds}).(*cubic)
	p := newPath(c, 50*time.Millisecond)
	p.growTo(100 * mds)
	p.lose()
	c.OnPersistentCongestion(p.now)
	for c.SlowStart() {
		p.round()
	}
	p.round()
	if c.k != 0 || c.wMax < 70 || c.wMax > 72 {
		t.Errorf("the epoch after slow start has k = %v, wMax = %v; want 0, 70", c.k, c.wMax)
	}
}

// TestCubicIdle: a pause does not make the window leap (RFC 9438, Section 5.8).
func TestCubicIdle(t *testing.T) {
	for name, pause := range map[string]func(*path){
		"nothing in flight": func(p *path) {
			p.now = p.now.Add(time.Hour)
			p.c.OnSent(p.now, mds, 0)
		},
		"application limited": func(p *path) {
			p.acked.AppLimited = true
			for range 1000 {
				p.now = p.now.Add(time.Second)
				p.c.OnSent(p.now, 100, 0)
				p.c.OnAcked(p.now.Add(p.rtt), Acked{SentAt: p.now, Bytes: 100, InFlight: 100, SmoothedRTT: p.rtt, AppLimited: true})
			}
			p.acked.AppLimited = false
		},
	} {
		p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 100*time.Millisecond)
		p.growTo(1000 * mds)
		p.lose()
		for range 10 {
			p.round()
		}
		before := p.c.Window()
		pause(p)
		p.round()
		if got := p.c.Window(); got < before || got > before+before/20 {
			t.Errorf("%s: window went from %d to %d packets", name, before/mds, got/mds)
		}
	}
}

func TestCubicGrowsWithoutRTT(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	p.growTo(100 * mds)
	p.lose()
	before := p.c.Window()
	for range 20 {
		p.round()
	}
	if got := p.c.Window(); got <= before || got > 200*mds {
		t.Errorf("window went from %d to %d packets", before/mds, got/mds)
	}
}

// hystartRound acknowledges 20 packets one by one with the given RTT, all sent
// before the round began.
func hystartRound(p *path, rtt time.Duration) {
	first := p.next
	p.next += 20
	for i := range 20 {
		p.now = p.now.Add(time.Millisecond)
		p.c.OnAcked(p.now, Acked{
			Number: first + wire.PacketNumber(i), SentAt: p.now.Add(-rtt), Bytes: mds, InFlight: p.c.Window(),
			LatestRTT: rtt, MinRTT: rtt, SmoothedRTT: rtt, NextNumber: p.next,
		})
	}
}

// TestHystartExit: the RTT rises, slow start becomes conservative at once and
// ends after five rounds (RFC 9406, Section 4.3).
func TestHystartExit(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	for range 3 {
		hystartRound(p, 40*time.Millisecond)
	}
	if want := (10 + 60) * mds; p.c.Window() != want || p.c.State() != "slow_start" {
		t.Fatalf("window %d, %s; want %d, slow_start", p.c.Window(), p.c.State(), want)
	}
	before := p.c.Window()
	hystartRound(p, 45*time.Millisecond) // threshold: 40 ms / 8 = 5 ms
	if p.c.State() != "conservative_slow_start" {
		t.Fatalf("%s after the RTT rose", p.c.State())
	}
	// Seven packets until there are eight samples, the rest at a quarter.
	if want := before + 7*mds + 13*mds/4; p.c.Window() != want {
		t.Errorf("window is %d, want %d", p.c.Window(), want)
	}
	for i := range 4 {
		before = p.c.Window()
		hystartRound(p, 45*time.Millisecond)
		if want := before + 20*mds/4; p.c.Window() != want || p.c.State() != "conservative_slow_start" {
			t.Errorf("round %d: window %d, %s; want %d", i+2, p.c.Window(), p.c.State(), want)
		}
	}
	before = p.c.Window()
	hystartRound(p, 45*time.Millisecond)
	if p.c.State() != "congestion_avoidance" || p.c.Threshold() != before {
		t.Errorf("after five rounds: %s, threshold %d, want %d", p.c.State(), p.c.Threshold(), before)
	}
	if got := p.c.Window(); got < before || got > before+2*mds {
		t.Errorf("window went from %d to %d", before, got)
	}
}

func TestHystartFluke(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	hystartRound(p, 40*time.Millisecond)
	hystartRound(p, 60*time.Millisecond)
	if p.c.State() != "conservative_slow_start" {
		t.Fatalf("%s after the RTT rose", p.c.State())
	}
	hystartRound(p, 42*time.Millisecond)
	if p.c.State() != "slow_start" {
		t.Errorf("%s after the RTT fell again", p.c.State())
	}
}

func TestHystartThresholds(t *testing.T) {
	tests := []struct {
		before, after time.Duration
		exits         bool
	}{
		{1 * time.Millisecond, 4900 * time.Microsecond, false}, // at least 4 ms
		{1 * time.Millisecond, 5 * time.Millisecond, true},
		{80 * time.Millisecond, 89 * time.Millisecond, false}, // an eighth
		{80 * time.Millisecond, 90 * time.Millisecond, true},
		{400 * time.Millisecond, 415 * time.Millisecond, false}, // at most 16 ms
		{400 * time.Millisecond, 416 * time.Millisecond, true},
	}
	for _, tt := range tests {
		p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
		hystartRound(p, tt.before)
		hystartRound(p, tt.after)
		if got := p.c.State() == "conservative_slow_start"; got != tt.exits {
			t.Errorf("RTT from %v to %v: %s", tt.before, tt.after, p.c.State())
		}
	}
}

// TestHystartSamples: one ACK frame for many packets is one sample, and eight
// are needed.
func TestHystartSamples(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	hystartRound(p, 40*time.Millisecond)
	first := p.next
	p.next += 100
	for i := range 100 {
		if i%15 == 0 {
			p.now = p.now.Add(time.Millisecond) // the next ACK frame, the 7th at last
		}
		p.c.OnAcked(p.now, Acked{
			Number: first + wire.PacketNumber(i), SentAt: p.now, Bytes: mds, InFlight: p.c.Window(),
			LatestRTT: 80 * time.Millisecond, NextNumber: p.next,
		})
	}
	if p.c.State() != "slow_start" {
		t.Errorf("%s after seven samples", p.c.State())
	}
}

// TestHystartOnlyOnce: later slow starts end at the threshold alone.
func TestHystartOnlyOnce(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	p.growTo(1000 * mds)
	p.lose()
	p.c.OnPersistentCongestion(p.now)
	hystartRound(p, 10*time.Millisecond)
	hystartRound(p, 100*time.Millisecond)
	if p.c.State() != "slow_start" {
		t.Errorf("%s in the second slow start", p.c.State())
	}
}

func TestLossEndsConservativeSlowStart(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	hystartRound(p, 40*time.Millisecond)
	hystartRound(p, 80*time.Millisecond)
	p.c.OnLost(p.now, mds, p.now)
	if p.c.State() != "recovery" || p.c.SlowStart() {
		t.Errorf("%s after a loss", p.c.State())
	}
}

func BenchmarkOnAcked(b *testing.B) {
	for name, newController := range controllers() {
		b.Run(name, func(b *testing.B) {
			p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
			p.growTo(1000 * mds)
			p.lose()
			a := Acked{SentAt: p.now, Bytes: mds, InFlight: 1 << 30, LatestRTT: p.rtt, MinRTT: p.rtt, SmoothedRTT: p.rtt, NextNumber: 1}
			b.ReportAllocs()
			now := monotime.Time(p.now)
			for b.Loop() {
				now++
				p.c.OnAcked(now, a)
			}
		})
	}
}
