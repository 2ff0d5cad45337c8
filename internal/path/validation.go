package path

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// AmplificationFactor is how much more than was received from an unvalidated address
// may be sent to it (RFC 9000, Section 8).
const AmplificationFactor = 3

// giveUpAfter is the time after which an unanswered challenge has failed, in probe
// timeouts (RFC 9000, Section 8.2.4).
const giveUpAfter = 3

// initialPTO is the probe timeout of a path of which nothing is known, in which no answer
// is awaited in vain (the same section).
const initialPTO = 3 * recovery.InitialRTT

// maxBackoff bounds the doubling of the time between challenges.
const maxBackoff = 10

// validation is how far it is known whether the peer is at an address (RFC 9000,
// Section 8.2).
type validation struct {
	received, sent uint64 // bytes, while the address is not validated
	trusted        bool   // nobody can have named the address to do somebody else harm: see Trust

	challenge wire.PathData // of our PATH_CHALLENGE
	state     challengeState
	times     uint8         // how often it was sent
	small     bool          // not each time in a full datagram
	repeatAt  monotime.Time // when it is due again
	giveUpAt  monotime.Time // when validation fails
}

// challengeState is where a PATH_CHALLENGE is. It is answered by its data, not by the
// acknowledgment of its packet (RFC 9000, Section 8.2.3).
type challengeState uint8

const (
	challengeNone challengeState = iota
	challengeDue
	challengeSent
)

// Validated reports whether the peer was shown to be at the path's address.
func (p *Path) Validated() bool { return p.validated }

// Validate notes that the peer is at the path's address.
func (p *Path) Validate() { p.validated, p.validation, p.failed = true, nil, false }

// Failed reports whether the last challenge had no answer, though one before it may have
// had.
func (p *Path) Failed() bool { return p.failed }

// Trust ends the limit on what is sent to the address though the path is not validated: the
// peer is there, as is known from another path, or has named the address itself, and what
// is not known is whether this way leads there (RFC 9000, Section 9.2).
func (p *Path) Trust() {
	if p.validation != nil {
		p.validation.trusted = true
	}
}

// Allowance returns how many bytes may be sent before more arrives.
func (p *Path) Allowance() uint64 {
	if !p.validated && p.validation.trusted {
		return ^uint64(0)
	}
	return p.Earned()
}

// Earned is Allowance of a path that is not trusted: for what a peer asks for.
func (p *Path) Earned() uint64 {
	if p.validated {
		return ^uint64(0)
	}
	limit := p.validation.received * AmplificationFactor
	return limit - min(limit, p.validation.sent)
}

// Received counts a datagram that came on the path.
func (p *Path) Received(n int) {
	if !p.validated {
		p.validation.received += uint64(n)
	}
}

// Sent counts a datagram that leaves on the path.
func (p *Path) Sent(n int) {
	if !p.validated {
		p.validation.sent += uint64(n)
	}
}

// Challenge begins to ask whether the peer is at the address. pto is the longer of the
// probe timeouts of the path in use and of this one.
func (p *Path) Challenge(now monotime.Time, data wire.PathData, pto time.Duration) {
	if p.validation == nil {
		p.validation = new(validation)
	}
	v := p.validation
	v.challenge, v.state, v.times, v.small = data, challengeDue, 0, false
	v.giveUpAt = now.Add(giveUpAfter * max(pto, initialPTO))
}

// Challenging reports whether an answer is waited for.
func (p *Path) Challenging() bool { return p.validation != nil && p.validation.state != challengeNone }

// ChallengeDue returns the data of a PATH_CHALLENGE that must be sent.
func (p *Path) ChallengeDue() (wire.PathData, bool) {
	if p.validation == nil || p.validation.state != challengeDue {
		return wire.PathData{}, false
	}
	return p.validation.challenge, true
}

// ChallengeSent notes that it was sent, and that it is due again later: after pto, and
// twice that each time, as an Initial packet would be (RFC 9000, Section 8.2.1).
func (p *Path) ChallengeSent(now monotime.Time, pto time.Duration) {
	v := p.validation
	v.state, v.repeatAt = challengeSent, now.Add(max(pto, time.Millisecond)<<min(v.times, maxBackoff))
	v.times++
}

// SentSmall notes that the challenge left in a datagram that was not a full one, as no more
// may be sent to the address.
func (p *Path) SentSmall() { p.validation.small = true }

// Small reports whether an answer to the challenge shows that the peer is at the address, and
// not that full datagrams get there (RFC 9000, Section 8.2.1).
func (p *Path) Small() bool { return p.validation != nil && p.validation.small }

// Answers reports whether the data of a PATH_RESPONSE is that of the path's challenge.
func (p *Path) Answers(data wire.PathData) bool {
	return p.Challenging() && p.validation.challenge == data
}

// EndChallenge stops asking; what was known of the address stays.
func (p *Path) EndChallenge() {
	if p.validated {
		p.validation = nil
	} else {
		p.validation.state = challengeNone
	}
}

// Deadline returns when Expire must be called, zero for never.
func (p *Path) Deadline() monotime.Time {
	if p.validation == nil || p.validation.state != challengeSent {
		return 0
	}
	return p.validation.repeatAt
}

// CheckInvariants returns what is not as it must be, for tests.
func (p *Path) CheckInvariants() error {
	switch v := p.validation; {
	case !p.validated && !v.trusted && v.sent > AmplificationFactor*v.received:
		return fmt.Errorf("sent %d bytes for %d to an address not validated", v.sent, v.received)
	case p.InFlight() < 0:
		return fmt.Errorf("%d bytes in flight", p.InFlight())
	}
	return nil
}

// Expire makes the challenge due again, or ends it and reports that it failed.
func (p *Path) Expire(now monotime.Time) (failed bool) {
	if at := p.Deadline(); at.IsZero() || at.After(now) {
		return false
	}
	if now.Before(p.validation.giveUpAt) {
		p.validation.state = challengeDue
		return false
	}
	p.EndChallenge()
	p.failed = true
	return true
}
