package wt

import "github.com/godwit-quic/godwit/internal/h3"

// Kind is what is counted and limited in a session.
type Kind uint8

// The kinds of streams.
const (
	Bidi Kind = iota
	Uni       // in one direction
	data      // bytes on streams, headers left out
	kinds
)

// KindOf returns the kind of a stream (RFC 9000, Section 2.1).
func KindOf(id uint64) Kind { return Kind(id >> 1 & 1) }

// limitCapsules are the capsules that speak of a limit (Section 5.6): the one that
// raises it, and the one that says that it was reached.
var limitCapsules = [kinds]struct{ raise, blocked h3.CapsuleType }{
	Bidi: {CapsuleMaxStreamsBidi, CapsuleStreamsBlockedBidi},
	Uni:  {CapsuleMaxStreamsUni, CapsuleStreamsBlockedUni},
	data: {CapsuleMaxData, CapsuleDataBlocked},
}

// flow is the flow control of a session (Section 5): how many streams either end
// may open in it and how many bytes it may send on them.
//
// Bytes count as received when they are read: those that wait are bounded by the
// windows of QUIC.
type flow struct {
	over   bool             // the session is
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

func newFlow(conf *Config, limit [kinds]uint64) *flow {
	f := new(flow)
	for k, window := range [kinds]uint64{conf.MaxStreams, conf.MaxStreams, conf.MaxData} {
		f.ours[k].limit = limit[k]
		f.theirs[k] = allowance{window: window, granted: window}
	}
	return f
}

func flowError(reason string) error { return &h3.StreamError{Code: CodeFlowControl, Reason: reason} }

// owes reports whether the peer has to be told something.
func (f *flow) owes() bool {
	for k := range kinds {
		if f.ours[k].owed || f.theirs[k].owed {
			return true
		}
	}
	return false
}

// appendCapsules appends what the peer has to be told: of each limit the newest
// value alone, however often it has changed meanwhile.
func (f *flow) appendCapsules(b []byte) []byte {
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
		switch tooMany := Kind(k) != data && v > maxStreamCount; {
		case t == capsules.blocked && tooMany:
			return flowError("WT_STREAMS_BLOCKED beyond any limit")
		case t == capsules.blocked:
			return nil // limits are raised as soon as they can be
		case t == capsules.raise && tooMany:
			return flowError("WT_MAX_STREAMS beyond what can be")
		case t == capsules.raise:
			return f.raise(Kind(k), v)
		}
	}
	return nil
}

// raise takes a new limit of the peer's, which must be higher (Section 5.6.2).
func (f *flow) raise(k Kind, limit uint64) error {
	c := &f.ours[k]
	if limit <= c.limit && c.limit > 0 {
		return flowError("limit that is not raised")
	}
	c.limit = limit
	c.serve()
	return nil
}

// end makes everybody who waits look again.
func (f *flow) end() {
	f.over = true
	for k := range f.ours {
		f.ours[k].dismiss()
	}
}

// giveBack returns streams or bytes that were not used after all.
func (f *flow) giveBack(k Kind, n uint64) {
	f.ours[k].used -= n
	f.ours[k].serve()
}

// accept counts a stream of the peer's. It reports whether it was allowed.
func (f *flow) accept(k Kind) bool {
	a := &f.theirs[k]
	a.seen++
	return a.seen <= a.granted
}

// done counts streams of the peer's that are over, or bytes that were read or never
// will be, and allows as many more, a good part of the window at a time. It reports
// whether they were allowed.
func (f *flow) done(k Kind, n uint64) bool {
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
