package congestion

import (
	"math"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
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

	// wMax is the window before the last reduction, or less by fast
	// convergence; 0 when there was none or it no longer means anything.
	wMax float64

	// priorSize is the window before the last reduction, which decides how
	// fast wEst grows.
	priorSize float64

	// An epoch is a stretch of congestion avoidance without a reduction.
	inEpoch bool
	elapsed time.Duration // of the epoch, not counting time in which the window was underused
	last    monotime.Time // until when elapsed has counted
	k       float64       // when the epoch gets back to wMax
	wEst    float64       // the window that Reno would have (Section 4.3)
	credit  float64       // growth below one byte not yet applied

	undo *cubicBefore // nil until the first reduction
}

// cubicBefore is what a reduction changes, beyond the window itself.
type cubicBefore struct {
	wMax, priorSize, k, wEst float64
	elapsed                  time.Duration
	inEpoch                  bool
}

// NewCUBIC returns a CUBIC controller for a new path.
func NewCUBIC(cfg Config) Controller {
	return &cubic{window: newWindow(cfg)}
}

func (c *cubic) State() string {
	if c.SlowStart() && c.hystart.css {
		return stateConservativeSlowStart
	}
	return c.window.State()
}

func (c *cubic) SetMaxDatagramSize(n int) {
	scale := float64(c.config.MaxDatagramSize) / float64(n)
	c.wMax *= scale
	c.priorSize *= scale
	c.window.SetMaxDatagramSize(n)
	c.inEpoch = false
}

// OnSent stops the epoch's time while nothing is in flight: otherwise the
// window would leap after a pause (RFC 9438, Section 5.8).
func (c *cubic) OnSent(now monotime.Time, _, inFlight int) {
	if inFlight == 0 {
		c.last = max(c.last, now)
	}
}

func (c *cubic) OnAcked(now monotime.Time, a Acked) {
	switch {
	case !c.mayGrow(&a):
		c.last = now
	case c.SlowStart():
		c.slowStart(now, &a)
	default:
		c.avoidCongestion(now, &a)
	}
}

// slowStart grows the window by what was acknowledged, and watches the delay if
// it is the first slow start (RFC 9406, Section 4.3).
func (c *cubic) slowStart(now monotime.Time, a *Acked) {
	if c.threshold < MaxWindow {
		c.grow(a.Bytes)
		return
	}
	if c.hystart.onAcked(now, a) {
		c.hystart.css = false
		c.threshold = c.size
		return
	}
	c.grow(c.hystart.growth(a.Bytes))
}

// avoidCongestion follows the cubic function of the epoch's time, or what Reno
// would do where that is more (RFC 9438, Sections 4.2 to 4.5).
func (c *cubic) avoidCongestion(now monotime.Time, a *Acked) {
	if !c.inEpoch {
		c.beginEpoch(now)
	}
	c.elapsed += max(0, now.Sub(c.last))
	c.last = now

	size := c.packets()
	acked := float64(a.Bytes) / float64(c.config.MaxDatagramSize)

	alpha := cubicAlpha
	if c.wEst >= c.priorSize {
		alpha = 1
	}
	c.wEst += alpha * acked / size
	if c.function(c.elapsed) < c.wEst {
		c.growBy(c.wEst - size)
		return
	}
	target := min(max(c.function(c.elapsed+a.SmoothedRTT), size), 1.5*size)
	c.growBy((target - size) * acked / size)
}

// growBy grows the window by a number of packets, which may be a fraction of a
// byte.
func (c *cubic) growBy(packets float64) {
	c.credit += max(0, packets) * float64(c.config.MaxDatagramSize)
	whole := math.Floor(min(c.credit, MaxWindow))
	c.credit -= whole
	c.grow(int(whole))
}

func (c *cubic) packets() float64 { return float64(c.size) / float64(c.config.MaxDatagramSize) }

// function is W_cubic: the window, in packets, at a time of the epoch.
func (c *cubic) function(t time.Duration) float64 {
	d := t.Seconds() - c.k
	return cubicC*d*d*d + c.wMax
}

// beginEpoch starts congestion avoidance. After slow start, rather than a
// reduction, the window is on its plateau (RFC 9438, Sections 4.8 and 4.10).
func (c *cubic) beginEpoch(now monotime.Time) {
	size := c.packets()
	c.inEpoch = true
	c.elapsed, c.last = 0, now
	c.wEst, c.credit = size, 0
	c.wMax = max(c.wMax, size)
	c.k = math.Cbrt((c.wMax - size) / cubicC)
}

func (c *cubic) OnLost(now monotime.Time, lostBytes int, largestLostSentAt monotime.Time) {
	c.reduce(now, largestLostSentAt, lostBytes)
}

// OnLate undoes a reduction that had no reason (RFC 9438, Section 4.9).
func (c *cubic) OnLate(now monotime.Time, bytes int, sentAt monotime.Time) {
	if c.arrivedLate(bytes, sentAt) {
		b := c.undo
		c.wMax, c.priorSize, c.k, c.wEst = b.wMax, b.priorSize, b.k, b.wEst
		c.elapsed, c.inEpoch, c.last = b.elapsed, b.inEpoch, now
	}
}

func (c *cubic) OnECN(now, sentAt monotime.Time) { c.reduce(now, sentAt, 0) }

// reduce shrinks the window (RFC 9438, Section 4.6) unless that has already been
// done for a packet sent at sentAt.
func (c *cubic) reduce(now, sentAt monotime.Time, lost int) {
	if c.inRecovery(sentAt) {
		c.lostInRecovery(lost)
		return
	}
	if c.undo == nil {
		c.undo = new(cubicBefore)
	}
	*c.undo = cubicBefore{c.wMax, c.priorSize, c.k, c.wEst, c.elapsed, c.inEpoch}
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

func (c *cubic) OnPersistentCongestion(monotime.Time) {
	c.inEpoch = false
	c.wMax, c.priorSize = 0, 0
	c.collapse()
}
