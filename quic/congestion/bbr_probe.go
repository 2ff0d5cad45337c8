package congestion

import "time"

// bbrProbe is the cycle of ProbeBW (Section 5.3.3).
type bbrProbe struct {
	phase         bbrAckPhase
	probeSample   bool // BBR.is_bw_probe_sample
	tooHighBefore bool // BBR.prev_probe_too_high
	precautionary bool // BBR.prev_probe_precautionary

	upRounds       int // BBR.bw_probe_up_rounds
	upAcked        int // BBR.bw_probe_up_acked
	ackedPerGrowth int // BBR.probe_up_acked_per_inc

	roundsSinceUp int
	cycleAt       time.Duration // BBR.cycle_stamp
	wait          time.Duration // BBR.bw_probe_wait
}

// bbrAckPhase is what acknowledgments say of probing, BBR.ack_phase.
type bbrAckPhase uint8

const (
	acksInit bbrAckPhase = iota
	acksRefilling
	acksProbeStarting
	acksProbeFeedback
	acksProbeStopping
)

// bbrRenoRounds bounds the rounds between probes, so that Reno and CUBIC can live beside
// (Section 5.3.3.5), and bbrProbeWait and as much again by chance bounds their time.
const (
	bbrRenoRounds = 63
	bbrProbeWait  = 2 * time.Second
	bbrWaitSpread = time.Second
)

// goDown is StartProbeBW_DOWN.
func (b *bbr) goDown(f *Feedback) {
	b.resetSignals()
	b.ackedPerGrowth = noVolume
	b.roundsSinceUp = b.rand.IntN(2) // PickProbeWait
	b.wait = bbrProbeWait + time.Duration(b.rand.Int64N(int64(bbrWaitSpread)))
	b.cycleAt = f.Now
	b.phase = acksProbeStopping
	b.startRound(f.TotalDelivered)
	b.state = bbrDown
}

// refill is StartProbeBW_REFILL.
func (b *bbr) refill(f *Feedback) {
	b.resetShortTerm()
	b.upRounds, b.upAcked = 0, 0
	b.precautionary = false
	b.phase = acksRefilling
	b.startRound(f.TotalDelivered)
	b.state = bbrRefill
}

// goUp is StartProbeBW_UP.
func (b *bbr) goUp(f *Feedback) {
	b.phase = acksProbeStarting
	b.startRound(f.TotalDelivered)
	b.resetFullPipe(f.Rate.BytesPerSecond)
	b.state = bbrUp
	b.raiseSlope()
}

// updateCycle is UpdateProbeBWCyclePhase.
func (b *bbr) updateCycle(f *Feedback, limited bool) {
	if !b.fullReached || b.adaptLongTerm(f, limited) {
		return
	}
	switch b.state {
	case bbrDown:
		if !b.checkProbe(f) && f.InFlight <= b.withHeadroom() && f.InFlight <= b.inflight(b.maxBW(), 1) {
			b.state = bbrCruise
		}
	case bbrCruise:
		b.checkProbe(f)
	case bbrRefill:
		if b.start {
			b.probeSample = true
			b.goUp(f)
		}
	case bbrUp:
		if b.timeToGoDown(f) {
			b.tooHighBefore = false // not yet
			b.goDown(f)
		}
	}
}

// checkProbe is IsTimeToProbeBW.
func (b *bbr) checkProbe(f *Feedback) bool {
	target := b.targetInflight() / b.datagram
	if f.Now > b.cycleAt+b.wait || b.roundsSinceUp >= min(target, bbrRenoRounds) {
		b.refill(f)
		return true
	}
	return false
}

func (b *bbr) targetInflight() int { return min(b.bdp(b.bw, 1), b.window) }

// timeToGoDown is IsTimeToGoDown.
func (b *bbr) timeToGoDown(f *Feedback) bool {
	if b.tooHighBefore && f.InFlight >= b.inflightLong {
		b.precautionary = true
		return true
	}
	if b.windowLimited() && b.window >= b.inflightLong {
		b.resetFullPipe(f.Rate.BytesPerSecond) // the bound limits the rate
		return false
	}
	return b.fullNow
}

// raiseSlope is RaiseInflightLongtermSlope.
func (b *bbr) raiseSlope() {
	b.ackedPerGrowth = max(b.window>>b.upRounds, b.datagram)
	b.upRounds = min(b.upRounds+1, 30)
}

// growLongTerm is ProbeInflightLongtermUpward.
func (b *bbr) growLongTerm(f *Feedback) {
	if !b.windowLimited() || b.window < b.inflightLong {
		return
	}
	b.upAcked += f.AckedBytes
	if n := b.upAcked / b.ackedPerGrowth; n > 0 {
		b.upAcked -= n * b.ackedPerGrowth
		b.inflightLong = min(b.inflightLong+n*b.datagram, MaxWindow)
	}
	if b.start {
		b.raiseSlope()
	}
}

// adaptLongTerm is AdaptLongTermModel. It reports whether the state has changed.
func (b *bbr) adaptLongTerm(f *Feedback, limited bool) bool {
	if b.phase == acksProbeStarting && b.start {
		b.phase = acksProbeFeedback
	}
	if b.phase == acksProbeStopping && b.start {
		b.probeSample = false
		b.phase = acksInit
		if b.probing() && !limited {
			b.advanceMaxBW()
		}
		if b.probing() && b.precautionary && !b.tooHighBefore {
			b.refill(f)
			return true
		}
	}
	p := &f.Rate.Packet
	if tooHigh(f.lostSince(p), p.InFlight) || b.inflightLong == noVolume {
		return false
	}
	b.inflightLong = max(b.inflightLong, p.InFlight)
	if b.state == bbrUp {
		b.growLongTerm(f)
	}
	return false
}
