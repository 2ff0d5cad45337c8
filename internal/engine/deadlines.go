package engine

import "github.com/godwit-quic/godwit/internal/monotime"

// deadlineSlot names one thing a connection waits for.
type deadlineSlot uint8

const (
	slotIdle       deadlineSlot = iota // nothing arrived for too long
	slotHandshake                      // the handshake takes too long
	slotLoss                           // a packet counts as lost, or a probe is due
	slotAck                            // a delayed acknowledgment is due
	slotPacing                         // the pacer allows the next packets
	slotKeyDiscard                     // the previous key phase's keys go
	slotPath                           // a path validation is repeated or given up
	slotClose                          // the closing or draining period is over
	slotKeepAlive                      // a PING keeps the connection alive
	slotTrim                           // a quiet connection gives memory back
	numSlots
)

// deadlines is the connection's table of deadlines, zero where none is set.
type deadlines [numSlots]monotime.Time

// next returns the earliest deadline, zero when there is none.
func (d *deadlines) next() (at monotime.Time) {
	for _, t := range d {
		at = monotime.Earliest(at, t)
	}
	return at
}

// take reports whether a slot is due, and clears it then.
func (d *deadlines) take(slot deadlineSlot, now monotime.Time) bool {
	if t := d[slot]; t.IsZero() || t.After(now) {
		return false
	}
	d[slot] = 0
	return true
}
