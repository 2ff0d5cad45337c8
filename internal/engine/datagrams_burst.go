package engine

import (
	"math"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Receivers of datagrams keep few of what they read at once: Firefox the last ten. So
// DATAGRAM frames leave a few at a time, with a pause between, unless there are so
// many that this cannot be kept up: a sender of more than a browser can read wants them
// to leave as fast as they can.
const (
	// defaultDatagramBurst is how many DATAGRAM frames leave at once.
	defaultDatagramBurst = 8
	// datagramInterval is how often one more of them may leave, a burst in
	// 200 microseconds: the time in which a busy receiver gets to read.
	datagramInterval = 25 * time.Microsecond
	// maxPacedDatagrams is how many may wait for that, and maxDatagramWait for how
	// long there may be some that wait, before all leave as they come: bursts of
	// this length are those of bulk.
	maxPacedDatagrams = 64
	maxDatagramWait   = 50 * time.Millisecond
)

func (c *Config) datagramBurst() int {
	if c.DatagramBurst == 0 {
		return defaultDatagramBurst
	}
	return max(c.DatagramBurst, 0)
}

// datagramBurst decides how many DATAGRAM frames may leave now.
type datagramBurst struct {
	size int // frames that leave at once; 0 for any number
	left int // of the train that is being built

	full  monotime.Time // when a whole burst may leave again
	since monotime.Time // when there began to be always some that wait; zero without
	bulk  bool          // they leave as they come, until they could have left in bursts
}

// begin decides for a train, given how many datagrams wait.
func (b *datagramBurst) begin(now monotime.Time, waiting int) {
	if b.bulk && !b.full.After(now) {
		b.bulk, b.since = false, 0
	}
	switch {
	case waiting == 0:
		b.since = 0
	case b.since.IsZero():
		b.since = now
	}
	if waiting > maxPacedDatagrams || waiting > 0 && now.Sub(b.since) >= maxDatagramWait {
		b.bulk = true
	}
	if b.bulk || b.size == 0 {
		b.left = math.MaxInt
		return
	}
	b.left = b.size - int((max(b.full.Sub(now), 0)+datagramInterval-1)/datagramInterval)
	if b.left < min(waiting, b.size) {
		b.left = 0 // until all of them can leave, or a whole burst
	}
}

// end takes note of how many frames a train has, and of the datagrams that still
// wait. It returns when they may leave, zero when they do not wait for that.
func (b *datagramBurst) end(now monotime.Time, sent, waiting int) (at monotime.Time) {
	if sent > 0 {
		most := b.size
		if b.bulk {
			most = maxPacedDatagrams
		}
		b.full = min(max(b.full, now).Add(time.Duration(sent)*datagramInterval), now.Add(time.Duration(most)*datagramInterval))
	}
	if waiting == 0 || b.bulk || b.size == 0 {
		return 0
	}
	if at = b.full.Add(-datagramInterval * time.Duration(b.size-min(waiting, b.size))); !at.After(now) {
		return 0 // something else holds them back
	}
	return at
}
