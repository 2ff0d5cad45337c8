package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// UpdateKeys begins a key update (RFC 9001, Section 6.1). It returns
// ErrKeyUpdateTooSoon before the handshake is confirmed and while an update is
// not acknowledged.
func (c *Conn) UpdateKeys(now monotime.Time) error {
	if c.state != stateEstablished || !c.confirmed() || c.keys.Update() != nil {
		return ErrKeyUpdateTooSoon
	}
	c.counters.KeyUpdates++
	c.traceKeyUpdate(now, quictrace.KeyByLocalUpdate)
	return nil
}

// keysUpdated: the peer began a key phase or answered ours. The previous keys
// stay for packets that come late (RFC 9001, Section 6.5).
func (c *Conn) keysUpdated(now monotime.Time) {
	c.counters.KeyUpdates++
	c.deadlines[slotKeyDiscard] = now.Add(3 * c.loss.PTO())
}

// limitKey updates the keys in time, before they were used too often (RFC 9001,
// Section 6.6).
func (c *Conn) limitKey(now monotime.Time) {
	if err := c.UpdateKeys(now); err != nil && c.keys.Exhausted() {
		c.fail(now, protocolError(wire.AEADLimitReached, 0, "keys used up and no update possible"))
	}
}
