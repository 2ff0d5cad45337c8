package qpack

// maxBlockedBytes bounds the encoded field sections that wait for insertions on
// one connection, in bytes. A section that refers to the dynamic table takes a
// few hundred; so even if all streams that may be blocked are, this is only
// reached by those who try.
const maxBlockedBytes = 64 << 10

// Waiter is what waits for a parked field section.
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
	if len(t.parked) == 0 || required < t.unblocks {
		t.unblocks = required
	}
	t.parked = append(t.parked, parkedSection{s, required, len(section), w})
	s.parked = int32(len(t.parked))
	t.parkedBytes += len(section)
	return true, nil
}

// takeUnblocked removes the sections whose insertions have arrived and appends
// their waiters to dst. The lock is held.
func (t *DecoderTable) takeUnblocked(dst []Waiter) []Waiter {
	t.unblocks = noReference
	kept := t.parked[:0]
	for _, p := range t.parked {
		t.steps++
		if p.required > t.table.inserted {
			t.unblocks = min(t.unblocks, p.required)
			kept = append(kept, p)
			p.stream.parked = int32(len(kept))
			continue
		}
		p.stream.parked = 0
		t.parkedBytes -= p.size
		dst = append(dst, p.waiter)
	}
	clear(t.parked[len(kept):])
	t.parked = kept
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
	i := int(s.parked) - 1
	if i < 0 {
		return nil
	}
	w = t.parked[i].waiter
	t.parkedBytes -= t.parked[i].size
	last := len(t.parked) - 1
	t.parked[i] = t.parked[last]
	t.parked[i].stream.parked = s.parked
	t.parked[last], s.parked = parkedSection{}, 0
	t.parked = t.parked[:last]
	return w
}
