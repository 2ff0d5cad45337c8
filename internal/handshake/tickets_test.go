package handshake

import (
	"bytes"
	"crypto/tls"
	"math"
	"slices"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestIgnoredTickets: a client that resumes no sessions takes tickets in any pieces,
// and nothing else.
func TestIgnoredTickets(t *testing.T) {
	ticket := func(size int) []byte {
		return append([]byte{4, byte(size >> 16), byte(size >> 8), byte(size)}, bytes.Repeat([]byte{9}, size)...)
	}
	good := slices.Concat(ticket(0), ticket(3), ticket(70_000), ticket(1))
	for _, size := range []int{1, 2, 3, 5, 1000, len(good)} {
		serverConfig, clientConfig := testConfigs(t)
		c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
		wantDone(t, c, s)
		if c.conn.quic != nil {
			t.Fatal("crypto/tls's state is kept")
		}
		for piece := range slices.Chunk(good, size) {
			if err := c.conn.HandleData(wire.OneRTTLevel, piece); err != nil {
				t.Fatalf("in pieces of %d: %v", size, err)
			}
		}
		wantAlert(t, c.conn.HandleData(wire.OneRTTLevel, []byte{13, 0, 0, 0}), alertUnexpectedMessage)
	}
	serverConfig, clientConfig := testConfigs(t)
	c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantDone(t, c, s)
	wantAlert(t, c.conn.HandleData(wire.HandshakeLevel, ticket(1)), alertUnexpectedMessage)
}

// TestTicketsAreKept: a client that resumes sessions needs crypto/tls for the tickets.
func TestTicketsAreKept(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	clientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	c, s := connect(t, serverConfig, clientConfig, math.MaxInt)
	wantDone(t, c, s)
	if c.conn.quic == nil {
		t.Error("crypto/tls's state is not kept")
	}
}
