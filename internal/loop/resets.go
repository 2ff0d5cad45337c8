package loop

import (
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/wire"
)

// resetTokens are those with which a stateless reset ends a connection of a group's loops.
// In place of a connection ID a reset has random bytes (RFC 9000, Section 10.3), so it comes
// to any of the loops, and only its token says whose it is.
type resetTokens struct {
	count atomic.Int64 // of loop: none is the rule for servers, whose clients seldom have any
	mu    sync.RWMutex
	loop  map[wire.ResetToken]*Loop
}

// watch notes that a loop has a connection that a token ends, or has it no more.
func (r *resetTokens) watch(l *Loop, t wire.ResetToken, watched bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case watched && r.loop == nil:
		r.loop = map[wire.ResetToken]*Loop{t: l}
	case watched:
		r.loop[t] = l
	case r.loop[t] == l:
		delete(r.loop, t)
	}
	r.count.Store(int64(len(r.loop)))
}

// of returns the loop with the connection that a datagram ends if it is a stateless reset,
// nil if there is none.
func (r *resetTokens) of(datagram []byte) *Loop {
	n := len(datagram) - len(wire.ResetToken{})
	if n < 0 || r.count.Load() == 0 {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.loop[wire.ResetToken(datagram[n:])]
}
