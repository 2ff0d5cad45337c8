package recovery

import (
	"testing"
	"time"
)

// TestRTT follows RFC 9002, Section 5.3, by hand.
func TestRTT(t *testing.T) {
	var r RTT
	if r.HasSample() || r.PTO() != 999*ms {
		t.Fatalf("without a sample the probe timeout is %v", r.PTO())
	}
	if r.smoothed() != InitialRTT {
		t.Fatalf("assumed round trip %v", r.smoothed())
	}
	steps := []struct {
		name                  string
		sample, delay         time.Duration
		min, smoothed, rttvar time.Duration
	}{
		{"first", 100 * ms, 25 * ms, 100 * ms, 100 * ms, 50 * ms},
		{"same", 100 * ms, 0, 100 * ms, 100 * ms, 37500 * time.Microsecond},
		{"delay taken off", 120 * ms, 20 * ms, 100 * ms, 100 * ms, 28125 * time.Microsecond},
		{"delay not below the minimum", 110 * ms, 20 * ms, 100 * ms, 101250 * time.Microsecond, 23593750 * time.Nanosecond},
		{"new minimum", 60 * ms, 50 * ms, 60 * ms, 96093750 * time.Nanosecond, 28007812 * time.Nanosecond},
	}
	for _, s := range steps {
		r.Update(s.sample, s.delay)
		if r.Latest != s.sample || r.Min != s.min || r.Smoothed != s.smoothed || r.Var != s.rttvar {
			t.Fatalf("%s: %+v, want minimum %v, smoothed %v, variance %v", s.name, r, s.min, s.smoothed, s.rttvar)
		}
	}
	if want := r.Smoothed + 4*r.Var; r.PTO() != want {
		t.Errorf("probe timeout %v, want %v", r.PTO(), want)
	}
	if want := r.Smoothed + r.Smoothed/8; r.LossDelay() != want {
		t.Errorf("loss delay %v, want %v", r.LossDelay(), want)
	}
}

// A loopback round trip may be shorter than the clock tells; times stay above
// the granularity.
func TestRTTTiny(t *testing.T) {
	var r RTT
	for range 100 {
		r.Update(0, 0)
	}
	if !r.HasSample() || r.Min <= 0 {
		t.Fatalf("%+v", r)
	}
	if r.PTO() < granularity || r.LossDelay() != granularity {
		t.Fatalf("probe timeout %v, loss delay %v", r.PTO(), r.LossDelay())
	}
}

// The latest sample counts for the loss delay when it is above the average
// (RFC 9002, Section 6.1.2).
func TestLossDelayFollowsLatest(t *testing.T) {
	var r RTT
	r.Update(80*ms, 0)
	r.Update(160*ms, 0)
	if got := r.LossDelay(); got != 180*ms {
		t.Fatalf("loss delay %v", got)
	}
}
