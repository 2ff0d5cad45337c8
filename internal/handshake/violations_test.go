package handshake

import (
	"bytes"
	"crypto/tls"
	"errors"
	"math"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestViolations: what breaks QUIC's rules for TLS is told apart from what TLS refuses by
// itself, though crypto/tls has an alert for either (RFC 9001, Sections 4.1.3, 4.4 and 4.6.1).
func TestViolations(t *testing.T) {
	// established returns a client, with or without a cache of sessions.
	established := func(cache tls.ClientSessionCache) *end {
		serverConfig, clientConfig := testConfigs(t)
		clientConfig.ClientSessionCache = cache
		c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
		wantDone(t, c, s)
		return c
	}
	ticket := func(early uint32) []byte {
		b := []byte{newSessionTicket, 0, 0, 0}
		b = append(b, 0, 0, 0, 60, 1, 2, 3, 4)   // lifetime and age_add
		b = append(b, 1, 7, 0, 3, 'a', 'b', 'c') // nonce and ticket
		b = append(b, 0, 8, 0, extEarlyData, 0, 4, byte(early>>24), byte(early>>16), byte(early>>8), byte(early))
		b[3] = byte(len(b) - messageHeader)
		return b
	}
	hear := func(c *end, message ...byte) error { return c.finish(c.conn.HandleData(wire.OneRTTLevel, message)) }
	for name, tt := range map[string]struct {
		err  func() error
		want bool
	}{
		"bytes left at the end of a level": {func() error {
			c, s := halfway(t, nil)
			return c.finish(c.conn.HandleData(wire.InitialLevel, append(bytes.Clone(s.out[0].Data), 8, 0, 0, 0)))
		}, true},
		"a request for a certificate": {func() error {
			return hear(established(nil), certificateRequest, 0, 0, 3, 0, 0, 0)
		}, true},
		"one to who keeps tickets": {func() error {
			return hear(established(tls.NewLRUClientSessionCache(1)), certificateRequest, 0, 0, 3, 0, 0, 0)
		}, true},
		"a ticket for little early data": {func() error {
			return hear(established(tls.NewLRUClientSessionCache(1)), ticket(5)...)
		}, true},
		"an update of keys": {func() error {
			return hear(established(tls.NewLRUClientSessionCache(1)), 24, 0, 0, 1, 0)
		}, false},
		"another message": {func() error {
			return hear(established(nil), 1, 0, 0, 0)
		}, false},
	} {
		err := tt.err()
		var alert *engine.TLSAlert
		if !errors.As(err, &alert) || alert.Violation != tt.want {
			t.Errorf("%s: %v, want a violation: %v", name, err, tt.want)
		}
	}
	if err := hear(established(tls.NewLRUClientSessionCache(1)), ticket(1<<32-1)...); err != nil {
		t.Errorf("a good ticket: %v", err)
	}
}
