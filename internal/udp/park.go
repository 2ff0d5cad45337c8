package udp

import (
	"sync/atomic"
	"time"
)

// The owner of a socket is in one of three states.
const (
	awake  int32 = iota // not blocked; a Wake need only leave a note
	parked              // blocked, or about to be, until the read deadline
	woken               // a Wake came that no Recv has answered yet
)

// longAgo is a deadline that has passed whatever the clock says.
var longAgo = time.Unix(1, 0)

// parker lets one goroutine, the owner, block on a socket until a deadline and
// any other end that early. The socket's read deadline serves for both, as the
// one timer of an event loop.
//
// The owner sets the deadline only before it declares itself parked, and a
// waker only after it has seen that, so a waker's deadline is never overwritten
// before the owner has come back. A slow waker's may arrive after that: then a
// later wait ends early, which Recv allows.
type parker struct {
	state       atomic.Int32
	setDeadline func(time.Time) error // the socket's

	// Of the owner alone: the deadline that the socket has, unless a waker
	// may have changed it.
	armed   time.Time
	isArmed bool
}

// enter declares the owner parked until deadline, zero for none. It returns
// false if a Wake is waiting for an answer, so that the owner must not block.
// leave must follow in both cases.
func (p *parker) enter(deadline time.Time) bool {
	if p.state.Load() == woken {
		return false
	}
	if !p.isArmed || !p.armed.Equal(deadline) {
		// An error means that the socket is closed; reading says so, too.
		_ = p.setDeadline(deadline)
		p.armed, p.isArmed = deadline, true
	}
	return p.state.CompareAndSwap(awake, parked)
}

// leave declares the owner awake and answers all Wakes so far.
func (p *parker) leave() {
	if p.state.Swap(awake) == woken {
		p.isArmed = false
	}
}

// forget makes the next enter set the deadline, as after a wait that ended for
// a deadline which may have been a late waker's.
func (p *parker) forget() { p.isArmed = false }

// wake makes the present or next wait end.
func (p *parker) wake() {
	if p.state.Load() == woken {
		return
	}
	if p.state.Swap(woken) == parked {
		_ = p.setDeadline(longAgo)
	}
}
