package congestion

import (
	"math"
	"testing"
	"time"
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
		elapsed := p.now + rtt - start // at the last ACK
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
	p.loseAll()
	for c.slowStart() {
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
			p.now += time.Hour
			p.c.OnSent(&Sent{Now: p.now, Bytes: mds})
		},
		"application limited": func(p *path) {
			p.underused = true
			for range 1000 {
				p.now += time.Second
				p.c.OnSent(&Sent{Now: p.now, Bytes: 100})
				p.acked(p.now+p.rtt, p.now, 100, 100, p.delivered)
			}
			p.underused = false
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
	p.rtt = rtt
	round := p.delivered
	for range 20 {
		p.now += time.Millisecond
		p.acked(p.now, p.now-rtt, mds, p.c.Window(), round)
	}
}

// TestHystartExit: the RTT rises, slow start becomes conservative at once and
// ends after five rounds (RFC 9406, Section 4.3).
func TestHystartExit(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	for range 3 {
		hystartRound(p, 40*time.Millisecond)
	}
	if want := (10 + 60) * mds; p.c.Window() != want || p.state() != "slow_start" {
		t.Fatalf("window %d, %s; want %d, slow_start", p.c.Window(), p.state(), want)
	}
	before := p.c.Window()
	hystartRound(p, 45*time.Millisecond) // threshold: 40 ms / 8 = 5 ms
	if p.state() != "conservative_slow_start" {
		t.Fatalf("%s after the RTT rose", p.state())
	}
	// Seven packets until there are eight samples, the rest at a quarter.
	if want := before + 7*mds + 13*mds/4; p.c.Window() != want {
		t.Errorf("window is %d, want %d", p.c.Window(), want)
	}
	for i := range 4 {
		before = p.c.Window()
		hystartRound(p, 45*time.Millisecond)
		if want := before + 20*mds/4; p.c.Window() != want || p.state() != "conservative_slow_start" {
			t.Errorf("round %d: window %d, %s; want %d", i+2, p.c.Window(), p.state(), want)
		}
	}
	before = p.c.Window()
	hystartRound(p, 45*time.Millisecond)
	if p.state() != "congestion_avoidance" || p.threshold() != before {
		t.Errorf("after five rounds: %s, threshold %d, want %d", p.state(), p.threshold(), before)
	}
	if got := p.c.Window(); got < before || got > before+2*mds {
		t.Errorf("window went from %d to %d", before, got)
	}
}

func TestHystartFluke(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	hystartRound(p, 40*time.Millisecond)
	hystartRound(p, 60*time.Millisecond)
	if p.state() != "conservative_slow_start" {
		t.Fatalf("%s after the RTT rose", p.state())
	}
	hystartRound(p, 42*time.Millisecond)
	if p.state() != "slow_start" {
		t.Errorf("%s after the RTT fell again", p.state())
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
		if got := p.state() == "conservative_slow_start"; got != tt.exits {
			t.Errorf("RTT from %v to %v: %s", tt.before, tt.after, p.state())
		}
	}
}

// TestHystartSamples: one ACK frame for many packets is one sample, and eight
// are needed.
func TestHystartSamples(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	hystartRound(p, 40*time.Millisecond)
	packets := make([]Packet, 15)
	for i := range packets {
		packets[i] = Packet{SentAt: p.now, Bytes: mds, TotalDelivered: p.delivered}
	}
	p.rtt = 80 * time.Millisecond
	for range 7 {
		p.now += time.Millisecond
		p.delivered += 15 * mds
		f := p.feedback(p.now)
		f.Acked, f.AckedBytes, f.Rate, f.PriorInFlight = packets, 15*mds, Rate{Packet: packets[14]}, p.c.Window()
		p.c.OnFeedback(&f)
	}
	if p.state() != "slow_start" {
		t.Errorf("%s after seven samples", p.state())
	}
}

// TestHystartOnlyOnce: later slow starts end at the threshold alone.
func TestHystartOnlyOnce(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	p.growTo(1000 * mds)
	p.lose()
	p.loseAll()
	hystartRound(p, 10*time.Millisecond)
	hystartRound(p, 100*time.Millisecond)
	if p.state() != "slow_start" {
		t.Errorf("%s in the second slow start", p.state())
	}
}

func TestLossEndsConservativeSlowStart(t *testing.T) {
	p := newPath(NewCUBIC(Config{MaxDatagramSize: mds}), 0)
	hystartRound(p, 40*time.Millisecond)
	hystartRound(p, 80*time.Millisecond)
	p.lost(p.now, p.now, mds)
	if p.state() != "recovery" || p.c.(*cubic).slowStart() {
		t.Errorf("%s after a loss", p.state())
	}
}

func BenchmarkOnFeedback(b *testing.B) {
	for name, newController := range controllers() {
		b.Run(name, func(b *testing.B) {
			p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
			p.growTo(1000 * mds)
			p.lose()
			f := p.feedback(p.now)
			f.Acked, f.AckedBytes, f.PriorInFlight = []Packet{{SentAt: p.now, Bytes: mds}, {SentAt: p.now, Bytes: mds}}, 2*mds, 1<<30
			b.ReportAllocs()
			for b.Loop() {
				f.Now++
				p.c.OnFeedback(&f)
			}
		})
	}
}
