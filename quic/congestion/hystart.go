package congestion

import "time"

// The constants of RFC 9406, Section 4.3. L is unlimited, as the RFC has it for
// senders that pace.
const (
	hystartMinRTTThresh  = 4 * time.Millisecond
	hystartMaxRTTThresh  = 16 * time.Millisecond
	hystartMinRTTDivisor = 8
	hystartRTTSamples    = 8
	cssGrowthDivisor     = 4
	cssRounds            = 5
)

// hystart watches the first slow start for a delay that grows, and then tries
// for some rounds with slower growth whether it was a fluke (RFC 9406). The
// zero value is ready.
//
//	slow start ──── RTT rose ───▶ CSS ── five rounds ──▶ done
//	     ▲                         │
//	     └──── RTT fell again ─────┘
type hystart struct {
	roundEnd    uint64        // delivered when the round began; who left later ends it
	roundMin    time.Duration // least RTT of the round; 0 without a sample
	lastMin     time.Duration // of the round before; 0 without a sample
	cssBaseline time.Duration // the RTT that made it begin
	samples     int32         // in this round

	css       bool // in conservative slow start
	cssRounds int8 // rounds of it begun
}

// onAcked looks at an acknowledgment in slow start and reports whether slow
// start is over.
func (h *hystart) onAcked(f *Feedback) (done bool) {
	if f.Rate.Packet.TotalDelivered >= h.roundEnd {
		if h.beginRound(f.TotalDelivered) {
			return true
		}
	}
	h.sample(f.LatestRTT)
	if h.samples < hystartRTTSamples {
		return false
	}
	switch {
	case h.css && h.roundMin < h.cssBaseline:
		h.css = false
	case !h.css && h.lastMin > 0 && h.roundMin >= h.lastMin+hystartThreshold(h.lastMin):
		h.css, h.cssBaseline, h.cssRounds = true, h.roundMin, 0
	}
	return false
}

// beginRound starts a round that ends when a packet is acknowledged that leaves after so
// much has been delivered, and reports whether there were enough of them in conservative
// slow start.
func (h *hystart) beginRound(delivered uint64) (done bool) {
	h.roundEnd = delivered
	h.lastMin, h.roundMin = h.roundMin, 0
	h.samples = 0
	if h.css {
		h.cssRounds++
	}
	return h.cssRounds >= cssRounds && h.css
}

// sample takes the latest RTT into the round.
func (h *hystart) sample(rtt time.Duration) {
	if rtt <= 0 {
		return
	}
	if h.roundMin == 0 || rtt < h.roundMin {
		h.roundMin = rtt
	}
	h.samples++
}

// growth returns by how much the window grows for so many bytes acknowledged.
func (h *hystart) growth(bytes int) int {
	if h.css {
		return bytes / cssGrowthDivisor
	}
	return bytes
}

// hystartThreshold returns how much the RTT of a round must exceed that of the
// round before to end slow start.
func hystartThreshold(lastMin time.Duration) time.Duration {
	return min(max(hystartMinRTTThresh, lastMin/hystartMinRTTDivisor), hystartMaxRTTThresh)
}
