package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// auditor is a controller that checks what it is told against its own books.
type auditor struct {
	congestion.Controller
	most uint64 // the rate of the path in bytes a second

	inFlight                int
	acked, lost             uint64
	samples, limited, fair  int // samples of the rate: all, those with too little to send, those near the path's
	late, lostOnes, batches int
	err                     error
}

func (a *auditor) OnSent(s *congestion.Sent) {
	if s.InFlight > a.inFlight && a.err == nil {
		a.err = fmt.Errorf("%d bytes in flight before a packet, want %d", s.InFlight, a.inFlight)
	}
	a.inFlight = s.InFlight + s.Bytes
	a.Controller.OnSent(s)
}

func (a *auditor) OnFeedback(f *congestion.Feedback) {
	if err := a.audit(f); err != nil && a.err == nil {
		a.err = err
	}
	a.Controller.OnFeedback(f)
}

func (a *auditor) audit(f *congestion.Feedback) error {
	acked, lost := 0, 0
	for i := range f.Acked {
		acked += f.Acked[i].Bytes
	}
	for i := range f.Lost {
		lost += f.Lost[i].Bytes
		if i > 0 && f.Lost[i].SentAt < f.Lost[i-1].SentAt {
			return fmt.Errorf("lost packets are not in order")
		}
	}
	for i := range f.Late {
		a.acked += uint64(f.Late[i].Bytes)
		a.late++
	}
	a.acked += uint64(acked)
	a.lost += uint64(lost)
	a.lostOnes += len(f.Lost)
	if len(f.Acked) > 1 {
		a.batches++
	}
	switch {
	case acked != f.AckedBytes || lost != f.LostBytes:
		return fmt.Errorf("packets of %d and %d bytes, said to be %d and %d", acked, lost, f.AckedBytes, f.LostBytes)
	case f.TotalDelivered != a.acked || f.TotalLost != a.lost:
		return fmt.Errorf("%d delivered and %d lost, want %d and %d", f.TotalDelivered, f.TotalLost, a.acked, a.lost)
	case f.PriorInFlight > a.inFlight || f.InFlight > f.PriorInFlight-acked-lost:
		return fmt.Errorf("from %d to %d bytes in flight, was %d, and %d and %d are gone", f.PriorInFlight, f.InFlight, a.inFlight, acked, lost)
	}
	a.inFlight = f.InFlight
	if len(f.Acked) == 0 {
		return nil
	}
	return a.auditRate(f)
}

func (a *auditor) auditRate(f *congestion.Feedback) error {
	r := &f.Rate
	a.samples++
	switch {
	case r.Packet.AppLimited:
		a.limited++
	case r.BytesPerSecond > a.most*9/10:
		a.fair++
	}
	// A train that the path holds together arrives with the last of its packets.
	if slack := a.most / 20; r.BytesPerSecond > a.most+slack {
		return fmt.Errorf("a sample of %d bytes a second on a path of %d: %+v", r.BytesPerSecond, a.most, r)
	}
	if r.Packet.InFlight <= 0 || r.RTT < f.MinRTT || r.Interval < r.RTT || r.Packet.TotalDelivered+uint64(r.Delivered) != f.TotalDelivered {
		return fmt.Errorf("a sample that cannot be: %+v, round trips from %v", r, f.MinRTT)
	}
	return nil
}

// What a controller is told adds up on every kind of path, and no sample of the delivery
// rate is more than the path carries, however much is lost, late and held back.
func TestControllersAreTold(t *testing.T) {
	const rate = 10e6 // bits a second
	for _, tt := range []struct {
		name  string
		nodes func() []Node
	}{
		{"clean", func() []Node { return nil }},
		{"lost", func() []Node { return []Node{&Drop{Rate: 0.03}} }},
		{"late", func() []Node { return []Node{&Late{Rate: 0.05, By: 20 * time.Millisecond}} }},
		{"both", func() []Node { return []Node{&Drop{Rate: 0.03}, &Late{Rate: 0.05, By: 20 * time.Millisecond}} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				a := &auditor{most: rate / 8}
				cfg := engine.Config{NewCongestion: func(c congestion.Config) congestion.Controller {
					a.Controller = congestion.NewCUBIC(c)
					return a
				}}
				r := Run{
					Seed: seed, Server: &cfg, Work: Work{Streams: 1, Upload: 100, Download: 1_000_000},
					Nodes: append([]Node{&Delay{RTT: 40 * time.Millisecond}, &Bottleneck{Rate: rate, Queue: 60_000}}, tt.nodes()...),
				}
				if err := r.Do(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				switch {
				case a.err != nil:
					t.Fatalf("seed %d: %v", seed, a.err)
				case a.samples < 100 || a.batches == 0 || a.limited > a.samples/2:
					t.Fatalf("seed %d: %+v", seed, a)
				case tt.name == "clean" && a.fair < a.samples/2, tt.name == "both" && (a.late == 0 || a.lostOnes == 0):
					t.Fatalf("seed %d: %+v", seed, a)
				}
			}
		})
	}
}

// A connection keeps within its largest window whatever a controller says, and lives on
// when there is no window at all.
func TestControllerOutOfBounds(t *testing.T) {
	for _, window := range []int{1 << 62, 0, -1} {
		most := 0
		cfg := engine.Config{MaxCongestionWindow: 50_000, NewCongestion: func(c congestion.Config) congestion.Controller {
			return &wild{congestion.NewReno(c), window, &most}
		}}
		r := Run{Server: &cfg, Nodes: []Node{&Delay{RTT: 10 * time.Millisecond}}, Work: Work{Streams: 1, Upload: 100, Download: 20_000}}
		if window > 0 {
			r.Work.Download = 1_000_000
		}
		r.Limit = time.Hour
		if err := r.Do(); err != nil {
			t.Errorf("window %d: %v", window, err)
		}
		if most > 50_000+1500 || window > 0 && most < 40_000 {
			t.Errorf("window %d: up to %d bytes were in flight", window, most)
		}
	}
}

// wild is a controller with a window of its own, and no sense in the rest.
type wild struct {
	congestion.Controller
	window int
	most   *int
}

func (w *wild) OnSent(s *congestion.Sent) { *w.most = max(*w.most, s.InFlight+s.Bytes) }
func (w *wild) Window() int               { return w.window }
func (w *wild) PacingRate() uint64        { return 1 << 63 }
func (w *wild) SendQuantum() int          { return 1 << 62 }
