package congestion

import (
	"testing"
	"time"
)

const mds = 1200 // datagram size in most tests

// path drives a controller over a path with a constant RTT: each round trip
// acknowledges a full window, evenly spread, and sends another.
type path struct {
	c         Controller
	now       time.Duration
	rtt       time.Duration
	delivered uint64
	underused bool // what packets say when they are acknowledged
}

func newPath(c Controller, rtt time.Duration) *path {
	return &path{c: c, now: 1, rtt: rtt}
}

// feedback is one of nothing so far.
func (p *path) feedback(now time.Duration) Feedback {
	return Feedback{Now: now, TotalDelivered: p.delivered, LatestRTT: p.rtt, MinRTT: p.rtt, SmoothedRTT: p.rtt}
}

// acked acknowledges one packet; round is what had been delivered when it left.
func (p *path) acked(now, sentAt time.Duration, bytes, inFlight int, round uint64) {
	p.delivered += uint64(bytes)
	packet := Packet{SentAt: sentAt, Bytes: bytes, Underused: p.underused, TotalDelivered: round}
	f := p.feedback(now)
	f.PriorInFlight, f.InFlight = inFlight, inFlight-bytes
	f.Acked, f.AckedBytes, f.Rate = []Packet{packet}, bytes, Rate{Packet: packet}
	p.c.OnFeedback(&f)
}

// round lets a round trip pass with full packets.
func (p *path) round() {
	packets := max(1, p.c.Window()/mds)
	sentAt, round := p.now, p.delivered
	for i := range packets {
		p.c.OnSent(&Sent{Now: p.now, Bytes: mds, InFlight: (1 + i) * mds})
	}
	gap := p.rtt / time.Duration(packets)
	p.now += p.rtt
	for i := range packets {
		// There is always more in flight: the next round's packets leave as these arrive.
		p.acked(p.now+time.Duration(i)*gap, sentAt+time.Duration(i)*gap, mds, p.c.Window(), round)
	}
	p.now++
}

// growTo brings the window to so many bytes in slow start.
func (p *path) growTo(window int) {
	rtt := p.rtt
	p.rtt = 0
	for p.c.Window() < window {
		p.acked(p.now, p.now, min(mds, window-p.c.Window()), p.c.Window(), p.delivered)
	}
	p.rtt = rtt
}

// lost tells of packets lost that left at a moment.
func (p *path) lost(now, sentAt time.Duration, bytes ...int) {
	f := p.feedback(now)
	for _, n := range bytes {
		f.Lost = append(f.Lost, Packet{SentAt: sentAt, Bytes: n})
		f.LostBytes += n
	}
	p.c.OnFeedback(&f)
}

func (p *path) lose() {
	p.now += time.Millisecond
	p.lost(p.now, p.now, mds)
	p.now += time.Millisecond
}

// loseAll tells that all was lost for a long time, from the beginning on.
func (p *path) loseAll() {
	f := p.feedback(p.now)
	f.Lost, f.LostBytes, f.Persistent = []Packet{{SentAt: 1, Bytes: mds}}, mds, true
	p.c.OnFeedback(&f)
}

// late tells that a packet that was lost has arrived.
func (p *path) late(sentAt time.Duration, bytes int) {
	f := p.feedback(p.now)
	f.Late = []Packet{{SentAt: sentAt, Bytes: bytes}}
	p.c.OnFeedback(&f)
}

func (p *path) marked(now, sentAt time.Duration) {
	f := p.feedback(now)
	f.Marked, f.MarkedSentAt = 1, sentAt
	p.c.OnFeedback(&f)
}

func (p *path) state() string  { return p.c.Metrics().State }
func (p *path) threshold() int { return p.c.Metrics().Threshold }

func controllers() map[string]func(Config) Controller {
	return map[string]func(Config) Controller{"NewReno": NewReno, "CUBIC": NewCUBIC}
}

func TestInitialWindow(t *testing.T) {
	// RFC 9002, Section 7.2.
	for size, want := range map[int]int{1200: 12000, 1472: 14720, 1500: 14720, 8000: 16000} {
		for name, newController := range controllers() {
			c := newController(Config{MaxDatagramSize: size})
			if c.Window() != want || c.Metrics() != (Metrics{State: "slow_start"}) {
				t.Errorf("%s, datagrams of %d: window %d, %+v; want %d", name, size, c.Window(), c.Metrics(), want)
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
		p := newPath(newController(Config{MaxDatagramSize: mds}), 0)
		const ms = time.Millisecond
		p.lost(100*ms, 50*ms, mds)
		once := p.c.Window()
		if once >= 12000 || p.threshold() != once || p.state() != "recovery" {
			t.Errorf("%s: after a loss: window %d, threshold %d, %s", name, once, p.threshold(), p.state())
		}
		p.lost(110*ms, 99*ms, mds)
		p.lost(120*ms, 100*ms, mds)
		p.marked(130*ms, 100*ms)
		if p.c.Window() != once {
			t.Errorf("%s: losses from before the reduction changed the window from %d to %d", name, once, p.c.Window())
		}
		p.acked(140*ms, 100*ms, mds, once, 0)
		if p.c.Window() != once || p.state() != "recovery" {
			t.Errorf("%s: an ACK of a packet from before the reduction: window %d, %s", name, p.c.Window(), p.state())
		}
		p.acked(150*ms, 101*ms, mds, once, 0)
		if p.state() != "congestion_avoidance" {
			t.Errorf("%s: after recovery: %s", name, p.state())
		}
		p.marked(160*ms, 101*ms)
		if p.c.Window() >= once {
			t.Errorf("%s: a mark after recovery left the window at %d", name, p.c.Window())
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
		threshold := p.threshold()
		p.loseAll()
		if got := p.c.Window(); got != 2*mds || p.threshold() != threshold || p.state() != "slow_start" {
			t.Errorf("%s: window %d, threshold %d, %s; want %d, %d, slow_start", name, got, p.threshold(), p.state(), 2*mds, threshold)
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
			p.underused = true
			for range 100 {
				p.now += p.rtt
				p.acked(p.now, p.now, mds, before-mds, p.delivered) // nearly full, and no more to send
			}
			p.underused = false
			for range 100 {
				p.now += p.rtt
				p.acked(p.now, p.now, mds, before/2-1, p.delivered) // not half full, whatever the reason
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
		if got := p.c.PacingRate(); got != 0 {
			t.Errorf("%s: rate without an RTT is %d, want 0", name, got)
		}
		p.acked(p.now, p.now, mds, 12000, 0)
		if got := p.c.PacingRate(); got != 2*132_000 {
			t.Errorf("%s: rate in slow start is %d, want 264000", name, got)
		}
		p.growTo(1000 * mds)
		p.lose()
		p.rtt = time.Second
		p.acked(p.now, 1, mds, 12000, 0)
		if got, want := p.c.PacingRate(), uint64(p.c.Window())*5/4; got != want {
			t.Errorf("%s: rate is %d, want %d", name, got, want)
		}
		p.loseAll()
		p.rtt = 1 << 62
		p.acked(p.now, 1, 0, 0, 0)
		if got := p.c.PacingRate(); got != 1 {
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
		p := newPath(newController(Config{MaxDatagramSize: mds, MaxWindow: 2 * MaxWindow}), 1)
		for i := range 100 {
			p.acked(time.Duration(i+1), 1, 1<<28, 1<<30, p.delivered)
		}
		if got := p.c.Window(); got != MaxWindow {
			t.Errorf("%s: window is %d, want %d", name, got, MaxWindow)
		}
		if got := p.c.PacingRate(); got == 0 {
			t.Errorf("%s: rate at an RTT of 1 ns is 0", name)
		}
	}
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
			{"marked as well", 3, func(p *path) { p.marked(p.now, p.now) }, false},
			{"collapsed", 3, func(p *path) { p.loseAll() }, false},
		} {
			p := newPath(newController(Config{MaxDatagramSize: mds}), 50*time.Millisecond)
			p.growTo(40 * mds)
			p.lose()
			for range 20 {
				p.round()
			}
			size, threshold := p.c.Window(), p.threshold()
			sentAt := p.now
			p.now += time.Millisecond
			p.lost(p.now, sentAt, mds)
			p.lost(p.now, sentAt, mds, mds)
			p.now += time.Millisecond
			tt.other(p)
			for range tt.late {
				p.late(sentAt, mds)
			}
			if undone := p.c.Window() == size && p.threshold() == threshold; undone != tt.undone {
				t.Errorf("%s, %s: window %d and threshold %d, were %d and %d", name, tt.name, p.c.Window(), p.threshold(), size, threshold)
			}
			p.round()
			p.lose()
			if got := p.c.Window(); got >= size {
				t.Errorf("%s, %s: the next loss leaves %d of %d", name, tt.name, got, size)
			}
		}
	}
}
