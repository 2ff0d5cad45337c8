package h3

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

const (
	// churnBurst is how much useless work a peer may cause at once. A browser
	// that leaves a page cancels a few hundred requests in one go.
	churnBurst = 500
	// churnInterval is how often one more such act is forgiven: a hundred in a
	// second cost this end next to nothing.
	churnInterval = 10 * time.Millisecond
)

// churn counts what a peer does that costs this end work and gets the peer
// nothing: requests opened and reset, frames on the control stream, streams of
// unknown types (RFC 9114, Section 10.5; CVE-2023-44487 for HTTP/2). It is a
// bucket that leaks with time and with every request.
type churn struct {
	level int
	last  monotime.Time // up to when the leak is accounted for
}

// add counts one act and reports whether it is one too many.
func (c *churn) add(now monotime.Time) (tooMuch bool) {
	if c.level == 0 {
		c.last = now // which may be any time at first
	}
	leaked := now.Sub(c.last) / churnInterval
	if leaked >= time.Duration(c.level) {
		c.level, c.last = 0, now
	} else {
		c.level -= int(leaked)
		c.last = c.last.Add(leaked * churnInterval)
	}
	c.level++
	return c.level > churnBurst
}

// forgive takes one act off, for a request that was of use.
func (c *churn) forgive() { c.level = max(0, c.level-1) }
