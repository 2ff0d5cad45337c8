package congestion

import "time"

// bbrMinRTT is the least round-trip time, and when to look for it (Section 5.3.4).
type bbrMinRTT struct {
	minRTT, minRTTAt           time.Duration
	probeMinRTT, probeMinRTTAt time.Duration // BBR.probe_rtt_min_delay, of a shorter time
	probeExpired               bool
	doneAt                     time.Duration // BBR.probe_rtt_done_stamp, 0 for not yet
	roundDone                  bool          // BBR.probe_rtt_round_done
}

// updateMinRTT is UpdateMinRTT.
func (b *bbr) updateMinRTT(f *Feedback) {
	b.probeExpired = f.Now > b.probeMinRTTAt+bbrProbeInterval
	if rtt := f.Rate.RTT; rtt < b.probeMinRTT || b.probeExpired {
		b.probeMinRTT, b.probeMinRTTAt = rtt, f.Now
	}
	if b.probeMinRTT < b.minRTT || f.Now > b.minRTTAt+bbrMinRTTFilter {
		b.minRTT, b.minRTTAt = b.probeMinRTT, b.probeMinRTTAt
	}
}

// checkProbeRTT is CheckProbeRTT.
func (b *bbr) checkProbeRTT(f *Feedback) {
	if b.state != bbrProbeRTT && b.probeExpired && !b.idleRestart {
		b.saveWindow()
		b.state = bbrProbeRTT
		b.doneAt = 0
		b.phase = acksProbeStopping
		b.startRound(f.TotalDelivered)
	}
	if b.state == bbrProbeRTT {
		b.handleProbeRTT(f)
	}
	if f.Rate.Delivered > 0 {
		b.idleRestart = false
	}
}

// handleProbeRTT is HandleProbeRTT.
func (b *bbr) handleProbeRTT(f *Feedback) {
	b.limit(f)
	switch {
	case b.doneAt == 0 && f.InFlight <= b.probeRTTWindow():
		b.doneAt = f.Now + bbrProbeDuration
		b.roundDone = false
		b.startRound(f.TotalDelivered)
	case b.doneAt != 0:
		b.roundDone = b.roundDone || b.start
		if b.roundDone {
			b.checkProbeRTTDone(f.Now, f.TotalDelivered)
		}
	}
}

// checkProbeRTTDone is CheckProbeRTTDone, and ExitProbeRTT. delivered is 0 when nothing is
// in flight, so that a round begins anyway.
func (b *bbr) checkProbeRTTDone(now time.Duration, delivered uint64) {
	if b.doneAt == 0 || now <= b.doneAt {
		return
	}
	b.probeMinRTTAt = now
	b.restoreWindow()
	b.resetShortTerm()
	if !b.fullReached {
		b.state = bbrStartup
		return
	}
	b.goDown(&Feedback{Now: now, TotalDelivered: max(delivered, b.roundEnd)})
	b.state = bbrCruise
}

// probeRTTWindow is ProbeRTTCwnd.
func (b *bbr) probeRTTWindow() int {
	return max(b.bdp(b.bw, bbrStates[bbrProbeRTT].window), b.minPipe())
}
