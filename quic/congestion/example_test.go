package congestion_test

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/quic/congestion"
)

// The beginning of a connection with the default controller, and a loss.
func ExampleNewCUBIC() {
	cc := congestion.NewCUBIC(congestion.Config{MaxDatagramSize: 1200})
	fmt.Println(cc.Window(), cc.Metrics().State)

	lost := congestion.Packet{SentAt: 40 * time.Millisecond, Bytes: 1200}
	cc.OnFeedback(&congestion.Feedback{Now: 90 * time.Millisecond, Lost: []congestion.Packet{lost}, LostBytes: lost.Bytes})
	fmt.Println(cc.Window(), cc.Metrics().State)
	// Output:
	// 12000 slow_start
	// 8400 recovery
}

// patient keeps the queue at the bottleneck short: the window grows by a packet for each
// round trip while packets take hardly longer than the fastest did, and shrinks by an
// eighth when they take much longer, or when one is lost.
type patient struct {
	datagram, window, most int
	rtt                    time.Duration
	roundEnd               uint64 // delivered when the round began
	changed                time.Duration
}

func newPatient(c congestion.Config) congestion.Controller {
	return &patient{datagram: c.MaxDatagramSize, window: c.InitialWindow * c.MaxDatagramSize, most: c.MaxWindow}
}

func (p *patient) OnSent(*congestion.Sent) {}

func (p *patient) OnFeedback(f *congestion.Feedback) {
	p.rtt = f.SmoothedRTT
	if len(f.Acked) > 0 && f.Rate.Packet.TotalDelivered >= p.roundEnd {
		// A packet that left after the round began has arrived: it was a round trip.
		p.roundEnd = f.TotalDelivered
		switch {
		case f.SmoothedRTT > f.MinRTT*5/4:
			p.shrink(f.Now)
		case 2*f.PriorInFlight >= p.window: // it was in use
			p.window = min(p.window+p.datagram, p.most)
		}
	}
	// What left before the last change says nothing new.
	if n := len(f.Lost); n > 0 && f.Lost[n-1].SentAt > p.changed || f.Marked > 0 && f.MarkedSentAt > p.changed {
		p.shrink(f.Now)
	}
}

func (p *patient) shrink(now time.Duration) {
	p.window = max(p.window*7/8, 2*p.datagram)
	p.changed = now
}

func (p *patient) SetMaxDatagramSize(bytes int) { p.datagram = bytes }

func (p *patient) Window() int { return p.window }

// PacingRate spreads a window over a round trip.
func (p *patient) PacingRate() uint64 {
	if p.rtt == 0 {
		return 0
	}
	return uint64(p.window) * uint64(time.Second) / uint64(p.rtt)
}

func (p *patient) SendQuantum() int { return 0 }

func (p *patient) Metrics() congestion.Metrics { return congestion.Metrics{State: "patient"} }

// A controller of one's own, on a path of 20 ms where a queue builds from 30 packets in
// flight on. To use it, give a connection quic.Config{Congestion: newPatient}.
func ExampleController() {
	cc := newPatient(congestion.Config{MaxDatagramSize: 1200, InitialWindow: 10, MaxWindow: 1 << 20})
	f := congestion.Feedback{Now: time.Second, MinRTT: 20 * time.Millisecond}
	for round := range 60 {
		window, left := cc.Window(), f.TotalDelivered
		f.SmoothedRTT = f.MinRTT * time.Duration(max(window, 36_000)) / 36_000
		f.Now += f.SmoothedRTT
		f.TotalDelivered += uint64(window)
		packet := congestion.Packet{SentAt: f.Now - f.SmoothedRTT, Bytes: window, TotalDelivered: left}
		f.Acked, f.AckedBytes, f.PriorInFlight = []congestion.Packet{packet}, window, window
		f.Rate = congestion.Rate{Packet: packet}
		cc.OnFeedback(&f)
		if round%15 == 14 {
			fmt.Println(cc.Window()/1200, "packets,", f.SmoothedRTT)
		}
	}
	// Output:
	// 25 packets, 20ms
	// 34 packets, 22.166666ms
	// 37 packets, 24.439444ms
	// 35 packets, 22.953888ms
}
