package congestion

import (
	"time"
)

// window is what NewReno and CUBIC have in common: a congestion window, a slow start
// threshold and the recovery period. Sizes are in bytes, and at most MaxWindow.
type window struct {
	size      int32 // the congestion window
	threshold int32 // of slow start; MaxWindow before the first reduction
	most      int32 // the size that the window does not exceed
	datagram  int32 // the largest size of one

	initialPackets int16
	recovering     bool // nothing sent after recoveryStart is acknowledged yet

	// lost are the bytes whose loss was told of the recovery period and that have not
	// arrived since. When none is left, before is restored; less than 0: never.
	lost   int32
	before windowBefore

	// recoveryStart is when the last reduction happened. Packets sent until
	// then neither reduce nor grow the window (RFC 9002, Section 7.3.2).
	recoveryStart time.Duration

	rtt time.Duration // the average, 0 when there is none
}

// windowBefore is what a reduction changes.
type windowBefore struct {
	size, threshold int32
	recoveryStart   time.Duration
}

func newWindow(cfg Config) window {
	cfg = cfg.withDefaults()
	w := window{
		threshold: MaxWindow, most: int32(cfg.MaxWindow), datagram: int32(cfg.MaxDatagramSize),
		initialPackets: int16(min(cfg.InitialWindow, maxInitialPackets)),
	}
	w.size = w.initial()
	return w
}

// maxInitialPackets is above what any path takes at once.
const maxInitialPackets = 1 << 14

// initial returns the window of a new path (RFC 9002, Section 7.2).
func (w *window) initial() int32 {
	size := int32(w.initialPackets) * min(w.datagram, initialPacketBytes)
	return min(max(size, w.minimum()), w.most)
}

// Window implements Controller.
func (w *window) Window() int { return int(w.size) }

// SendQuantum implements Controller.
func (w *window) SendQuantum() int { return 0 }

func (w *window) slowStart() bool { return w.size < w.threshold }

// Metrics implements Controller.
func (w *window) Metrics() Metrics {
	m := Metrics{State: stateCongestionAvoidance}
	if w.threshold < MaxWindow {
		m.Threshold = int(w.threshold)
	}
	switch {
	case w.recovering:
		m.State = stateRecovery
	case w.slowStart():
		m.State = stateSlowStart
	}
	return m
}

// The names of Metrics.State.
const (
	stateSlowStart             = "slow_start"
	stateConservativeSlowStart = "conservative_slow_start"
	stateCongestionAvoidance   = "congestion_avoidance"
	stateRecovery              = "recovery"
)

// SetMaxDatagramSize keeps an untouched initial window in step with the size
// (RFC 9002, Section 7.2).
func (w *window) SetMaxDatagramSize(bytes int) {
	untouched := w.size == w.initial() && w.threshold == MaxWindow
	w.datagram = int32(bytes)
	if untouched {
		w.size = w.initial()
	}
	w.size = max(w.size, w.minimum())
}

// PacingRate is fast enough not to be what limits the sender when the RTT
// varies: 1.25 windows for each RTT (RFC 9002, Section 7.7), and two in slow
// start, where the window doubles within one.
func (w *window) PacingRate() uint64 {
	if w.rtt <= 0 {
		return 0
	}
	amount := uint64(w.size) * 5 / 4
	if w.slowStart() {
		amount = uint64(w.size) * 2
	}
	// amount is below 1<<32, so the product is below 1<<62.
	return max(1, amount*uint64(time.Second)/uint64(w.rtt))
}

func (w *window) minimum() int32 { return minWindowPackets * w.datagram }

// inRecovery reports whether a packet was sent before or when the window was
// last reduced.
func (w *window) inRecovery(sentAt time.Duration) bool {
	return w.recoveryStart != 0 && sentAt <= w.recoveryStart
}

// lostInRecovery adds to the losses of the recovery period.
func (w *window) lostInRecovery(bytes int) {
	if w.lost > 0 {
		w.lost += int32(bytes)
	}
}

// arrivedLate takes packets out of the losses of the recovery period, and reports
// whether they were the last, so that the window is the one of before.
func (w *window) arrivedLate(late []Packet) (undone bool) {
	for i := range late {
		if p := &late[i]; w.lost > 0 && w.inRecovery(p.SentAt) {
			if w.lost -= int32(p.Bytes); w.lost <= 0 {
				w.restore()
				undone = true
			}
		}
	}
	return undone
}

func (w *window) restore() {
	w.size = max(w.size, w.before.size)
	w.threshold = max(w.threshold, w.before.threshold)
	w.recoveryStart = w.before.recoveryStart
	w.recovering = false
	w.lost = 0
}

// enterRecovery sets window and threshold to size and begins a recovery period. lost
// are the bytes that were the reason, 0 when it was another that cannot be undone.
func (w *window) enterRecovery(now time.Duration, size, lost int) {
	w.lost, w.before = int32(lost), windowBefore{w.size, w.threshold, w.recoveryStart}
	w.size = max(int32(size), w.minimum())
	w.threshold = w.size
	w.recoveryStart = now
	w.recovering = true
}

// reason returns how many of the acknowledged bytes are a reason to grow the window:
// they were sent after the last reduction, and the window was in use (RFC 9002, Sections
// 7.3.2 and 7.8). A window that was not half used says nothing about the path, whatever
// held the sender back. It ends the state of recovery.
func (w *window) reason(f *Feedback) (bytes int) {
	size := int(w.size)
	unused := 2*f.PriorInFlight < size
	full := f.PriorInFlight >= size
	for i := range f.Acked {
		p := &f.Acked[i]
		if w.inRecovery(p.SentAt) {
			continue
		}
		w.recovering = false
		if !unused && (full || !p.Underused) {
			bytes += p.Bytes
		}
	}
	return bytes
}

func (w *window) grow(bytes int) { w.size = int32(min(int(w.size)+bytes, int(w.most))) }

// growSlowStart grows the window by bytes up to the threshold, and returns what is left of
// them.
func (w *window) growSlowStart(bytes int) (left int) {
	n := min(bytes, int(w.threshold-w.size))
	w.grow(n)
	return bytes - n
}

// collapse reduces the window to its minimum. The recovery period ends, so that
// slow start grows it with the next acknowledgement (RFC 9002, Appendix B.8).
func (w *window) collapse() {
	w.size = w.minimum()
	w.recoveryStart = 0
	w.recovering = false
	w.lost = 0
}

// lastSent returns when the last of some packets was sent.
func lastSent(packets []Packet) (at time.Duration) {
	for i := range packets {
		at = max(at, packets[i].SentAt)
	}
	return at
}
