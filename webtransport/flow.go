package webtransport

import (
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
)

// kind is that of a stream, for what is counted by kind.
type kind int

const (
	bidi kind = iota
	uni
)

// flow is the flow control of a session (Section 5): how many streams either end
// may open in it and how many bytes it may send on them, headers left out.
//
// Bytes count as received when they are read: those that wait are bounded by the
// windows of QUIC.
type flow struct {
	// send sends a capsule with a new limit, or one that says that a limit was
	// reached.
	send func(t h3.CapsuleType, v uint64)

	mu      sync.Mutex
	changed chan struct{} // closed when the peer raises a limit; nil if nobody waits
	over    bool

	// What this end may do, and has done.
	maxData, sent      uint64
	maxStreams, opened [2]uint64
	dataBlocked        uint64 // the limit that WT_DATA_BLOCKED was last sent for

	// What the peer may do, and has done.
	window, granted, consumed uint64
	streamWindow              uint64
	streamsGranted            [2]uint64
	streamsSeen, streamsDone  [2]uint64
}

func newFlow(conf *Config, offer *peerOffer) *flow {
	return &flow{
		maxData: offer.maxData, maxStreams: [2]uint64{offer.maxBidi, offer.maxUni},
		window: conf.maxData(), granted: conf.maxData(), streamWindow: conf.maxStreams(),
		streamsGranted: [2]uint64{conf.maxStreams(), conf.maxStreams()},
	}
}

func flowError(reason string) error { return &h3.StreamError{Code: codeFlowControl, Reason: reason} }

// handleCapsule takes a flow control capsule of the peer's.
func (f *flow) handleCapsule(t h3.CapsuleType, v uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	limit := &f.maxData
	switch t {
	case capsuleMaxStreamsBidi:
		limit = &f.maxStreams[bidi]
	case capsuleMaxStreamsUni:
		limit = &f.maxStreams[uni]
	case capsuleStreamsBlockedBi, capsuleStreamsBlockedUni:
		if v > maxStreamCount {
			return flowError("WT_STREAMS_BLOCKED beyond any limit")
		}
		return nil // limits are raised as soon as they can be
	case capsuleDataBlocked:
		return nil
	}
	switch {
	case v <= *limit && !(v == 0 && *limit == 0):
		return flowError("limit that is not raised")
	case t != capsuleMaxData && v > maxStreamCount:
		return flowError("WT_MAX_STREAMS beyond what can be")
	}
	*limit = v
	f.wake()
	return nil
}

func (f *flow) wake() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// wait returns a channel that is closed at the next change; the lock is held.
func (f *flow) wait() <-chan struct{} {
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}

// end makes everybody look who waits.
func (f *flow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	f.wake()
}

// reserve returns how many of n bytes may be sent now, and counts them. If it is
// none, it returns a channel to wait for, unless the session is over.
func (f *flow) reserve(n int) (int, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return n, nil // the stream has an error to tell
	}
	if allowed := f.maxData - f.sent; allowed > 0 {
		n = int(min(uint64(n), allowed))
		f.sent += uint64(n)
		return n, nil
	}
	if f.dataBlocked != f.maxData || f.maxData == 0 {
		f.dataBlocked = f.maxData
		f.send(capsuleDataBlocked, f.maxData)
	}
	return 0, f.wait()
}

// unreserve gives back bytes that were not sent after all.
func (f *flow) unreserve(n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent -= n
	f.wake()
}

// open counts a stream of this end's, or returns a channel to wait for.
func (f *flow) open(k kind) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return nil
	}
	if f.opened[k] < f.maxStreams[k] {
		f.opened[k]++
		return nil
	}
	f.send([2]h3.CapsuleType{capsuleStreamsBlockedBi, capsuleStreamsBlockedUni}[k], f.maxStreams[k])
	return f.wait()
}

// unopen gives back a stream that was not opened after all.
func (f *flow) unopen(k kind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened[k]--
	f.wake()
}

// accept counts a stream of the peer's. It reports whether it was allowed.
func (f *flow) accept(k kind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streamsSeen[k]++
	return f.streamsSeen[k] <= f.streamsGranted[k]
}

// done counts a stream of the peer's that is over and allows another, a number of
// them at a time.
func (f *flow) done(k kind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streamsDone[k]++
	if limit := f.streamsDone[k] + f.streamWindow; !f.over && limit-f.streamsGranted[k] >= (f.streamWindow+1)/2 {
		f.streamsGranted[k] = limit
		f.send([2]h3.CapsuleType{capsuleMaxStreamsBidi, capsuleMaxStreamsUni}[k], limit)
	}
}

// consume counts bytes that were read, or never will be, and allows as many more, a
// good part of the window at a time. It reports whether they were allowed.
func (f *flow) consume(n uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.consumed += n
	if f.consumed > f.granted {
		return false
	}
	f.grant(f.consumed + f.window)
	return true
}

// grant raises the peer's limit when that is worth a capsule; the lock is held.
func (f *flow) grant(limit uint64) {
	if f.over || limit < f.granted+f.window/2 {
		return
	}
	f.granted = limit
	f.send(capsuleMaxData, limit)
}
