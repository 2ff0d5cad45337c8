package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// times are how long something took with each of many seeds, in virtual time.
type times []time.Duration

// over runs one conversation for each seed and takes what measure returns of it.
func over(t *testing.T, seeds int, make func() Run, measure func(*Run) time.Duration) (all times) {
	t.Helper()
	for seed := range uint64(seeds) {
		r := make()
		r.Seed = seed
		if err := r.Do(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		all = append(all, measure(&r))
	}
	slices.Sort(all)
	return all
}

// part returns the time within which a part of the runs was done.
func (l times) part(p float64) time.Duration { return l[min(int(p*float64(len(l))), len(l)-1)] }

func (l times) String() string {
	return fmt.Sprintf("median %v, 90 %% %v, worst %v", l.part(0.5).Round(time.Millisecond), l.part(0.9).Round(time.Millisecond), l.part(1).Round(time.Millisecond))
}

// Handshakes on a bad path, with a request: packets that are lost cost round trips
// where they can, and not one timeout after the other. A hello that is lost costs a
// second, as no round trip was measured before it (RFC 9002, Section 6.2.2).
func TestLossyHandshakes(t *testing.T) {
	for _, tt := range []struct {
		name        string
		loss        float64
		chain       int // bytes of certificates
		most, worst time.Duration
	}{
		{"30 % loss", 0.3, 2500, 1500 * time.Millisecond, 8 * time.Second},
		{"30 % loss, a long chain", 0.3, 12_000, 1700 * time.Millisecond, 5 * time.Second},
		{"10 % loss", 0.1, 2500, 1100 * time.Millisecond, 1500 * time.Millisecond},
		{"10 % loss, a long chain", 0.1, 12_000, 1100 * time.Millisecond, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			done := over(t, 300, func() Run {
				cfg := &engine.Config{HandshakeTimeout: time.Minute}
				return Run{
					Nodes: []Node{&Delay{RTT: 30 * time.Millisecond}, &Drop{Rate: tt.loss}},
					Work:  Work{Streams: 1, Upload: 100, Download: 1000}, Client: cfg, Server: cfg,
					NewTLS: func(side wire.Side) engine.TLS { return &FakeTLS{Side: side, Filler: tt.chain} },
				}
			}, (*Run).Transfer)
			if done.part(0.9) > tt.most || done.part(1) > tt.worst {
				t.Errorf("handshake and request took %v", done)
			}
		})
	}
}

// Transfers on paths that lose packets and change their order. Reno's formula has a
// window of sqrt(3/2p) packets: 12.6 s for these bytes where a packet of twenty is
// lost, and 5.6 s where one of a hundred is.
func TestLossyTransfers(t *testing.T) {
	const rtt = 100 * time.Millisecond
	late := &Late{Rate: 0.1, By: 20 * time.Millisecond}
	for _, tt := range []struct {
		name  string
		most  time.Duration // of the median
		nodes func() []Node
	}{
		{"5 % lost, 10 % late", 13 * time.Second, func() []Node { l := *late; return []Node{&Drop{Rate: 0.05}, &l} }},
		{"5 % lost", 12_500 * time.Millisecond, func() []Node { return []Node{&Drop{Rate: 0.05}} }},
		{"1 % lost, 10 % late", 3800 * time.Millisecond, func() []Node { l := *late; return []Node{&Drop{Rate: 0.01}, &l} }},
		{"1 % lost", 3800 * time.Millisecond, func() []Node { return []Node{&Drop{Rate: 0.01}} }},
		{"10 % late", 1 * time.Second, func() []Node { l := *late; return []Node{&l} }},
		{"a small queue", 1500 * time.Millisecond, func() []Node { return []Node{&Bottleneck{Rate: 10e6, Queue: 30_000}} }},
		{"clean", 1 * time.Second, func() []Node { return nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			done := over(t, 50, func() Run {
				return Run{Nodes: append([]Node{&Delay{RTT: rtt}}, tt.nodes()...), Work: Work{Streams: 1, Upload: 100, Download: 1_000_000}}
			}, (*Run).Transfer)
			if done.part(0.5) > tt.most {
				t.Errorf("the transfers took %v", done)
			}
		})
	}
}
