package quic

import (
	"math"

	"github.com/godwit-quic/godwit/internal/admission"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// Defaults of TransportConfig's limits.
const (
	defaultMaxBufferedBytes = 128 << 20
	defaultMaxConnections   = 16384
	defaultMaxHandshakes    = 4096
	defaultRetryThreshold   = 256
)

// maxPlaces is more clients than there can be.
const maxPlaces = math.MaxInt32

// admission returns the limits for clients.
func (tc *TransportConfig) admission() admission.Limits {
	l := admission.Limits{
		RetryAbove: limitOr(tc.RetryThreshold, defaultRetryThreshold),
		Handshakes: limitOr(tc.MaxHandshakes, defaultMaxHandshakes),
		Conns:      limitOr(tc.MaxConnections, defaultMaxConnections),
	}
	l.HandshakesPerSource = limitOr(tc.MaxHandshakesPerSource, ofOneSource(l.Handshakes))
	l.ConnsPerSource = limitOr(tc.MaxConnectionsPerSource, ofOneSource(l.Conns))
	return l
}

// limitOr returns a limit that is configured as n: zero means the default, negative
// none.
func limitOr(n, byDefault int) int {
	switch {
	case n < 0:
		return maxPlaces
	case n == 0:
		return byDefault
	}
	return min(n, maxPlaces)
}

// ofOneSource is how many of n one source may have by default: the rest is for
// others.
func ofOneSource(n int) int { return n - n/4 }

// memory returns the budget for buffers, nil for none.
func (tc *TransportConfig) memory() *streambuf.Memory {
	switch n := tc.MaxBufferedBytes; {
	case n < 0:
		return nil
	case n == 0:
		return streambuf.NewMemory(defaultMaxBufferedBytes)
	default:
		return streambuf.NewMemory(n)
	}
}
