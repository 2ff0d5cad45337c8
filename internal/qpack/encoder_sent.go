package qpack

import "slices"

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
	t.sent = append(t.sent, s)
	t.index.at(s.oldest).pins++
	if s.required > t.known {
		t.atRisk++
	}
}

// acknowledgeSection follows a Section Acknowledgment (RFC 9204, Section 4.4.1):
// it is for the stream's earliest section that has none.
func (t *EncoderTable) acknowledgeSection(stream uint64) error {
	i := slices.IndexFunc(t.sent, func(s sentSection) bool { return s.stream == stream })
	if i < 0 {
		return errAckOfNothing
	}
	s := t.sent[i]
	t.forget(&s)
	t.sent = slices.Delete(t.sent, i, i+1)
	t.setKnown(max(t.known, s.required))
	return nil
}

// cancelStream follows a Stream Cancellation (RFC 9204, Section 4.4.2). The
// stream need not be known.
func (t *EncoderTable) cancelStream(stream uint64) {
	t.sent = slices.DeleteFunc(t.sent, func(s sentSection) bool {
		if s.stream != stream {
			return false
		}
		t.forget(&s)
		return true
	})
}

// forget drops the references of a section.
func (t *EncoderTable) forget(s *sentSection) {
	t.index.at(s.oldest).pins--
	if s.required > t.known {
		t.atRisk--
	}
}

// setKnown raises the Known Received Count (RFC 9204, Section 2.1.4).
func (t *EncoderTable) setKnown(known uint64) {
	if known == t.known {
		return
	}
	t.known = known
	t.atRisk = 0
	for i := range t.sent {
		if t.sent[i].required > known {
			t.atRisk++
		}
	}
}
