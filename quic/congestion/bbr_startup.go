package congestion

// bbrFullPipe finds out that sending faster brings no more (Section 5.3.1.2).
type bbrFullPipe struct {
	fullReached bool   // once in the connection's life
	fullNow     bool   // since ResetFullBW
	fullBW      uint64 // the rate to be surpassed
	fullCount   int    // rounds in which it was not
	drainRound  int    // BBR.drain_start_round
}

// bbrFullRounds is how many rounds without growth fill the pipe.
const bbrFullRounds = 3

// resetFullPipe is ResetFullBW, with the rate that counts as the last.
func (b *bbr) resetFullPipe(bw uint64) { b.fullNow, b.fullCount, b.fullBW = false, 0, bw }

// checkFullPipe is CheckFullBWReached.
func (b *bbr) checkFullPipe(r *Rate, limited bool) {
	if b.fullNow || !b.start || limited {
		return
	}
	if float64(r.BytesPerSecond) >= 1.25*float64(b.fullBW) {
		b.resetFullPipe(r.BytesPerSecond)
		return
	}
	b.fullCount++
	if b.fullCount >= bbrFullRounds {
		b.fullNow, b.fullReached = true, true
	}
}

// checkStartupDone leaves Startup when the pipe is full, or too much is lost
// (Sections 5.3.1.2 and 5.3.1.3).
func (b *bbr) checkStartupDone(f *Feedback) {
	if b.state != bbrStartup {
		return
	}
	b.checkStartupLoss(f)
	if b.fullReached {
		b.state = bbrDrain
		b.drainRound = b.count
	}
}

// bbrStartupLosses is BBRStartupFullLossCnt. As in Linux, what one ACK frame shows lost
// counts as one range.
const bbrStartupLosses = 6

// checkStartupLoss is CheckStartupHighLoss. A round of losses begins with the first of
// them, so that when one ends, recovery has lasted for a round trip. A mark of ECN, which a
// queue sets that grows, counts like too many losses.
func (b *bbr) checkStartupLoss(f *Feedback) {
	if !b.lossRoundStart {
		return
	}
	lossy := b.lossEvents >= bbrStartupLosses && tooHigh(f.lostSince(&f.Rate.Packet), f.Rate.Packet.InFlight)
	if !b.fullReached && (lossy || b.marked) {
		b.undoTo, b.undoState = true, bbrStartup
		b.fullReached = true
		b.inflightLong = max(b.bdp(b.maxBW(), 1), b.inflightLatest)
	}
	b.lossEvents, b.marked = 0, false
}

// lostSince returns how much was found lost since a packet left.
func (f *Feedback) lostSince(p *Packet) int { return int(f.TotalLost - p.TotalLost) }

// tooHigh is IsInflightTooHigh.
func tooHigh(lost, inFlight int) bool { return float64(lost) > bbrLossThresh*float64(inFlight) }

// checkDrainDone is CheckDrainDone (Section 5.3.2).
func (b *bbr) checkDrainDone(f *Feedback) {
	if b.state == bbrDrain && (f.InFlight <= b.inflight(b.bw, 1) || b.count > b.drainRound+bbrMaxDrain) {
		b.goDown(f)
	}
}
