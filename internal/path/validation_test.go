package path

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestChallengesBackOff: nobody is challenged more often than an Initial packet would be
// sent again (RFC 9000, Section 8.2.1), and not for ever.
func TestChallengesBackOff(t *testing.T) {
	const pto = 100 * time.Millisecond
	p := New(addrs(1, 1), new(Estimates))
	now := monotime.Time(time.Hour)
	begun := now
	p.Challenge(now, wire.PathData{1}, pto)
	var sent []time.Duration
	for {
		if _, due := p.ChallengeDue(); due {
			sent = append(sent, now.Sub(begun))
			p.ChallengeSent(now, pto)
		}
		now = p.Deadline()
		if p.Expire(now) {
			break
		}
	}
	if want := []time.Duration{0, pto, 3 * pto, 7 * pto, 15 * pto}; !slices.Equal(sent, want) {
		t.Errorf("challenges at %v, want %v", sent, want)
	}
	if p.Challenging() || !p.Deadline().IsZero() {
		t.Error("a challenge that failed is still there")
	}
}
