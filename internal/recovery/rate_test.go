package recovery

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// draft is the estimator of draft-ietf-ccwg-bbr, Section 4.1.2, as its pseudo-code has
// it, with whole numbers.
type draft struct {
	delivered, lost, appLimited uint64
	deliveredTime, firstSend    monotime.Time
	inFlight                    int
	packets                     map[wire.PacketNumber]*draftPacket

	newest *draftPacket // of the ACK frame
}

type draftPacket struct {
	number                  wire.PacketNumber
	size                    int
	sent, firstSend         monotime.Time
	deliveredTime           monotime.Time
	delivered, lost         uint64
	inFlight                int
	appLimited              bool
	sendElapsed, ackElapsed time.Duration
}

func (d *draft) onSent(now monotime.Time, pn wire.PacketNumber, size int) {
	if d.inFlight == 0 {
		d.firstSend, d.deliveredTime = now, now
	}
	d.inFlight += size
	d.packets[pn] = &draftPacket{
		number: pn, size: size, sent: now, firstSend: d.firstSend, deliveredTime: d.deliveredTime,
		delivered: d.delivered, lost: d.lost, inFlight: d.inFlight, appLimited: d.appLimited != 0,
	}
}

func (d *draft) onAcked(now monotime.Time, pn wire.PacketNumber) {
	p := d.packets[pn]
	delete(d.packets, pn)
	d.inFlight -= p.size
	d.delivered += uint64(p.size)
	d.deliveredTime = now
	if d.newest == nil || p.sent > d.newest.sent || p.sent == d.newest.sent && pn > d.newest.number {
		p.sendElapsed, p.ackElapsed = p.sent.Sub(p.firstSend), now.Sub(p.deliveredTime)
		d.newest, d.firstSend = p, p.sent
	}
}

func (d *draft) onLost(pn wire.PacketNumber) {
	d.inFlight -= d.packets[pn].size
	d.lost += uint64(d.packets[pn].size)
	delete(d.packets, pn)
}

func (d *draft) markAppLimited() { d.appLimited = max(d.delivered+uint64(d.inFlight), 1) }

// sample ends an ACK frame.
func (d *draft) sample(minRTT time.Duration) (rate float64, delivered uint64, interval time.Duration) {
	if d.appLimited != 0 && d.delivered > d.appLimited {
		d.appLimited = 0
	}
	p := d.newest
	interval, delivered = max(p.sendElapsed, p.ackElapsed), d.delivered-p.delivered
	if interval >= minRTT {
		rate = float64(delivered) / interval.Seconds()
	}
	return rate, delivered, interval
}

// rates is a fixture whose fates become rate samples.
type rates struct {
	*fixture
	newest Newest
	last   congestion.Packet
	draft  draft
}

func newRates(t *testing.T) *rates {
	r := &rates{fixture: newFixture(t), draft: draft{packets: make(map[wire.PacketNumber]*draftPacket)}}
	r.d.fates = r
	return r
}

// PacketAcked implements Fates.
func (r *rates) PacketAcked(now monotime.Time, id wire.Space, pn wire.PacketNumber, p *Sent) {
	if r.newest.See(pn, p) {
		r.last = r.path.Packet(p)
	}
	r.draft.onAcked(now, pn)
}

// PacketLost implements Fates.
func (r *rates) PacketLost(_ monotime.Time, _ wire.Space, pn wire.PacketNumber, p *Sent) {
	r.draft.onLost(pn)
}

// PacketLate implements Fates: what arrived late has been delivered.
func (r *rates) PacketLate(now monotime.Time, p LatePacket) {
	r.draft.delivered += uint64(p.Bytes)
	r.draft.deliveredTime = now
	if d := &r.draft; d.delivered > d.appLimited {
		d.appLimited = 0 // not only with the next sample
	}
}

func (r *rates) send(bytes int) {
	pn := r.space[wire.AppSpace].Next()
	r.sendPacket(wire.AppSpace, func(p *Sent) { p.AckEliciting, p.Bytes = true, uint16(bytes) })
	r.draft.onSent(r.now, pn, bytes)
}

// sample takes an ACK frame, and returns the sample if it has one.
func (r *rates) sample(ranges ...wire.PacketRange) (congestion.Rate, bool) {
	r.newest = Newest{}
	r.draft.newest = nil
	if res := r.ack(wire.AppSpace, ranges...); !res.NewlyAcked {
		return congestion.Rate{}, false
	}
	return r.path.Rate(r.now, &r.newest, r.last), true
}

// Random histories give the samples of the draft's own pseudo-code, also when the sums
// are more than fits into what a record keeps of them.
func TestRateModel(t *testing.T) {
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		r := newRates(t)
		before := rnd.Uint64N(1 << 34)
		r.path.deliveries.delivered, r.path.deliveries.lost = before, before
		r.draft.delivered, r.draft.lost = before, before
		samples := 0
		for range 400 {
			r.wait(time.Duration(rnd.IntN(int(5 * ms))))
			switch s := &r.space[wire.AppSpace]; {
			case rnd.IntN(3) > 0 || s.Next() == 0:
				r.send(1 + rnd.IntN(1500))
			case rnd.IntN(10) == 0:
				r.path.LimitApp()
				r.draft.markAppLimited()
			default:
				hi := max(0, s.Next()-1-wire.PacketNumber(rnd.IntN(4)))
				lo := max(0, hi-wire.PacketNumber(rnd.IntN(4)))
				rate, ok := r.sample(span(lo, hi))
				if !ok {
					continue
				}
				samples++
				r.compare(seed, rate)
			}
		}
		if samples < 20 {
			t.Fatalf("seed %d: only %d samples", seed, samples)
		}
	}
}

// compare holds a sample against the draft's.
func (r *rates) compare(seed uint64, got congestion.Rate) {
	r.t.Helper()
	p := r.draft.newest
	rate, delivered, interval := r.draft.sample(r.path.RTT.Min)
	switch {
	case got.Delivered != int(delivered) || (interval-got.Interval).Abs() >= agoUnit || got.RTT != r.now.Sub(p.sent):
		r.t.Fatalf("seed %d: %+v, want %d bytes in %v", seed, got, delivered, interval)
	case float64(got.BytesPerSecond) < rate-1 || float64(got.BytesPerSecond) > rate*1.001+1:
		r.t.Fatalf("seed %d: %d bytes a second, want %.1f", seed, got.BytesPerSecond, rate)
	case got.Packet.TotalDelivered != p.delivered || got.Packet.TotalLost != p.lost || got.Packet.InFlight != p.inFlight ||
		got.Packet.AppLimited != p.appLimited || got.Packet.Bytes != p.size:
		r.t.Fatalf("seed %d: the packet is %+v, want %+v", seed, got.Packet, p)
	case r.path.AppLimited() != (r.draft.appLimited != 0) || r.path.Delivered() != r.draft.delivered || r.path.Lost() != r.draft.lost:
		r.t.Fatalf("seed %d: limited %v, %d delivered and %d lost, want %+v", seed, r.path.AppLimited(), r.path.Delivered(), r.path.Lost(), r.draft)
	}
}

// What packets are sent at a rate and acknowledged in one go, as by a link that holds
// acknowledgments back, is no faster than it was sent.
func TestRateOfCompressedACKs(t *testing.T) {
	r := newRates(t)
	r.send(1000)
	r.wait(10 * ms)
	r.sample(one(0))
	for range 10 { // 1 MB/s
		r.send(1000)
		r.wait(ms)
	}
	for pn := range wire.PacketNumber(10) {
		r.wait(time.Microsecond)
		got, _ := r.sample(one(pn + 1))
		if got.BytesPerSecond > 1_100_000 {
			t.Errorf("packet %d: %d bytes a second, sent were 1000000", pn+1, got.BytesPerSecond)
		}
	}
}

// A sample from an interval of years, and one from nearly none, do not overflow.
func TestPerSecond(t *testing.T) {
	for _, tt := range []struct {
		n    uint64
		t    time.Duration
		want uint64
	}{{1000, time.Second, 1000}, {1 << 62, 1, 1<<64 - 1}, {1, 1 << 62, 0}, {1 << 40, 1 << 40, 1e9}} {
		if got := perSecond(tt.n, tt.t); got != tt.want {
			t.Errorf("%d in %v: %d a second, want %d", tt.n, tt.t, got, tt.want)
		}
	}
}
