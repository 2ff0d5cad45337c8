package recovery

import "time"

// InitialRTT is assumed until a sample exists (RFC 9002, Section 6.2.2).
const InitialRTT = 333 * time.Millisecond

// granularity is the coarsest timer this implementation assumes
// (RFC 9002, Section 6.1.2).
const granularity = time.Millisecond

// RTT estimates the round-trip time of a path (RFC 9002, Section 5). The zero
// value has no sample yet.
type RTT struct {
	Latest   time.Duration
	Smoothed time.Duration
	Var      time.Duration
	Min      time.Duration
}

// HasSample reports whether a round trip was ever measured.
func (r *RTT) HasSample() bool { return r.Smoothed != 0 }

// Update takes a sample. ackDelay is what the peer says it waited before it
// acknowledged, already limited by its max_ack_delay where that applies.
func (r *RTT) Update(sample, ackDelay time.Duration) {
	sample = max(sample, time.Microsecond) // a clock may not have ticked
	r.Latest = sample
	if !r.HasSample() {
		r.Min, r.Smoothed, r.Var = sample, sample, sample/2
		return
	}
	r.Min = min(r.Min, sample)
	if sample >= r.Min+ackDelay {
		sample -= ackDelay
	}
	r.Var = (3*r.Var + (r.Smoothed - sample).Abs()) / 4
	r.Smoothed = (7*r.Smoothed + sample) / 8
}

// smoothed returns the estimate, or the assumption while there is none.
func (r *RTT) smoothed() time.Duration {
	if !r.HasSample() {
		return InitialRTT
	}
	return r.Smoothed
}

// PTO is the probe timeout's base, without the peer's max_ack_delay and
// without backoff (RFC 9002, Section 6.2.1).
func (r *RTT) PTO() time.Duration {
	variance := r.Var
	if !r.HasSample() {
		variance = InitialRTT / 2
	}
	return r.smoothed() + max(4*variance, granularity)
}

// LossDelay is how long a packet may be overtaken before it counts as lost
// (RFC 9002, Section 6.1.2).
func (r *RTT) LossDelay() time.Duration {
	rtt := max(r.Latest, r.smoothed())
	return max(rtt+rtt/8, granularity)
}
