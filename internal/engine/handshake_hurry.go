package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxHurries bounds how often a connection sends its handshake bytes again before
// their probe timeout (RFC 9002, Section 6.2.3: a limited number of times).
const maxHurries = 4

// hurryHandshake sends what waits for an acknowledgment in the handshake again: the
// peer shows that it has not got it. A probe timeout is a second while no round trip
// was measured (RFC 9002, Section 6.2.3). Limits for addresses that are not validated
// hold for this as for everything.
func (c *Conn) hurryHandshake(now monotime.Time) {
	if c.hs == nil || c.hs.hurries == maxHurries {
		return
	}
	any := false
	for id := range wire.AppSpace {
		if c.canSeal(id.CryptoLevel()) && c.resendOldest(now, id, maxHurried) {
			c.hs.spaces[id].probes = maxProbes
			any = true
		}
	}
	if any {
		c.hs.hurries++
	}
}

// maxHurried is how many packets of a space are sent again at once: what fits three
// full datagrams, which is all that an address that is not validated may get for one.
const maxHurried = path.AmplificationFactor
