package congestion

import (
	"math"
	"time"
)

// The constants of RFC 9438, Sections 4.1, 4.3 and 4.6.
const (
	cubicC     = 0.4 // growth, in packets per second cubed
	cubicBeta  = 0.7 // what a reduction leaves of the window
	cubicAlpha = 3 * (1 - cubicBeta) / (1 + cubicBeta)
)

// cubic is CUBIC with HyStart++. As the RFC does, it computes in packets of the
// maximum datagram size and in seconds.
type cubic struct {
	window
	hystart hystart
	cubicState
	last     time.Duration // until when elapsed has counted
	credit   float32       // growth below one byte not yet applied
	inEpoch  bool
	wasEpoch bool       // inEpoch before the last reduction
	undo     cubicState // before the last reduction
}

// cubicState is what a reduction changes, beyond the window itself and whether there is
// an epoch.
type cubicState struct {
	// wMax is the window before the last reduction, or less by fast
	// convergence; 0 when there was none or it no longer means anything.
	wMax float64

	// priorSize is the window before the last reduction, which decides how
	// fast wEst grows.
	priorSize float64

	// An epoch is a stretch of congestion avoidance without a reduction.
	elapsed time.Duration // of the epoch, not counting time in which the window was underused
	k       float64       // when the epoch gets back to wMax
	wEst    float64       // the window that Reno would have (Section 4.3)
}

// NewCUBIC returns a CUBIC controller (RFC 9438) with HyStart++ (RFC 9406) for a new path.
func NewCUBIC(cfg Config) Controller {
	return &cubic{window: newWindow(cfg)}
}

// Metrics implements Controller.
func (c *cubic) Metrics() Metrics {
	m := c.window.Metrics()
	if c.slowStart() && c.hystart.css {
		m.State = stateConservativeSlowStart
	}
	return m
}

// SetMaxDatagramSize implements Controller.
func (c *cubic) SetMaxDatagramSize(bytes int) {
	scale := float64(c.datagram) / float64(bytes)
	c.wMax *= scale
	c.priorSize *= scale
	c.window.SetMaxDatagramSize(bytes)
	c.inEpoch = false
}

// OnSent stops the epoch's time while nothing is in flight: otherwise the
// window would leap after a pause (RFC 9438, Section 5.8).
func (c *cubic) OnSent(s *Sent) {
	if s.InFlight == 0 {
		c.last = max(c.last, s.Now)
	}
}

// OnFeedback implements Controller. The package's comment says why in this order.
func (c *cubic) OnFeedback(f *Feedback) {
	c.rtt = f.SmoothedRTT
	if c.arrivedLate(f.Late) { // the reduction had no reason (RFC 9438, Section 4.9)
		c.cubicState, c.inEpoch, c.last = c.undo, c.wasEpoch, f.Now
	}
	if len(f.Acked) > 0 {
		c.arrived(f)
	}
	if f.Marked > 0 {
		c.reduce(f.Now, f.MarkedSentAt, 0)
	}
	if len(f.Lost) > 0 {
		c.reduce(f.Now, lastSent(f.Lost), f.LostBytes)
	}
	if f.Persistent {
		c.inEpoch = false
		c.wMax, c.priorSize = 0, 0
		c.collapse()
	}
}

// arrived grows the window.
func (c *cubic) arrived(f *Feedback) {
	bytes := c.reason(f)
	if bytes > 0 && c.slowStart() {
		bytes = c.growFast(f, bytes)
	}
	if bytes > 0 {
		c.avoidCongestion(f, bytes)
	} else {
		c.last = f.Now
	}
}

// growFast grows the window by what was acknowledged, watches the delay if it is the
// first slow start (RFC 9406, Section 4.3), and returns the bytes that are left for
// congestion avoidance.
func (c *cubic) growFast(f *Feedback, bytes int) (left int) {
	if c.threshold < MaxWindow {
		return c.growSlowStart(bytes)
	}
	if c.hystart.onAcked(f) {
		c.hystart.css = false
		c.threshold = c.size
		return bytes
	}
	c.grow(c.hystart.growth(bytes))
	return 0
}

// avoidCongestion follows the cubic function of the epoch's time, or what Reno
// would do where that is more (RFC 9438, Sections 4.2 to 4.5).
func (c *cubic) avoidCongestion(f *Feedback, bytes int) {
	if !c.inEpoch {
		c.beginEpoch(f.Now)
	}
	c.elapsed += max(0, f.Now-c.last)
	c.last = f.Now

	size := c.packets()
	acked := float64(bytes) / float64(c.datagram)

	alpha := cubicAlpha
	if c.wEst >= c.priorSize {
		alpha = 1
	}
	c.wEst += alpha * acked / size
	if c.function(c.elapsed) < c.wEst {
		c.growBy(c.wEst - size)
		return
	}
	target := min(max(c.function(c.elapsed+f.SmoothedRTT), size), 1.5*size)
	c.growBy((target - size) * acked / size)
}

// growBy grows the window by a number of packets, which may be a fraction of a
// byte.
func (c *cubic) growBy(packets float64) {
	bytes := min(float64(c.credit)+max(0, packets)*float64(c.datagram), MaxWindow)
	whole := math.Floor(bytes)
	c.credit = float32(bytes - whole)
	c.grow(int(whole))
}

func (c *cubic) packets() float64 { return float64(c.size) / float64(c.datagram) }

// function is W_cubic: the window, in packets, at a time of the epoch.
func (c *cubic) function(t time.Duration) float64 {
	d := t.Seconds() - c.k
	return cubicC*d*d*d + c.wMax
}

// beginEpoch starts congestion avoidance. After slow start, rather than a
// reduction, the window is on its plateau (RFC 9438, Sections 4.8 and 4.10).
func (c *cubic) beginEpoch(now time.Duration) {
	size := c.packets()
	c.inEpoch = true
	c.elapsed, c.last = 0, now
	c.wEst, c.credit = size, 0
	c.wMax = max(c.wMax, size)
	c.k = math.Cbrt((c.wMax - size) / cubicC)
}

// reduce shrinks the window (RFC 9438, Section 4.6) unless that has already been
// done for a packet sent at sentAt.
func (c *cubic) reduce(now, sentAt time.Duration, lost int) {
	if c.inRecovery(sentAt) {
		c.lostInRecovery(lost)
		return
	}
	c.undo, c.wasEpoch = c.cubicState, c.inEpoch
	size := c.packets()
	c.priorSize = size
	// Fast convergence: another flow has come, leave it room (Section 4.7).
	if size < c.wMax {
		c.wMax = size * (1 + cubicBeta) / 2
	} else {
		c.wMax = size
	}
	c.inEpoch = false
	c.hystart.css = false
	c.enterRecovery(now, int(float64(c.size)*cubicBeta), lost)
}
