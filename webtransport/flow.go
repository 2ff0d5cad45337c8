package webtransport

import (
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
)

// kind is what is counted and limited in a session.
type kind int

const (
	bidi kind = iota // streams
	uni              // likewise
	data             // bytes on them, headers left out
	kinds
)

// limitCapsules are the capsules that speak of a limit (Section 5.6): the one that
// raises it, and the one that says that it was reached.
var limitCapsules = [kinds]struct{ raise, blocked h3.CapsuleType }{
	bidi: {capsuleMaxStreamsBidi, capsuleStreamsBlockedBi},
	uni:  {capsuleMaxStreamsUni, capsuleStreamsBlockedUni},
	data: {capsuleMaxData, capsuleDataBlocked},
}

// flow is the flow control of a session (Section 5): how many streams either end
// may open in it and how many bytes it may send on them.
//
// Bytes count as received when they are read: those that wait are bounded by the
// windows of QUIC.
type flow struct {
	owe func() // has appendCapsules called, soon

	mu     sync.Mutex
	over   bool
	ours   [kinds]credit    // what this end may do
	theirs [kinds]allowance // what the peer may do
}

// allowance is a limit of the peer's that this end raises.
type allowance struct {
	window  uint64 // the limit's distance from what is done with
	granted uint64 // the limit
	seen    uint64 // streams that the peer has opened
	done    uint64 // streams that are over, bytes that were read
	owed    bool   // the peer has not been told of granted
}

func newFlow(conf *Config, offer *peerOffer) *flow {
	f := new(flow)
	for k, limit := range [kinds]uint64{offer.maxBidi, offer.maxUni, offer.maxData} {
		f.ours[k].limit = limit
	}
	for k, window := range [kinds]uint64{conf.maxStreams(), conf.maxStreams(), conf.maxData()} {
		f.theirs[k] = allowance{window: window, granted: window}
	}
	return f
}

func flowError(reason string) error { return &h3.StreamError{Code: codeFlowControl, Reason: reason} }

// unlock gives the lock back, and has the peer told of what has changed.
func (f *flow) unlock() {
	owed := false
	for k := range kinds {
		owed = owed || f.ours[k].owed || f.theirs[k].owed
	}
	f.mu.Unlock()
	if owed {
		f.owe()
	}
}

// appendCapsules appends what the peer has to be told: of each limit the newest
// value alone, however often it has changed meanwhile.
func (f *flow) appendCapsules(b []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, capsules := range limitCapsules {
		if theirs := &f.theirs[k]; theirs.owed {
			theirs.owed = false
			b = appendCapsule(b, capsules.raise, theirs.granted)
		}
		if ours := &f.ours[k]; ours.owed {
			ours.owed = false
			b = appendCapsule(b, capsules.blocked, ours.told-1)
		}
	}
	return b
}

// handleCapsule takes a flow control capsule of the peer's.
func (f *flow) handleCapsule(t h3.CapsuleType, v uint64) error {
	for k, capsules := range limitCapsules {
		switch tooMany := kind(k) != data && v > maxStreamCount; {
		case t == capsules.blocked && tooMany:
			return flowError("WT_STREAMS_BLOCKED beyond any limit")
		case t == capsules.blocked:
			return nil // limits are raised as soon as they can be
		case t == capsules.raise && tooMany:
			return flowError("WT_MAX_STREAMS beyond what can be")
		case t == capsules.raise:
			return f.raise(kind(k), v)
		}
	}
	return nil
}

// raise takes a new limit of the peer's.
func (f *flow) raise(k kind, limit uint64) error {
	f.mu.Lock()
	defer f.unlock()
	c := &f.ours[k]
	if limit <= c.limit && c.limit > 0 {
		return flowError("limit that is not raised")
	}
	c.limit = limit
	c.serve()
	return nil
}

// end makes everybody look who waits.
func (f *flow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for k := range f.ours {
		f.ours[k].dismiss()
	}
}

// take returns how many of n streams or bytes this end may use now, and counts
// them. If it is none, it returns a claim to wait for, and to give up when it is
// not wanted any more. When the session is over all are allowed: whoever uses them
// has an error to tell.
func (f *flow) take(k kind, n int) (int, *claim) {
	f.mu.Lock()
	defer f.unlock()
	if f.over {
		return n, nil
	}
	got, wait := f.ours[k].take(uint64(n))
	return int(got), wait
}

// taken returns what a claim that has ended got: 0 when the session is over.
func (f *flow) taken(c *claim) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int(c.got)
}

// giveUp ends a claim, and gives back what it got.
func (f *flow) giveUp(k kind, c *claim) {
	f.mu.Lock()
	defer f.unlock()
	f.ours[k].giveUp(c)
}

// giveBack returns streams or bytes that were not used after all.
func (f *flow) giveBack(k kind, n uint64) {
	f.mu.Lock()
	defer f.unlock()
	f.ours[k].used -= n
	f.ours[k].serve()
}

// accept counts a stream of the peer's. It reports whether it was allowed.
func (f *flow) accept(k kind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := &f.theirs[k]
	a.seen++
	return a.seen <= a.granted
}

// done counts streams of the peer's that are over, or bytes that were read or never
// will be, and allows as many more, a good part of the window at a time. It reports
// whether they were allowed.
func (f *flow) done(k kind, n uint64) bool {
	f.mu.Lock()
	defer f.unlock()
	a := &f.theirs[k]
	a.done += n
	if a.done > a.granted {
		return false
	}
	if limit := a.done + a.window; !f.over && limit-a.granted >= (a.window+1)/2 {
		a.granted, a.owed = limit, true
	}
	return true
}
