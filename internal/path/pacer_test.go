package path

import (
	"math"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// sendFor lets a sender that always has data send as the pacer allows, on a
// timer that fires late by lateness, and returns what it sent.
func sendFor(p *Pacer, start monotime.Time, d, lateness time.Duration, mtu int) (sent int) {
	for now := start; now.Sub(start) < d; {
		for p.Budget(now) >= mtu {
			p.OnSent(now, mtu)
			sent += mtu
		}
		next := p.NextSend(now, mtu)
		now = max(next, now+1).Add(lateness)
	}
	return sent
}

func TestPacerRate(t *testing.T) {
	for _, rate := range []uint64{1_000, 125_000, 12_500_000, 1_250_000_000} {
		for _, lateness := range []time.Duration{0, time.Millisecond} {
			var p Pacer
			p.Update(1, rate, 1200)
			d := time.Second
			sent := float64(sendFor(&p, 1, d, lateness, 1200))
			want := float64(rate)*d.Seconds() + float64(p.limit) // the burst at the start
			if slack := float64(rate)*2*lateness.Seconds() + 2*1200; math.Abs(sent-want) > slack {
				t.Errorf("rate %d, timer late by %v: sent %.0f bytes in %v, want %.0f", rate, lateness, sent, d, want)
			}
		}
	}
}

// TestPacerFractions: a rate is exact however often the pacer is asked.
func TestPacerFractions(t *testing.T) {
	var p Pacer
	const rate = 7_654_321
	p.Update(1, rate, 1200)
	p.OnSent(1, 1<<20) // far into debt
	now := monotime.Time(1)
	for range 100_000 {
		now += 997
		p.Budget(now)
	}
	want := int64(p.limit)*tokensPerByte - 1<<20*tokensPerByte + 100_000*997*rate
	if p.tokens != want {
		t.Errorf("tokens are %d, want %d", p.tokens, want)
	}
}

func TestPacerBurst(t *testing.T) {
	tests := []struct {
		rate uint64
		mtu  int
		want int
	}{
		{1_000, 1200, 12_000},                 // ten packets
		{6_000_000, 1200, 12_000},             // 2 ms is as much
		{125_000_000, 1200, 250_000},          // 2 ms at 1 Gbit/s
		{1_250_000_000, 1450, 2_500_000},      // 2 ms at 10 Gbit/s
		{1_000_000_000_000, 1450, maxBurst},   // the limit
		{math.MaxUint64, 1450, maxBurst},      // likewise
		{math.MaxUint64, 1 << 20, 10_485_760}, // ten packets always
	}
	for _, tt := range tests {
		var p Pacer
		p.Update(1, tt.rate, tt.mtu)
		if got := p.Budget(1); got != tt.want {
			t.Errorf("rate %d: first burst is %d bytes, want %d", tt.rate, got, tt.want)
		}
		p.OnSent(1, tt.want)
		if got := p.Budget(1); got != 0 {
			t.Errorf("rate %d: %d bytes are left after the burst", tt.rate, got)
		}
		if got := p.Budget(1 << 62); got != tt.want {
			t.Errorf("rate %d: burst after a pause is %d bytes, want %d", tt.rate, got, tt.want)
		}
	}
}

// TestPacerLoopback: at 10 Gbit/s and an RTT of 50 microseconds a window is
// acknowledged and sent again before the pacer runs dry, though the loop visits
// the connection only once each RTT.
func TestPacerLoopback(t *testing.T) {
	const rtt = 50 * time.Microsecond
	const window = 1_250_000_000 / int(time.Second/rtt)
	const rate = window * 5 / 4 * int(time.Second/rtt) // as controllers have it (RFC 9002, Section 7.7)
	var pacer Pacer
	now := monotime.Time(1)
	for i := range 10_000 {
		pacer.Update(now, uint64(rate), 1450)
		if got := pacer.Budget(now); got < window {
			t.Fatalf("visit %d: budget %d is less than the window %d", i, got, window)
		}
		pacer.OnSent(now, window)
		now = now.Add(rtt)
	}
}

func TestPacerNextSend(t *testing.T) {
	var p Pacer
	if got := p.NextSend(5, 1200); got != 5 || p.Budget(5) != Unlimited {
		t.Errorf("without a rate: next at %d, budget %d", got, p.Budget(5))
	}
	p.OnSent(5, 1<<30)
	const start = monotime.Time(time.Second)
	p.Update(start, 1_000_003, 1200)
	if got := p.NextSend(start, 1200); got != start {
		t.Errorf("with a full bucket: next at %d, want %d", got, start)
	}
	p.OnSent(start, p.Budget(start))
	at := p.NextSend(start, 1200)
	if got := p.Budget(at - 1); got >= 1200 {
		t.Errorf("budget is %d before %v", got, at.Sub(start))
	}
	if got := p.Budget(at); got < 1200 {
		t.Errorf("budget is %d at %v", got, at.Sub(start))
	}
	// More than the bucket holds: when it is full.
	full := p.NextSend(at, 1<<30)
	if got := p.Budget(full); int64(got) != int64(p.limit) {
		t.Errorf("budget is %d when full, want %d", got, p.limit)
	}
}

func TestPacerDebt(t *testing.T) {
	var p Pacer
	p.Update(1, 1_000_000, 1200)
	p.OnSent(1, 12_000+50_000) // a train larger than the bucket
	if got := p.Budget(1); got != 0 {
		t.Errorf("budget in debt is %d", got)
	}
	if got, want := p.NextSend(1, 1200), monotime.Time(1).Add(51_200*time.Microsecond); got != want {
		t.Errorf("next at %d, want %d", got, want)
	}
}

func TestPacerUpdate(t *testing.T) {
	var p Pacer
	p.Update(1, 1_000_000, 1200)
	p.OnSent(1, 12_000)
	// A new rate holds from now on and brings no burst of its own.
	now := monotime.Time(1).Add(time.Millisecond)
	p.Update(now, 100_000_000, 1200)
	if got := p.Budget(now); got != 1000 {
		t.Errorf("budget is %d after 1 ms at 1 MB/s, want 1000", got)
	}
	now = now.Add(time.Millisecond)
	if got := p.Budget(now); got != 101_000 {
		t.Errorf("budget is %d after 1 ms more at 100 MB/s, want 101000", got)
	}
	// A lower one shrinks the bucket.
	p.Update(now, 1_000, 1200)
	if got := p.Budget(now); got != 12_000 {
		t.Errorf("budget is %d at 1 kB/s, want 12000", got)
	}
	p.Update(now, 0, 1200)
	if got := p.Budget(now); got != Unlimited {
		t.Errorf("budget is %d without a rate", got)
	}
}

func TestPacerClockBack(t *testing.T) {
	var p Pacer
	p.Update(1000, 1_000_000_000, 1200)
	p.OnSent(1000, p.Budget(1000))
	p.Budget(2000)
	if got := p.Budget(1500); got != 1000 {
		t.Errorf("budget is %d for a moment before the last, want 1000", got)
	}
	if got := p.Budget(3000); got != 2000 {
		t.Errorf("budget is %d later, want 2000", got)
	}
}

func TestPacerDoesNotAllocate(t *testing.T) {
	var p Pacer
	now := monotime.Time(1)
	if n := testing.AllocsPerRun(100, func() {
		now += 1000
		p.Update(now, uint64(now), 1200)
		p.OnSent(now, p.Budget(now))
		now = p.NextSend(now, 1200)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
