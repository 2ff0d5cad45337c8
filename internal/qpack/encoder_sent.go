package qpack

import (
	"cmp"
	"slices"
)

// maxUnacknowledged bounds the field sections with dynamic references that the
// peer has not acknowledged. Beyond, sections do without: a peer that keeps its
// acknowledgments to itself makes this end remember 3 KiB.
const maxUnacknowledged = 128

// sentSection is a field section with dynamic references that the peer has not
// acknowledged.
type sentSection struct {
	stream   uint64
	required uint64 // its Required Insert Count
	// oldest is the lowest absolute index it refers to, where it is one of the
	// pins. As entries are evicted oldest first, that protects the others.
	oldest uint64
}

// remember takes note of a section's references.
func (t *EncoderTable) remember(s sentSection) {
	i := len(t.sent)
	if i > 0 && t.sent[i-1].stream > s.stream {
		i, _ = t.find(s.stream + 1) // behind the stream's own
	}
	t.sent = slices.Insert(t.sent, i, s)
	t.index.at(s.oldest).pins++
	if s.required > t.known {
		t.index.at(s.required-1).needs++
		t.atRisk++
	}
}

// find returns where in sent the sections of a stream begin, and whether there are
// any.
func (t *EncoderTable) find(stream uint64) (i int, ok bool) {
	return slices.BinarySearchFunc(t.sent, stream, func(s sentSection, stream uint64) int {
		t.steps++
		return cmp.Compare(s.stream, stream)
	})
}

// acknowledgeSection follows a Section Acknowledgment (RFC 9204, Section 4.4.1):
// it is for the stream's earliest section that has none.
func (t *EncoderTable) acknowledgeSection(stream uint64) error {
	i, ok := t.find(stream)
	if !ok {
		return errAckOfNothing
	}
	s := t.sent[i]
	t.forget(&s)
	t.sent = slices.Delete(t.sent, i, i+1)
	t.setKnown(max(t.known, s.required))
	return nil
}

// cancelStream follows a Stream Cancellation (RFC 9204, Section 4.4.2). The
// stream need not be known, as the peer cannot know which sections refer to the
// table.
func (t *EncoderTable) cancelStream(stream uint64) {
	i, ok := t.find(stream)
	if !ok {
		t.cancelUnknown()
		return
	}
	end := i
	for ; end < len(t.sent) && t.sent[end].stream == stream; end++ {
		t.steps++
		t.forget(&t.sent[end])
	}
	t.sent = slices.Delete(t.sent, i, end)
}

// cancelUnknown counts a cancellation of a stream without sections to forget. One
// for each section that was sent is as it should be.
func (t *EncoderTable) cancelUnknown() {
	switch {
	case t.sections > 0:
		t.sections--
	case t.enabled.Load(): // otherwise there is nothing that it takes time to look for
		t.useless++
	}
}

// TakeUseless returns how many instructions have arrived since it was called last
// that said nothing: cancellations of streams on which nothing was sent that could be
// cancelled. A peer may send some, for requests that it gives up early.
func (t *EncoderTable) TakeUseless() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.useless
	t.useless = 0
	return n
}

// forget drops the references of a section.
func (t *EncoderTable) forget(s *sentSection) {
	t.index.at(s.oldest).pins--
	if s.required > t.known {
		t.index.at(s.required-1).needs--
		t.atRisk--
	}
}

// setKnown raises the Known Received Count (RFC 9204, Section 2.1.4). What is known
// to have arrived puts no section at risk any more.
func (t *EncoderTable) setKnown(known uint64) {
	for ; t.known < known; t.known++ {
		t.steps++
		e := t.index.at(t.known)
		t.atRisk -= int(e.needs)
		e.needs = 0
	}
}
