package congestion

import "time"

// bbrModel is what the path is taken to carry (Sections 2.6 and 5.5).
type bbrModel struct {
	maxBWs [2]uint64 // BBR.max_bw_filter: the most of the cycle before, and of this one

	bw                          uint64
	bwShort, bwLatest           uint64 // BBR.bw_shortterm, and the most of this round
	inflightShort, inflightLong int    // BBR.inflight_shortterm, BBR.inflight_longterm
	inflightLatest              int

	extraSince     time.Duration // BBR.extra_acked_interval_start
	extraDelivered int
	extraAcked     roundMax

	// What was sent while ProbeRTT kept the window small says little of the path: its
	// samples are those of packets that left when so much had been delivered.
	limitedFrom, limitedUntil uint64
}

// maxBW is BBR.max_bw.
func (b *bbr) maxBW() uint64 { return max(b.maxBWs[0], b.maxBWs[1]) }

// limited is RS.is_app_limited, with what ProbeRTT has limited.
func (b *bbr) limited(r *Rate) bool {
	at := r.Packet.TotalDelivered
	return r.Packet.AppLimited || at >= b.limitedFrom && at < b.limitedUntil
}

// limit is MarkConnectionAppLimited.
func (b *bbr) limit(f *Feedback) {
	if f.TotalDelivered > b.limitedUntil {
		b.limitedFrom = f.TotalDelivered
	}
	b.limitedUntil = f.TotalDelivered + uint64(f.InFlight)
}

// updateMaxBW is UpdateMaxBw (Section 5.5.5).
func (b *bbr) updateMaxBW(r *Rate, limited bool) {
	if r.BytesPerSecond >= b.maxBW() || !limited {
		b.maxBWs[1] = max(b.maxBWs[1], r.BytesPerSecond)
	}
}

// advanceMaxBW forgets the cycle before (Section 5.5.6).
func (b *bbr) advanceMaxBW() {
	if b.maxBWs[1] > 0 {
		b.maxBWs = [2]uint64{b.maxBWs[1], 0}
	}
}

// updateAggregation is UpdateACKAggregation (Section 5.5.9): how much more is acknowledged
// at a time than the rate explains.
func (b *bbr) updateAggregation(f *Feedback) {
	expected := volume(b.bw, f.Now-b.extraSince, 1)
	if b.extraDelivered <= expected {
		b.extraDelivered, expected = 0, 0
		b.extraSince = f.Now
	}
	b.extraDelivered += f.AckedBytes
	rounds := 1
	if b.fullReached {
		rounds = 10
	}
	b.extraAcked.update(b.count, min(b.extraDelivered-expected, b.window), rounds)
}

// volume returns what a rate sends in a time, times a gain.
func volume(rate uint64, t time.Duration, gain float64) int {
	return int(min(float64(rate)*t.Seconds()*gain, MaxWindow))
}

// bdp is BDPMultiple.
func (b *bbr) bdp(bw uint64, gain float64) int {
	if b.minRTT == noRTT {
		return b.initialWindow
	}
	return volume(bw, b.minRTT, gain)
}

// inflight is Inflight: a multiple of the product of bandwidth and delay, and enough for
// the sender's quantum and the peer's acknowledgments (Section 5.6.4.2).
func (b *bbr) inflight(bw uint64, gain float64) int { return b.quantize(b.bdp(bw, gain)) }

// quantize is QuantizationBudget.
func (b *bbr) quantize(n int) int {
	n = max(n, b.quantum, b.minPipe())
	if b.state == bbrUp {
		n += 2 * b.datagram
	}
	return n
}

// minPipe is BBR.MinPipeCwnd.
func (b *bbr) minPipe() int { return bbrMinPipe * b.datagram }

// withHeadroom is InflightWithHeadroom.
func (b *bbr) withHeadroom() int {
	if b.inflightLong == noVolume {
		return noVolume
	}
	headroom := max(b.datagram, int(bbrHeadroom*float64(b.inflightLong)))
	return max(b.inflightLong-headroom, b.minPipe())
}

// updateControl is UpdateControlParameters (Section 5.6).
func (b *bbr) updateControl(f *Feedback) {
	if b.rate == 0 && f.SmoothedRTT > 0 { // InitPacingRate, Section 5.6.2
		nominal := float64(b.initialWindow) / f.SmoothedRTT.Seconds()
		b.rate = uint64(bbrStates[bbrStartup].pacing * nominal)
	}
	b.setRate(bbrStates[b.state].pacing)
	b.quantum = min(max(volume(b.rate, time.Millisecond, 1), 2*b.datagram), bbrMaxQuantum)
	b.setWindow(f)
}

// setRate is SetPacingRateWithGain.
func (b *bbr) setRate(gain float64) {
	rate := uint64(gain * float64(b.bw) * (1 - bbrPacingMargin))
	if rate > b.rate || b.fullReached && rate > 0 {
		b.rate = rate
	}
}

// setWindow is SetCwnd (Section 5.6.4.6).
func (b *bbr) setWindow(f *Feedback) {
	most := b.quantize(b.bdp(b.bw, bbrStates[b.state].window) + b.extraAcked.value())
	if b.fullReached {
		b.window = min(b.window+f.AckedBytes, most)
	} else if b.window < most || f.TotalDelivered < uint64(b.initialWindow) {
		b.window += f.AckedBytes
	}
	b.window = max(b.window, b.minPipe())
	if b.state == bbrProbeRTT {
		b.window = min(b.window, b.probeRTTWindow())
	}
	limit := noVolume
	switch b.state {
	case bbrDown, bbrRefill, bbrUp:
		limit = b.inflightLong
	case bbrCruise, bbrProbeRTT:
		limit = b.withHeadroom()
	}
	b.window = b.clampWindow(min(b.window, max(min(limit, b.inflightShort), b.minPipe())))
}

// clampWindow keeps a window between two packets and the largest.
func (b *bbr) clampWindow(n int) int {
	return min(max(n, minWindowPackets*b.datagram), b.maxWindow)
}

// saveWindow is SaveCwnd, and restoreWindow RestoreCwnd.
func (b *bbr) saveWindow() {
	if !b.recovering && b.state != bbrProbeRTT {
		b.priorWindow = 0
	}
	b.priorWindow = max(b.priorWindow, b.window)
}

func (b *bbr) restoreWindow() { b.window = max(b.window, b.priorWindow) }

// roundMax is the most of the last rounds, by the filter of Kathleen Nichols: the best
// sample, and the best ones after it, for when it is too old.
type roundMax [3]struct{ value, round int }

func (m *roundMax) value() int { return m[0].value }

// update takes a sample of a round, and forgets what is so many rounds old.
func (m *roundMax) update(round, value, rounds int) {
	s := struct{ value, round int }{value, round}
	if value >= m[0].value || round-m[2].round > rounds {
		*m = roundMax{s, s, s}
		return
	}
	if value >= m[1].value {
		m[1], m[2] = s, s
	} else if value >= m[2].value {
		m[2] = s
	}
	switch age := round - m[0].round; {
	case age > rounds:
		m[0], m[1], m[2] = m[1], m[2], s
		if round-m[0].round > rounds {
			m[0], m[1] = m[1], m[2]
		}
	case m[1].round == m[0].round && age > rounds/4:
		m[1], m[2] = s, s
	case m[2].round == m[1].round && age > rounds/2:
		m[2] = s
	}
}
