package wt

// Stats are figures of a connection at one moment.
type Stats struct {
	Sessions        int // that have not ended
	Admitted        int // these, and requests about to become one
	BufferedStreams int // streams that wait for a session
	BufferedResets  int // those of them that the peer has reset
}

// Stats returns figures of the connection.
func (c *Conn) Stats() Stats {
	s := Stats{Sessions: len(c.sessions), Admitted: c.admitted, BufferedStreams: len(c.buffered)}
	for _, b := range c.buffered {
		if b.stream.reset {
			s.BufferedResets++
		}
	}
	return s
}

// Balance is what both directions of one kind have used of a session's flow control.
type Balance struct {
	Used, Limit         uint64 // by this end, and what the peer allows
	Seen, Done, Granted uint64 // streams of the peer's that came; streams or bytes of its that are done with; and what this end allows
}

// SessionStats are figures of a session at one moment.
type SessionStats struct {
	Streams         int     // with a half that is not over
	Bidi, Uni, Data Balance // zero without flow control
}

// Stats returns figures of the session.
func (s *Session) Stats() SessionStats {
	stats := SessionStats{Streams: s.streams.n}
	if s.flow != nil {
		stats.Bidi, stats.Uni, stats.Data = s.flow.balance(Bidi), s.flow.balance(Uni), s.flow.balance(data)
	}
	return stats
}

func (f *flow) balance(k Kind) Balance {
	ours, theirs := &f.ours[k], &f.theirs[k]
	return Balance{Used: ours.used, Limit: ours.limit, Seen: theirs.seen, Done: theirs.done, Granted: theirs.granted}
}
