package congestion

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

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
	roundEnd   wire.PacketNumber // acknowledged when the round ends
	roundMin   time.Duration     // least RTT of the round; 0 without a sample
	lastMin    time.Duration     // of the round before; 0 without a sample
	lastSample monotime.Time     // when samples was last increased
	samples    int32             // in this round

	rounds      bool          // a round has begun
	css         bool          // in conservative slow start
	cssRounds   int8          // rounds of it begun
	cssBaseline time.Duration // the RTT that made it begin
}

// onAcked looks at a packet acknowledged in slow start and reports whether slow
// start is over.
func (h *hystart) onAcked(now monotime.Time, a *Acked) (done bool) {
	if !h.rounds || a.Number >= h.roundEnd {
		if h.beginRound(a.NextNumber) {
			return true
		}
	}
	h.sample(now, a.LatestRTT)
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

// beginRound starts a round that ends when next is acknowledged, and reports
// whether there were enough of them in conservative slow start.
func (h *hystart) beginRound(next wire.PacketNumber) (done bool) {
	h.rounds = true
	h.roundEnd = next
	h.lastMin, h.roundMin = h.roundMin, 0
	h.samples = 0
	if h.css {
		h.cssRounds++
	}
	return h.cssRounds >= cssRounds && h.css
}

// sample takes the latest RTT into the round. All packets of an ACK frame bring
// the same sample, which counts once.
func (h *hystart) sample(now monotime.Time, rtt time.Duration) {
	if rtt <= 0 {
		return
	}
	if h.roundMin == 0 || rtt < h.roundMin {
		h.roundMin = rtt
	}
	if now != h.lastSample {
		h.lastSample = now
		h.samples++
	}
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
