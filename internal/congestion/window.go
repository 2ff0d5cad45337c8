package congestion

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// window is what the controllers have in common: a congestion window, a slow
// start threshold and the recovery period.
type window struct {
	config    Config
	size      int // the congestion window
	threshold int // of slow start; MaxWindow before the first reduction

	// recoveryStart is when the last reduction happened. Packets sent until
	// then neither reduce nor grow the window (RFC 9002, Section 7.3.2).
	recoveryStart monotime.Time
	recovering    bool // nothing sent after recoveryStart is acknowledged yet

	// lost are the bytes whose loss was told of the recovery period and that have not
	// arrived since. When none is left, before is restored; less than 0: never.
	lost   int32
	before *windowBefore // nil until the first reduction, as many connections have none
}

// windowBefore is what a reduction changes.
type windowBefore struct {
	size, threshold int
	recoveryStart   monotime.Time
}

func newWindow(cfg Config) window {
	cfg = cfg.withDefaults()
	return window{config: cfg, size: cfg.initialWindow(), threshold: MaxWindow}
}

func (w *window) Window() int     { return w.size }
func (w *window) Threshold() int  { return w.threshold }
func (w *window) SlowStart() bool { return w.size < w.threshold }

func (w *window) State() string {
	switch {
	case w.recovering:
		return stateRecovery
	case w.SlowStart():
		return stateSlowStart
	}
	return stateCongestionAvoidance
}

// SetMaxDatagramSize keeps an untouched initial window in step with the size
// (RFC 9002, Section 7.2).
func (w *window) SetMaxDatagramSize(n int) {
	untouched := w.size == w.config.initialWindow() && w.threshold == MaxWindow
	w.config.MaxDatagramSize = n
	if untouched {
		w.size = w.config.initialWindow()
	}
	w.size = max(w.size, w.minimum())
}

// PacingRate is fast enough not to be what limits the sender when the RTT
// varies: 1.25 windows for each RTT (RFC 9002, Section 7.7), and two in slow
// start, where the window doubles within one.
func (w *window) PacingRate(srtt time.Duration) uint64 {
	if srtt <= 0 {
		return 0
	}
	amount := uint64(w.size) * 5 / 4
	if w.SlowStart() {
		amount = uint64(w.size) * 2
	}
	// amount is below 1<<32, so the product is below 1<<62.
	return max(1, amount*uint64(time.Second)/uint64(srtt))
}

func (w *window) minimum() int { return minWindowPackets * w.config.MaxDatagramSize }

// inRecovery reports whether a packet was sent before or when the window was
// last reduced.
func (w *window) inRecovery(sentAt monotime.Time) bool {
	return !w.recoveryStart.IsZero() && !sentAt.After(w.recoveryStart)
}

// lostInRecovery adds to the losses of the recovery period.
func (w *window) lostInRecovery(bytes int) {
	if w.lost > 0 {
		w.lost += int32(bytes)
	}
}

// arrivedLate takes a packet out of the losses of the recovery period, and reports
// whether that was the last, so that the window is the one of before.
func (w *window) arrivedLate(bytes int, sentAt monotime.Time) (undone bool) {
	if w.lost <= 0 || !w.inRecovery(sentAt) {
		return false
	}
	if w.lost -= int32(bytes); w.lost > 0 {
		return false
	}
	w.size = max(w.size, w.before.size)
	w.threshold = max(w.threshold, w.before.threshold)
	w.recoveryStart = w.before.recoveryStart
	w.recovering = false
	w.lost = 0
	return true
}

// enterRecovery sets window and threshold to size and begins a recovery period. lost
// are the bytes that were the reason, 0 when it was another that cannot be undone.
func (w *window) enterRecovery(now monotime.Time, size, lost int) {
	if w.before == nil {
		w.before = new(windowBefore)
	}
	w.lost, *w.before = int32(lost), windowBefore{w.size, w.threshold, w.recoveryStart}
	w.size = max(size, w.minimum())
	w.threshold = w.size
	w.recoveryStart = now
	w.recovering = true
}

// mayGrow reports whether the packet is a reason to grow the window: it was
// sent after the last reduction, and the window was in use (RFC 9002, Sections
// 7.3.2 and 7.8). It ends the state of recovery.
func (w *window) mayGrow(a *Acked) bool {
	if w.inRecovery(a.SentAt) {
		return false
	}
	w.recovering = false
	return !w.underused(a)
}

// underused reports whether the sender left a part of the window idle.
func (w *window) underused(a *Acked) bool { return a.AppLimited && a.InFlight < w.size }

func (w *window) grow(bytes int) { w.size = min(w.size+bytes, w.config.MaxWindow) }

// collapse reduces the window to its minimum. The recovery period ends, so that
// slow start grows it with the next acknowledgement (RFC 9002, Appendix B.8).
func (w *window) collapse() {
	w.size = w.minimum()
	w.recoveryStart = 0
	w.recovering = false
	w.lost = 0
}
