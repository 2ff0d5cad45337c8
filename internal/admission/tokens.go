package admission

import (
	"encoding/binary"
	"sync"
	"time"
)

// UsedTokens is an engine.TokenGuard in little memory, which does not grow: for each of the
// last few spans of time in which tokens were made, a Bloom filter of those that were used.
// So a used token is never new. One that is new may look used, one in a hundred when
// 100,000 made within a span have been used, and half of them when there were 500,000: its
// client is as good as one without, and no worse.
type UsedTokens struct {
	mu    sync.Mutex
	spans [tokenSpans]tokenSpan
}

const (
	// tokenSpanTime is for how long tokens go to one filter, and tokenSpans how many filters
	// there are: enough for all tokens that are good for a day.
	tokenSpanTime = 6 * time.Hour
	tokenSpans    = 5
	// A filter has 1<<20 bits, and each token sets four.
	tokenBits    = 1 << 20
	bitsPerToken = 4

	// MaxUsedTokens is how many bytes UsedTokens takes at most.
	MaxUsedTokens = tokenSpans * tokenBits / 8
)

type tokenSpan struct {
	number int64    // of the span, counted from 1970
	bits   []uint64 // nil before the first use
}

// FirstUse implements engine.TokenGuard.
func (u *UsedTokens) FirstUse(nonce [12]byte, issued time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	number := issued.UnixMilli() / tokenSpanTime.Milliseconds()
	if number < 0 {
		return false
	}
	s := &u.spans[number%tokenSpans]
	switch {
	case s.bits == nil:
		s.bits = make([]uint64, tokenBits/64)
	case number < s.number:
		return false // what was used then is forgotten
	case number > s.number:
		clear(s.bits)
	}
	s.number = number
	first := false
	for i := range bitsPerToken {
		at := binary.LittleEndian.Uint32(nonce[i*5/2:]) >> (i % 2 * 4) % tokenBits // 20 bits of its own
		word, bit := &s.bits[at/64], uint64(1)<<(at%64)
		first = first || *word&bit == 0
		*word |= bit
	}
	return first
}
