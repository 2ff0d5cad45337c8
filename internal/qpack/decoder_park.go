package qpack

import "slices"

// maxBlockedBytes bounds the encoded field sections that wait for insertions on
// one connection, in bytes. A section that refers to the dynamic table takes a
// few hundred; so even if all streams that may be blocked are, this is only
// reached by those who try.
const maxBlockedBytes = 64 << 10

// Waiter is who waits for a parked field section.
type Waiter interface {
	// HandleUnblocked says that it is worth trying again to decode the
	// section. It is called without locks held, once for each time the section
	// was parked, by HandleEncoderStream or by Abandon; not after Unpark.
	HandleUnblocked()
}

// parkedSection is a field section that waits for insertions.
type parkedSection struct {
	stream   *ReadStream
	required uint64 // the Insert Count it waits for
	size     int    // encoded, in bytes
	waiter   Waiter
}

// Park notes that a section for which AppendFields has returned ErrBlocked waits
// for insertions. The caller keeps the section, of which a stream can have one,
// and tries again once w is told. It reports false when the insertions have
// arrived meanwhile, so that the caller can try again at once.
//
// The error is an *Error when the peer blocks more streams than it may
// (RFC 9204, Section 2.1.2), and ErrBlockedTooLarge when too much would have to
// be kept.
func (t *DecoderTable) Park(s *ReadStream, section []byte, w Waiter) (parked bool, err error) {
	p, _, err := consumePrefix(section)
	if err != nil {
		return false, err
	}
	t.lock()
	defer t.mu.Unlock()
	if s.abandoned {
		return false, ErrAbandoned
	}
	required, _, err := t.resolve(&p)
	switch {
	case err != nil:
		return false, err
	case required <= t.table.inserted:
		return false, nil
	case len(t.parked) >= t.maxBlocked:
		return false, errBlocked
	case t.parkedBytes+len(section) > maxBlockedBytes:
		return false, ErrBlockedTooLarge
	}
	t.parked = append(t.parked, parkedSection{s, required, len(section), w})
	t.parkedBytes += len(section)
	return true, nil
}

// takeUnblocked removes the sections whose insertions have arrived and appends
// their waiters to dst. The lock is held.
func (t *DecoderTable) takeUnblocked(dst []Waiter) []Waiter {
	t.parked = slices.DeleteFunc(t.parked, func(p parkedSection) bool {
		if p.required > t.table.inserted {
			return false
		}
		t.parkedBytes -= p.size
		dst = append(dst, p.waiter)
		return true
	})
	if len(t.parked) == 0 {
		t.parked = nil
	}
	return dst
}

// Unpark gives up the wait for a section of s, if one is parked.
func (t *DecoderTable) Unpark(s *ReadStream) {
	t.lock()
	defer t.mu.Unlock()
	t.unpark(s)
}

// unpark removes the section of s, if one is parked, and returns its waiter. The
// lock is held.
func (t *DecoderTable) unpark(s *ReadStream) (w Waiter) {
	i := slices.IndexFunc(t.parked, func(p parkedSection) bool { return p.stream == s })
	if i < 0 {
		return nil
	}
	w = t.parked[i].waiter
	t.parkedBytes -= t.parked[i].size
	t.parked = slices.Delete(t.parked, i, i+1)
	return w
}
