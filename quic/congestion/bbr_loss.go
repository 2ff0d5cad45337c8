package congestion

import "time"

// bbrLoss is what losses say of the path (Section 5.5.10).
type bbrLoss struct {
	lossInRound    bool   // BBR.is_loss_in_round
	lossRoundStart bool   // the feedback at hand begins a round of losses
	lossRoundEnd   uint64 // BBR.loss_round_delivered
	lossEvents     int    // how often something was lost in this round
	marked         bool   // a packet was marked in this round

	// A recovery period lasts from a loss until something that left later arrives.
	recovering    bool
	recoveryStart time.Duration
	recoveryLost  int // bytes lost in it that have not arrived since; less than 0: never
}

// bbrUndo is what to go back to when losses were none (Section 5.5.11).
type bbrUndo struct {
	undoTo        bool // there is an undoState
	undoState     bbrState
	undoBWShort   uint64
	undoInflShort int
	undoInflLong  int
}

// resetShortTerm is ResetShortTermModel.
func (b *bbr) resetShortTerm() { b.bwShort, b.inflightShort = noRate, noVolume }

// resetSignals is ResetCongestionSignals.
func (b *bbr) resetSignals() { b.lossInRound, b.bwLatest, b.inflightLatest = false, 0, 0 }

// noteLoss is NoteLoss, and begins a recovery period.
func (b *bbr) noteLoss(delivered uint64) {
	if !b.lossInRound {
		b.lossRoundEnd = delivered
		b.saveWindow()
		b.bbrUndo = bbrUndo{undoBWShort: b.bwShort, undoInflShort: b.inflightShort, undoInflLong: b.inflightLong}
	}
	b.lossInRound = true
}

// onLost handles packets that count as lost.
func (b *bbr) onLost(f *Feedback) {
	if len(f.Lost) == 0 {
		return
	}
	b.lossEvents++
	lost := f.TotalLost - uint64(f.LostBytes)
	for i := range f.Lost {
		p := &f.Lost[i]
		lost += uint64(p.Bytes)
		b.noteLoss(f.TotalDelivered)
		if b.probeSample {
			b.judgeLoss(f, p, int(lost-p.TotalLost))
		}
	}
	if last := f.Lost[len(f.Lost)-1].SentAt; last > b.recoveryStart {
		b.recovering, b.recoveryStart, b.recoveryLost = true, f.Now, 0
	}
	b.recoveryLost += f.LostBytes
}

// judgeLoss is HandleLostPacket: whether so much had been in flight when a packet left that
// too much of it is lost.
func (b *bbr) judgeLoss(f *Feedback, p *Packet, lost int) {
	if !tooHigh(lost, p.InFlight) {
		return
	}
	before, lostBefore := float64(p.InFlight-p.Bytes), float64(lost-p.Bytes) // InflightAtLoss
	prefix := (bbrLossThresh*before - lostBefore) / (1 - bbrLossThresh)
	b.onTooHigh(f, int(before+max(prefix, 0)), p.AppLimited)
}

// onTooHigh is HandleInflightTooHigh.
func (b *bbr) onTooHigh(f *Feedback, inFlight int, limited bool) {
	b.tooHighBefore = true
	b.probeSample = false
	if !limited {
		b.inflightLong = max(inFlight, int(float64(b.targetInflight())*bbrBeta))
	}
	if b.state == bbrUp {
		b.undoTo, b.undoState = true, bbrUp
		b.goDown(f)
	}
}

// onMarked takes marks of ECN for congestion, as the draft leaves the response open but
// demands one (Section 3.7): they count as losses, and while probing as too many.
func (b *bbr) onMarked(f *Feedback) {
	b.noteLoss(f.TotalDelivered)
	b.marked = true
	b.recoveryLost = -MaxWindow // what follows is no mistake
	if p := &f.Rate.Packet; b.probeSample && len(f.Acked) > 0 {
		b.onTooHigh(f, p.InFlight, b.limited(&f.Rate))
	}
}

// updateLatest is UpdateLatestDeliverySignals. It ends the recovery period.
func (b *bbr) updateLatest(f *Feedback) {
	r := &f.Rate
	b.bwLatest = max(b.bwLatest, r.BytesPerSecond)
	b.inflightLatest = max(b.inflightLatest, r.Delivered)
	if b.lossRoundStart = r.Packet.TotalDelivered >= b.lossRoundEnd; b.lossRoundStart {
		b.lossRoundEnd = f.TotalDelivered
	}
	if b.recovering && r.Packet.SentAt > b.recoveryStart {
		b.recovering = false
		b.restoreWindow()
	}
}

// adaptToLoss is the rest of UpdateCongestionSignals: once in a round with losses, the
// bounds of the short term follow what was delivered.
func (b *bbr) adaptToLoss() {
	if !b.lossRoundStart {
		return
	}
	if b.lossInRound && !b.accelerating() {
		if b.bwShort == noRate {
			b.bwShort = b.maxBW()
		}
		if b.inflightShort == noVolume {
			b.inflightShort = b.window
		}
		b.bwShort = max(b.bwLatest, uint64(bbrBeta*float64(b.bwShort)))
		b.inflightShort = max(b.inflightLatest, int(bbrBeta*float64(b.inflightShort)))
	}
	b.lossInRound = false
}

// onLate undoes what losses did when all of a recovery period have arrived
// (Section 5.5.11.2).
func (b *bbr) onLate(f *Feedback) {
	for i := range f.Late {
		p := &f.Late[i]
		if b.recoveryLost <= 0 || p.SentAt > b.recoveryStart {
			continue
		}
		if b.recoveryLost -= p.Bytes; b.recoveryLost <= 0 {
			b.recoveryLost = 0
			b.undo(f)
		}
	}
}

// undo is HandleSpuriousLossDetection.
func (b *bbr) undo(f *Feedback) {
	b.recovering = false
	b.restoreWindow()
	b.lossInRound = false
	b.resetFullPipe(0)
	b.bwShort = max(b.bwShort, b.undoBWShort)
	b.inflightShort = max(b.inflightShort, b.undoInflShort)
	b.inflightLong = max(b.inflightLong, b.undoInflLong)
	to := b.undoTo
	b.undoTo = false
	switch {
	case !to || b.undoState == b.state:
	case b.undoState == bbrStartup:
		b.fullReached = false
		if b.state != bbrProbeRTT {
			b.state = bbrStartup
		}
	case b.state != bbrProbeRTT:
		b.refill(f)
	}
}
