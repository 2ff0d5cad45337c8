package congestion

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

const mds = 1200 // datagram size in most tests

// path drives a controller over a path with a constant RTT: each round trip
// acknowledges a full window, evenly spread, and sends another.
type path struct {
	c     Controller
	now   monotime.Time
	rtt   time.Duration
	next  wire.PacketNumber
	acked Acked // AppLimited is taken from here
}

func newPath(c Controller, rtt time.Duration) *path {
	return &path{c: c, now: 1, rtt: rtt}
}

// round lets a round trip pass with full packets.
func (p *path) round() {
	packets := max(1, p.c.Window()/mds)
	sentAt, first := p.now, p.next
	p.next += wire.PacketNumber(packets)
	for i := range packets {
		p.c.OnSent(p.now, mds, (1+i)*mds)
	}
	gap := p.rtt / time.Duration(packets)
	p.now = p.now.Add(p.rtt)
	for i := range packets {
		p.c.OnAcked(p.now.Add(time.Duration(i)*gap), Acked{
			Number:      first + wire.PacketNumber(i),
			SentAt:      sentAt.Add(time.Duration(i) * gap),
			Bytes:       mds,
			InFlight:    (packets - i) * mds,
			LatestRTT:   p.rtt,
			MinRTT:      p.rtt,
			SmoothedRTT: p.rtt,
			AppLimited:  p.acked.AppLimited,
			NextNumber:  p.next,
		})
	}
	p.now = p.now.Add(1)
}

// growTo brings the window to so many bytes in slow start.
func (p *path) growTo(window int) {
	for p.c.Window() < window {
		p.c.OnAcked(p.now, Acked{SentAt: p.now, Bytes: min(mds, window-p.c.Window()), InFlight: p.c.Window(), NextNumber: 1})
	}
}

func (p *path) lose() {
	p.now = p.now.Add(time.Millisecond)
	p.c.OnLost(p.now, mds, p.now)
	p.now = p.now.Add(time.Millisecond)
}

func controllers() map[string]func(Config) Controller {
	return map[string]func(Config) Controller{"NewReno": NewReno, "CUBIC": NewCUBIC}
}

func TestInitialWindow(t *testing.T) {
	// RFC 9002, Section 7.2.
	for size, want := range map[int]int{1200: 12000, 1472: 14720, 1500: 14720, 8000: 16000} {
		for name, newController := range controllers() {
			c := newController(Config{MaxDatagramSize: size})
			if c.Window() != want || !c.SlowStart() || c.Threshold() != MaxWindow || c.State() != "slow_start" {
				t.Errorf("%s, datagrams of %d: window %d, threshold %d, %s; want %d", name, size, c.Window(), c.Threshold(), c.State(), want)
			}
		}
	}
}

func TestSlowStartDoubles(t *testing.T) {
	for name, newController := range controllers() {
		p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
		for want := 24000; want < 1<<24; want *= 2 {
			p.round()
			if got := p.c.Window(); got != want {
				t.Fatalf("%s: window is %d, want %d", name, got, want)
			}
		}
	}
}

func TestOneReductionEachRound(t *testing.T) {
	for name, newController := range controllers() {
		c := newController(Config{MaxDatagramSize: mds})
		const ms = monotime.Time(time.Millisecond)
		c.OnLost(100*ms, mds, 50*ms)
		once := c.Window()
		if once >= 12000 || c.Threshold() != once || c.State() != "recovery" {
			t.Errorf("%s: after a loss: window %d, threshold %d, %s", name, once, c.Threshold(), c.State())
		}
		c.OnLost(110*ms, mds, 99*ms)
		c.OnLost(120*ms, mds, 100*ms)
		c.OnECN(130*ms, 100*ms)
		if c.Window() != once {
			t.Errorf("%s: losses from before the reduction changed the window from %d to %d", name, once, c.Window())
		}
		c.OnAcked(140*ms, Acked{SentAt: 100 * ms, Bytes: mds, InFlight: once})
		if c.Window() != once || c.State() != "recovery" {
			t.Errorf("%s: an ACK of a packet from before the reduction: window %d, %s", name, c.Window(), c.State())
		}
		c.OnAcked(150*ms, Acked{SentAt: 101 * ms, Bytes: mds, InFlight: once})
		if c.State() != "congestion_avoidance" {
			t.Errorf("%s: after recovery: %s", name, c.State())
		}
		c.OnECN(160*ms, 101*ms)
		if c.Window() >= once {
			t.Errorf("%s: a mark after recovery left the window at %d", name, c.Window())
		}
	}
}

func TestReductionFactor(t *testing.T) {
	for name, tt := range map[string]struct {
		c    Controller
		want int
	}{
		"NewReno": {NewReno(Config{MaxDatagramSize: mds}), 500 * mds}, // RFC 9002, Section 7.3.2
		"CUBIC":   {NewCUBIC(Config{MaxDatagramSize: mds}), 700 * mds},
	} {
		p := newPath(tt.c, 50*time.Millisecond)
		p.growTo(1000 * mds)
		p.lose()
		if got := tt.c.Window(); got != tt.want {
			t.Errorf("%s: window is %d, want %d", name, got, tt.want)
		}
	}
}

func TestMinimumWindow(t *testing.T) {
	for name, newController := range controllers() {
		p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
		for range 50 {
			p.lose()
		}
		if got := p.c.Window(); got != 2*mds {
			t.Errorf("%s: window is %d after many losses, want %d", name, got, 2*mds)
		}
	}
}

func TestPersistentCongestion(t *testing.T) {
	for name, newController := range controllers() {
		p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
		p.growTo(100 * mds)
		p.lose()
		threshold := p.c.Threshold()
		p.c.OnPersistentCongestion(p.now)
		if got := p.c.Window(); got != 2*mds || p.c.Threshold() != threshold || p.c.State() != "slow_start" {
			t.Errorf("%s: window %d, threshold %d, %s; want %d, %d, slow_start", name, got, p.c.Threshold(), p.c.State(), 2*mds, threshold)
		}
		p.round()
		if got := p.c.Window(); got != 4*mds {
			t.Errorf("%s: window is %d a round later, want %d", name, got, 4*mds)
		}
	}
}

func TestAppLimitedDoesNotGrow(t *testing.T) {
	for name, newController := range controllers() {
		for _, lossFirst := range []bool{false, true} {
			p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
			if lossFirst {
				p.growTo(100 * mds)
				p.lose()
			}
			before := p.c.Window()
			for range 100 {
				p.now = p.now.Add(p.rtt)
				p.c.OnAcked(p.now, Acked{SentAt: p.now, Bytes: mds, InFlight: mds, SmoothedRTT: p.rtt, AppLimited: true})
			}
			if got := p.c.Window(); got != before {
				t.Errorf("%s, lossFirst %v: the unused window grew from %d to %d", name, lossFirst, before, got)
			}
		}
	}
}

func TestPacingRate(t *testing.T) {
	for name, newController := range controllers() {
		p := newPath(newController(Config{MaxDatagramSize: mds}), 100*time.Millisecond)
		if got := p.c.PacingRate(0); got != 0 {
			t.Errorf("%s: rate without an RTT is %d, want 0", name, got)
		}
		if got := p.c.PacingRate(100 * time.Millisecond); got != 2*120_000 {
			t.Errorf("%s: rate in slow start is %d, want 240000", name, got)
		}
		p.growTo(1000 * mds)
		p.lose()
		if got, want := p.c.PacingRate(time.Second), uint64(p.c.Window())*5/4; got != want {
			t.Errorf("%s: rate is %d, want %d", name, got, want)
		}
		p.c.OnPersistentCongestion(p.now)
		if got := p.c.PacingRate(1 << 62); got != 1 {
			t.Errorf("%s: rate at a huge RTT is %d, want 1", name, got)
		}
	}
}

// A window begins and ends where it is configured to.
func TestConfiguredWindow(t *testing.T) {
	for name, newController := range controllers() {
		c := newController(Config{MaxDatagramSize: 1200, InitialWindow: 32, MaxWindow: 100_000})
		if got := c.Window(); got != 32*1200 {
			t.Errorf("%s: initial window is %d, want %d", name, got, 32*1200)
		}
		c.SetMaxDatagramSize(1500)
		if got := c.Window(); got != 32*1472 {
			t.Errorf("%s: initial window is %d, want %d", name, got, 32*1472)
		}
		p := newPath(c, 50*time.Millisecond)
		for range 10 {
			p.round()
		}
		if got := c.Window(); got != 100_000 {
			t.Errorf("%s: window has grown to %d, want 100000", name, got)
		}
		if got := newController(Config{MaxDatagramSize: 1200, InitialWindow: 1000, MaxWindow: 50_000}).Window(); got != 50_000 {
			t.Errorf("%s: initial window is %d, want 50000", name, got)
		}
	}
}

func TestMaxDatagramSize(t *testing.T) {
	for name, newController := range controllers() {
		c := newController(Config{MaxDatagramSize: 1200})
		c.SetMaxDatagramSize(1450)
		if got := c.Window(); got != 14500 {
			t.Errorf("%s: initial window is %d, want 14500", name, got)
		}
		p := newPath(c, 50*time.Millisecond)
		p.lose()
		before := c.Window()
		c.SetMaxDatagramSize(1470)
		if got := c.Window(); got != before {
			t.Errorf("%s: reduced window changed from %d to %d", name, before, got)
		}
		for range 50 {
			p.lose()
		}
		if got := c.Window(); got != 2*1470 {
			t.Errorf("%s: least window is %d, want %d", name, got, 2*1470)
		}
	}
}

func TestRenoAvoidance(t *testing.T) {
	p := newPath(NewReno(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
	p.growTo(40 * mds)
	p.lose()
	for want := 21 * mds; want < 60*mds; want += mds {
		p.round()
		if got := p.c.Window(); got != want {
			t.Fatalf("window is %d packets, want %d", got/mds, want/mds)
		}
	}
}

func TestWindowIsBounded(t *testing.T) {
	for name, newController := range controllers() {
		c := newController(Config{MaxDatagramSize: mds, MaxWindow: 2 * MaxWindow})
		for i := range 100 {
			c.OnAcked(monotime.Time(i+1), Acked{Number: wire.PacketNumber(i), SentAt: 1, Bytes: 1 << 28, InFlight: 1 << 30, NextNumber: 1 << 30})
		}
		if got := c.Window(); got != MaxWindow {
			t.Errorf("%s: window is %d, want %d", name, got, MaxWindow)
		}
		if got := c.PacingRate(1); got == 0 {
			t.Errorf("%s: rate at an RTT of 1 ns is 0", name)
		}
	}
}

// FuzzController runs arbitrary events and checks that window, threshold and
// rate stay within bounds.
func FuzzController(f *testing.F) {
	f.Add([]byte("\x00\x20\x00\x20\x01\x03\x00\x50\x02\x10\x00\x7f\x03\x01\x04\x01\x00\xff"))
	f.Fuzz(func(t *testing.T, script []byte) {
		for name, newController := range controllers() {
			c := newController(Config{MaxDatagramSize: mds})
			size := mds
			now, rtt := monotime.Time(1), time.Duration(0)
			for i := 0; i+1 < len(script); i += 2 {
				op, arg := script[i], script[i+1]
				now = now.Add(time.Duration(arg) << (op >> 4 * 2))
				rtt = time.Duration(arg) << (op >> 4)
				sentAt := max(1, now-monotime.Time(rtt))
				switch op % 6 {
				case 0, 1:
					c.OnAcked(now, Acked{
						Number: wire.PacketNumber(i), SentAt: sentAt, Bytes: int(arg) << 8, InFlight: c.Window(),
						LatestRTT: rtt, MinRTT: rtt, SmoothedRTT: rtt, AppLimited: op&8 != 0, NextNumber: wire.PacketNumber(i + int(op)),
					})
				case 2:
					c.OnLost(now, size, sentAt)
				case 3:
					c.OnECN(now, sentAt)
				case 4:
					c.OnPersistentCongestion(now)
				case 5:
					size = 1200 + int(arg)
					c.SetMaxDatagramSize(size)
					c.OnSent(now, size, 0)
				}
				if w := c.Window(); w < 2*size || w > MaxWindow {
					t.Fatalf("%s: after step %d: window %d, datagrams of %d", name, i/2, w, size)
				}
				if th := c.Threshold(); th < 2*1200 || th > MaxWindow || c.SlowStart() != (c.Window() < th) {
					t.Fatalf("%s: after step %d: threshold %d", name, i/2, th)
				}
				if rate := c.PacingRate(rtt); (rate == 0) != (rtt == 0) {
					t.Fatalf("%s: after step %d: rate %d at RTT %v", name, i/2, rate, rtt)
				}
			}
		}
	})
}

// A reduction is undone when all that was lost arrives after all, and else stays.
func TestUndo(t *testing.T) {
	for name, newController := range controllers() {
		for _, tt := range []struct {
			name   string
			late   int // of three packets
			other  func(p *path)
			undone bool
		}{
			{"all late", 3, func(*path) {}, true},
			{"one lost", 2, func(*path) {}, false},
			{"marked as well", 3, func(p *path) { p.c.OnECN(p.now, p.now) }, false},
			{"collapsed", 3, func(p *path) { p.c.OnPersistentCongestion(p.now) }, false},
		} {
			p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
			p.growTo(40 * mds)
			p.lose()
			for range 20 {
				p.round()
			}
			size, threshold := p.c.Window(), p.c.Threshold()
			sentAt := p.now
			p.now = p.now.Add(time.Millisecond)
			p.c.OnLost(p.now, mds, sentAt)
			p.c.OnLost(p.now, 2*mds, sentAt)
			p.now = p.now.Add(time.Millisecond)
			tt.other(p)
			for range tt.late {
				p.c.OnLate(p.now, mds, sentAt)
			}
			if undone := p.c.Window() == size && p.c.Threshold() == threshold; undone != tt.undone {
				t.Errorf("%s, %s: window %d and threshold %d, were %d and %d", name, tt.name, p.c.Window(), p.c.Threshold(), size, threshold)
			}
			p.round()
			p.lose()
			if got := p.c.Window(); got >= size {
				t.Errorf("%s, %s: the next loss leaves %d of %d", name, tt.name, got, size)
			}
		}
	}
}
