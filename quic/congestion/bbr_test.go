package congestion

import (
	"math/rand/v2"
	"testing"
	"time"
)

// pipe is a path of a rate and a round-trip time with a queue, on which a controller's packets are sent as its pacing rate and window let them.
type pipe struct {
	t    *testing.T
	b    *bbr
	now  time.Duration
	rate float64 // bytes a second
	rtt  time.Duration

	free      time.Duration // when the link has sent what it holds
	nextSend  time.Duration
	inFlight  int
	delivered uint64
	lostBytes uint64
	flying    []pipePacket
	queue     int              // bytes; what finds more before it is lost
	limit     int              // what the application has in flight at most; 0: any amount
	lose      func(n int) bool // whether the nth packet is lost
	seen      map[string]int   // feedbacks in each state
	order     []string         // states as they were entered
	least     time.Duration
	at, first time.Duration // C.delivered_time and C.first_send_time
	sent      int
	limited   uint64 // C.app_limited
}

type pipePacket struct {
	Packet
	at, first time.Duration // P.delivered_time and P.first_send_time
	arrives   time.Duration // its acknowledgment
	lost      bool
}

func newPipe(t *testing.T, mbit float64, rtt time.Duration) *pipe {
	p := &pipe{t: t, now: time.Second, rate: mbit * 1e6 / 8, rtt: rtt, seen: make(map[string]int), least: time.Hour}
	p.queue = 2 * p.bdp()
	p.b = NewBBR(Config{MaxDatagramSize: mds, Now: p.now, Rand: rand.New(rand.NewPCG(1, 1))}).(*bbr)
	p.order = []string{"startup"}
	return p
}

func (p *pipe) bdp() int { return int(p.rate * p.rtt.Seconds()) }

// send sends what may leave now.
func (p *pipe) send() {
	room := p.b.Window()
	if p.limit > 0 {
		room = min(room, p.limit)
	}
	for p.inFlight < room && p.nextSend <= p.now {
		if p.inFlight == 0 {
			p.at, p.first = p.now, p.now
		}
		p.b.OnSent(&Sent{Now: p.now, Bytes: mds, InFlight: p.inFlight, AppLimited: p.limited > 0})
		p.inFlight += mds
		p.sent++
		lost := p.lose != nil && p.lose(p.sent) || (p.free-p.now).Seconds()*p.rate > float64(p.queue)
		if p.free = max(p.free, p.now); !lost {
			p.free += time.Duration(mds / p.rate * float64(time.Second))
		}
		p.flying = append(p.flying, pipePacket{
			Packet: Packet{
				SentAt: p.now, Bytes: mds, InFlight: p.inFlight, TotalDelivered: p.delivered, TotalLost: p.lostBytes,
				AppLimited: p.limited > 0,
			},
			at: p.at, first: p.first, arrives: p.free + p.rtt, lost: lost,
		})
		if rate := p.b.PacingRate(); rate > 0 {
			p.nextSend = p.now + time.Duration(mds*float64(time.Second)/float64(rate))
		}
	}
	if p.limit > 0 && p.inFlight >= p.limit && p.inFlight < p.b.Window() {
		p.limited = p.delivered + uint64(p.inFlight)
	}
}

// step lets the next packet be acknowledged, or leave. What was lost is found with the
// next that was not.
func (p *pipe) step() {
	p.send()
	next := p.nextSend
	if len(p.flying) > 0 && (next <= p.now || p.flying[0].arrives < next) {
		next = p.flying[0].arrives
	}
	p.now = max(p.now, next)
	if len(p.flying) == 0 || p.flying[0].arrives > p.now {
		return
	}
	f := Feedback{Now: p.now, PriorInFlight: p.inFlight}
	for len(f.Acked) == 0 && len(p.flying) > 0 {
		q := p.flying[0]
		p.flying = p.flying[1:]
		p.inFlight -= mds
		if q.lost {
			p.lostBytes += mds
			f.Lost, f.LostBytes = append(f.Lost, q.Packet), f.LostBytes+mds
			continue
		}
		p.delivered += mds
		p.at, p.first = p.now, q.SentAt
		p.least = min(p.least, p.now-q.SentAt)
		interval := max(q.SentAt-q.first, p.now-q.at)
		n := int(p.delivered - q.TotalDelivered)
		f.Acked, f.AckedBytes = append(f.Acked, q.Packet), mds
		f.Rate = Rate{
			BytesPerSecond: uint64(float64(n) / interval.Seconds()), Delivered: n, Interval: interval, RTT: p.now - q.SentAt,
			Packet: q.Packet,
		}
	}
	if p.delivered > p.limited {
		p.limited = 0
	}
	f.InFlight, f.TotalDelivered, f.TotalLost = p.inFlight, p.delivered, p.lostBytes
	f.LatestRTT, f.SmoothedRTT, f.MinRTT = f.Rate.RTT, f.Rate.RTT, p.least
	p.b.OnFeedback(&f)
	state := p.b.Metrics().State
	p.seen[state]++
	if state != p.order[len(p.order)-1] {
		p.order = append(p.order, state)
	}
}

// until steps until the controller is in a state, and fails after a time.
func (p *pipe) until(state string, within time.Duration) {
	p.t.Helper()
	for end := p.now + within; p.b.Metrics().State != state; p.step() {
		if p.now > end {
			p.t.Fatalf("not in %s after %v, but %v", state, within, p.order)
		}
	}
}

func (p *pipe) wait(d time.Duration) {
	for end := p.now + d; p.now < end; p.step() {
	}
}

// The states follow each other as Section 5.1.1 of the draft has them, with the gains of
// Section 5.6.1, and the model is that of the path.
func TestBBRStates(t *testing.T) {
	p := newPipe(t, 50, 40*time.Millisecond)
	for _, tt := range []struct {
		state  string
		within time.Duration
		gain   float64
	}{
		{"startup", 0, 2.77},
		{"drain", time.Second, 0.5},
		{"probe_bw_cruise", 500 * time.Millisecond, 1}, // by Down, which had nothing to do
		{"probe_bw_refill", 3100 * time.Millisecond, 1},
		{"probe_bw_up", 200 * time.Millisecond, 1.25},
		{"probe_bw_down", 500 * time.Millisecond, 0.9},
		{"probe_bw_cruise", 500 * time.Millisecond, 1},
	} {
		p.until(tt.state, tt.within)
		if got := float64(p.b.PacingRate()); tt.within > 0 {
			if want := tt.gain * 0.99 * float64(p.b.bw); got < want*0.999 || got > want*1.001 {
				t.Errorf("%s: rate %.0f, want %.0f", tt.state, got, want)
			}
			if bw := float64(p.b.bw); bw < 0.95*p.rate || bw > 1.03*p.rate {
				t.Errorf("%s: %.0f bytes a second are what the path carries, want %.0f", tt.state, bw, p.rate)
			}
			if q := p.b.SendQuantum(); q < 2*mds || q > 64<<10 {
				t.Errorf("%s: quantum %d", tt.state, q)
			}
		}
	}
}

// Startup doubles the rate each round, and the queue is gone after Drain.
func TestBBRStartup(t *testing.T) {
	p := newPipe(t, 100, 50*time.Millisecond)
	p.until("probe_bw_cruise", 2*time.Second)
	if took := p.now - time.Second; took > 800*time.Millisecond {
		t.Errorf("the pipe was full, and the queue gone, after %v", took)
	}
	if p.inFlight > p.bdp()*11/10 {
		t.Errorf("%d bytes in flight after Drain, the path holds %d", p.inFlight, p.bdp())
	}
}

// While the application sends too little, Startup does not end, and the rate is not taken
// for the path's.
func TestBBRAppLimited(t *testing.T) {
	p := newPipe(t, 100, 50*time.Millisecond)
	p.limit = 8 * mds
	p.wait(4 * time.Second)
	if state := p.b.Metrics().State; state != "startup" {
		t.Errorf("in %s though there was little to send", state)
	}
	p.limit = 0
	p.until("drain", 3*time.Second)
	if bw := float64(p.b.bw); bw < 0.95*p.rate {
		t.Errorf("%.0f bytes a second, want %.0f", bw, p.rate)
	}
}

// Losses of more than two percent in Startup end it, and bound what is in flight.
func TestBBRStartupLoss(t *testing.T) {
	p := newPipe(t, 100, 50*time.Millisecond)
	p.lose = func(n int) bool { return n > 100 && n%20 == 0 }
	p.until("drain", 2*time.Second)
	if p.b.inflightLong == noVolume {
		t.Error("what is in flight has no bound")
	}
}

// In ProbeRTT half the product of bandwidth and delay is in flight, for 200 ms, and the
// window is the one of before afterwards.
func TestBBRProbeRTT(t *testing.T) {
	p := newPipe(t, 50, 40*time.Millisecond)
	p.until("probe_bw_cruise", 2*time.Second)
	p.rtt += 10 * time.Millisecond // so that the least is not seen again
	p.until("probe_rtt", 7*time.Second)
	before, began := p.b.priorWindow, p.now
	for p.inFlight > p.b.probeRTTWindow() {
		p.step()
	}
	if got := p.b.Window(); got > p.bdp()*6/10 {
		t.Errorf("window %d, half the product is %d", got, p.bdp()/2)
	}
	p.until("probe_bw_cruise", time.Second)
	if took := p.now - began; took < bbrProbeDuration || took > bbrProbeDuration+4*p.rtt {
		t.Errorf("it took %v", took)
	}
	if got := p.b.Window(); got < before*9/10 {
		t.Errorf("window %d, was %d", got, before)
	}
}

// Where the path's rate changes, it is found out: at once where it falls, by a few probes
// where it grows.
func TestBBRRateChanges(t *testing.T) {
	p := newPipe(t, 50, 40*time.Millisecond)
	p.until("probe_bw_cruise", 2*time.Second)
	p.rate *= 2
	p.wait(20 * time.Second)
	if bw := float64(p.b.maxBW()); bw < 0.9*p.rate {
		t.Errorf("after it has doubled: %.0f, want %.0f", bw, p.rate)
	}
	p.rate /= 4
	p.wait(20 * time.Second)
	if bw := float64(p.b.maxBW()); bw > 1.1*p.rate {
		t.Errorf("after it has fallen: %.0f, want %.0f", bw, p.rate)
	}
}

// Losses in Cruise lower the rate for that cycle, and probing begins with the bounds of the
// short term gone.
func TestBBRShortTerm(t *testing.T) {
	p := newPipe(t, 50, 40*time.Millisecond)
	p.until("probe_bw_cruise", 2*time.Second)
	p.lose = func(n int) bool { return n%30 == 0 }
	p.wait(300 * time.Millisecond)
	if p.b.bwShort == noRate || p.b.inflightShort == noVolume {
		t.Fatal("losses bound nothing")
	}
	p.lose = nil
	p.until("probe_bw_refill", 3100*time.Millisecond)
	if p.b.bwShort != noRate || p.b.inflightShort != noVolume {
		t.Error("the bounds stay while probing")
	}
}

// What losses changed is undone when all of them arrive after all, and not when a mark
// came as well.
func TestBBRUndo(t *testing.T) {
	for _, marked := range []bool{false, true} {
		p := newPipe(t, 50, 40*time.Millisecond)
		p.until("probe_bw_cruise", 2*time.Second)
		f := Feedback{Now: p.now, TotalDelivered: p.delivered, TotalLost: 2 * mds, LostBytes: 2 * mds}
		f.Lost = []Packet{{SentAt: p.now - 1, Bytes: mds}, {SentAt: p.now - 1, Bytes: mds}}
		if marked {
			f.Marked = 1
		}
		p.b.OnFeedback(&f)
		p.lostBytes = 2 * mds
		p.wait(2 * p.rtt)
		if p.b.bwShort == noRate {
			t.Fatal("losses bound nothing")
		}
		p.b.OnFeedback(&Feedback{Now: p.now, TotalDelivered: p.delivered, TotalLost: 2 * mds, Late: f.Lost})
		if undone := p.b.bwShort == noRate; undone == marked {
			t.Errorf("marked %v: undone %v", marked, undone)
		}
	}
}

// A connection that was idle goes on at the rate of the path, not faster.
func TestBBRIdleRestart(t *testing.T) {
	p := newPipe(t, 50, 40*time.Millisecond)
	p.until("probe_bw_cruise", 2*time.Second)
	p.now += 3 * time.Second
	p.b.OnSent(&Sent{Now: p.now, Bytes: mds, AppLimited: true})
	if got, want := float64(p.b.PacingRate()), 0.99*float64(p.b.bw); got > want*1.001 || !p.b.idleRestart {
		t.Errorf("rate %.0f, want %.0f", got, want)
	}
}

// The most of the last rounds is forgotten in time.
func TestRoundMax(t *testing.T) {
	var m roundMax
	r := rand.New(rand.NewPCG(3, 3))
	var all []int
	for round := range 1000 {
		v := r.IntN(1000)
		all = append(all, v)
		m.update(round, v, 10)
		most, recent := 0, all[max(0, round-10):]
		for _, x := range recent {
			most = max(most, x)
		}
		if got := m.value(); got > most || got < v {
			t.Fatalf("round %d: %d, the most of the last is %d", round, got, most)
		}
	}
}
