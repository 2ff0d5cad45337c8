package wt

import "slices"

// rejected is what streams that were refused, as too many waited for their session, have
// used of its limits. They count once it is there: the limits are of all that was ever
// sent and opened (Sections 5.4 and 5.6.2), so that without them the peer could use less
// of each for as long as the session lives.
type rejected struct {
	session uint64 // its ID
	used    [kinds]uint64
}

// reject refuses a stream for want of room.
func (c *Conn) reject(id uint64, st *Stream) {
	st.rejected = true
	st.refuse(CodeBufferedStreamRejected)
	c.handleRejected(id, st.kind, 1)
	c.handleRejected(id, data, st.discarded)
}

// handleRejected counts what a stream that was refused has used.
func (c *Conn) handleRejected(id uint64, k Kind, n uint64) {
	var r rejected
	r.session, r.used[k] = id, n
	if s := c.sessions[id]; s != nil {
		s.countRejected(r)
		return
	}
	if n == 0 || c.over != nil || slices.Contains(c.gone, id) {
		return
	}
	i := slices.IndexFunc(c.rejected, func(r rejected) bool { return r.session == id })
	if i >= 0 {
		c.rejected[i].used[k] += n
		return
	}
	if len(c.rejected) >= maxRejected {
		c.rejected = slices.Delete(c.rejected, 0, 1)
	}
	c.rejected = append(c.rejected, r)
}

// takeRejected returns what is known of a session's, and forgets it.
func (c *Conn) takeRejected(id uint64) (r rejected) {
	if i := slices.IndexFunc(c.rejected, func(r rejected) bool { return r.session == id }); i >= 0 {
		r = c.rejected[i]
		c.rejected = slices.Delete(c.rejected, i, i+1)
	}
	return r
}

// countRejected counts streams that are over, and what was sent on them.
func (s *Session) countRejected(r rejected) {
	if s.flow == nil || s.err != nil {
		return
	}
	for _, k := range []Kind{Bidi, Uni} {
		s.flow.theirs[k].seen += r.used[k]
		if !s.flow.done(k, r.used[k]) {
			s.fail(flowError("more streams in the session than allowed")) // Section 5.6.2
			return
		}
	}
	s.consumed(r.used[data])
}
