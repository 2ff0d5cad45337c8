package quic

import "github.com/godwit-quic/godwit/internal/engine"

// SetPriority says in which order the connection sends what its streams have.
// Streams of lower urgency go first, 0 before 7; beyond 7 counts as 7. Among
// those of one urgency, incremental ones take turns, and one that is not
// incremental sends all it has before the next (RFC 9218, Section 10). Without
// this call a stream is incremental, of urgency 3. The peer learns nothing of it.
func (s *Stream) SetPriority(urgency uint8, incremental bool) {
	if !s.is(flagNoWriting) {
		s.link.Prioritize(engine.Urgency(min(urgency, 7)), incremental)
	}
}
