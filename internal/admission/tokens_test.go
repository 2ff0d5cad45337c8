package admission

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
)

var _ engine.TokenGuard = (*UsedTokens)(nil)

// nonces returns a source of tokens' nonces.
func nonces() func() [12]byte {
	source := rand.NewChaCha8([32]byte{1})
	return func() (nonce [12]byte) {
		_, _ = source.Read(nonce[:])
		return nonce
	}
}

// A token is new once, whatever others were used meanwhile, as long as tokens are good.
func TestUsedTokens(t *testing.T) {
	var u UsedTokens
	next, start := nonces(), time.UnixMilli(1_800_000_000_000)
	type token struct {
		nonce  [12]byte
		issued time.Time
	}
	var used []token
	refused := 0
	const hours, each = 24, 2000
	for i := range hours * each {
		x := token{next(), start.Add(time.Duration(i) * time.Hour / each)}
		if !u.FirstUse(x.nonce, x.issued) {
			refused++
		}
		used = append(used, x)
	}
	if refused > len(used)/1000 { // four in a million are to be expected
		t.Errorf("%d new tokens of %d look used", refused, len(used))
	}
	for _, x := range used {
		if u.FirstUse(x.nonce, x.issued) {
			t.Fatalf("a token made at %v is new twice", x.issued)
		}
	}
}

// What was made so long ago that it may have been used and forgotten is not new; and time
// goes on.
func TestUsedTokensForget(t *testing.T) {
	var u UsedTokens
	next, start := nonces(), time.UnixMilli(1_800_000_000_000)
	for i := range 100 {
		if !u.FirstUse(next(), start.Add(time.Duration(i)*tokenSpanTime)) {
			t.Errorf("span %d: a new token looks used", i)
		}
	}
	if u.FirstUse(next(), start.Add((99-tokenSpans)*tokenSpanTime)) {
		t.Error("a token is new that may have been forgotten")
	}
	if u.FirstUse(next(), time.UnixMilli(-1<<50)) {
		t.Error("a token from before 1970 is new")
	}
	bytes := 0
	for i := range u.spans {
		bytes += len(u.spans[i].bits) * 8
	}
	if bytes > MaxUsedTokens {
		t.Errorf("takes %d bytes, more than %d", bytes, MaxUsedTokens)
	}
}

// Whoever uses very many tokens makes new ones look used, and never used ones new.
func TestUsedTokensFull(t *testing.T) {
	var u UsedTokens
	next, at := nonces(), time.UnixMilli(1_800_000_000_000)
	refused := 0
	for range 500_000 {
		u.FirstUse(next(), at)
	}
	const sample = 1000
	for range sample {
		if !u.FirstUse(next(), at) {
			refused++
		}
	}
	if refused < sample*4/10 || refused > sample*6/10 {
		t.Errorf("%d of %d new tokens look used after 500,000", refused, sample)
	}
	if !u.FirstUse(next(), at.Add(tokenSpanTime)) {
		t.Error("a token of the next span looks used")
	}
}
