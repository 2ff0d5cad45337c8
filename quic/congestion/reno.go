package congestion

import "time"

// reno is the controller that RFC 9002, Section 7, describes.
type reno struct {
	window
	acked int // bytes acknowledged towards the next packet of growth
}

// NewReno returns a NewReno controller (RFC 9002, Section 7) for a new path.
func NewReno(cfg Config) Controller {
	return &reno{window: newWindow(cfg)}
}

// OnSent implements Controller.
func (r *reno) OnSent(*Sent) {}

// OnFeedback implements Controller. The package's comment says why in this order.
func (r *reno) OnFeedback(f *Feedback) {
	r.rtt = f.SmoothedRTT
	r.arrivedLate(f.Late)
	r.arrived(f)
	if f.Marked > 0 {
		r.reduce(f.Now, f.MarkedSentAt, 0)
	}
	if len(f.Lost) > 0 {
		r.reduce(f.Now, lastSent(f.Lost), f.LostBytes)
	}
	if f.Persistent {
		r.acked = 0
		r.collapse()
	}
}

// arrived grows the window.
func (r *reno) arrived(f *Feedback) {
	bytes := r.reason(f)
	if r.slowStart() {
		bytes = r.growSlowStart(bytes)
	}
	// One packet for each window of bytes (RFC 9002, Section 7.3.3).
	r.acked += bytes
	for r.acked >= int(r.size) {
		r.acked -= int(r.size)
		r.grow(int(r.datagram))
	}
}

// reduce halves the window unless that has already been done for a packet sent
// at sentAt.
func (r *reno) reduce(now, sentAt time.Duration, lost int) {
	if r.inRecovery(sentAt) {
		r.lostInRecovery(lost)
		return
	}
	r.acked = 0
	r.enterRecovery(now, int(r.size)/2, lost)
}
