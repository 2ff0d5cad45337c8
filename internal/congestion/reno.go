package congestion

import "github.com/godwit-quic/godwit/internal/monotime"

// reno is the controller that RFC 9002, Section 7, describes.
type reno struct {
	window
	acked int // bytes acknowledged towards the next packet of growth
}

// NewReno returns a NewReno controller for a new path.
func NewReno(cfg Config) Controller {
	return &reno{window: newWindow(cfg)}
}

func (r *reno) OnSent(monotime.Time, int, int) {}

func (r *reno) OnAcked(_ monotime.Time, a Acked) {
	if !r.mayGrow(&a) {
		return
	}
	if r.SlowStart() {
		r.grow(a.Bytes)
		return
	}
	// One packet for each window of bytes (RFC 9002, Section 7.3.3).
	r.acked += a.Bytes
	if r.acked >= r.size {
		r.acked -= r.size
		r.grow(r.config.MaxDatagramSize)
	}
}

func (r *reno) OnLost(now monotime.Time, lostBytes int, largestLostSentAt monotime.Time) {
	r.reduce(now, largestLostSentAt, lostBytes)
}

func (r *reno) OnLate(_ monotime.Time, bytes int, sentAt monotime.Time) {
	r.arrivedLate(bytes, sentAt)
}

func (r *reno) OnECN(now, sentAt monotime.Time) { r.reduce(now, sentAt, 0) }

// reduce halves the window unless that has already been done for a packet sent
// at sentAt.
func (r *reno) reduce(now, sentAt monotime.Time, lost int) {
	if r.inRecovery(sentAt) {
		r.lostInRecovery(lost)
		return
	}
	r.acked = 0
	r.enterRecovery(now, r.size/2, lost)
}

func (r *reno) OnPersistentCongestion(monotime.Time) {
	r.acked = 0
	r.collapse()
}
