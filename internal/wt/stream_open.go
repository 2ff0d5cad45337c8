package wt

// Open wants to open a stream. If MayOpen says that it may be at once, the host opens
// one of QUIC's, writes the header to it and calls Opened; otherwise EventMayOpen
// tells when. Without either, Abandon must follow.
func (s *Session) Open(k Kind) *Stream {
	st := &Stream{conn: s.conn, session: s, kind: k}
	if s.flow != nil && s.err == nil {
		_, st.wait = s.flow.ours[k].take(1, st)
		s.settle()
	}
	return st
}

// MayOpen reports whether the stream may be opened now. The error is the session's.
func (st *Stream) MayOpen() (bool, error) {
	return st.wait == nil || !st.wait.waits, st.session.err
}

// Abandon says that a stream will not be opened that was wanted.
func (st *Stream) Abandon() {
	w := st.wait
	st.wait = nil
	switch s := st.session; {
	case s.flow == nil || s.err != nil:
	case w != nil:
		st.giveUp(w, st.kind)
	default:
		s.flow.giveBack(st.kind, 1)
		s.settle()
	}
}

// Opened says that a stream that was wanted has been opened, with this ID. Its header
// is to be written before anything else. The error is the session's, which has ended;
// then the stream is cancelled by events.
func (st *Stream) Opened(id uint64) error {
	st.id, st.wait, st.opened = id, nil, true
	st.sending, st.receiving = true, st.kind == Bidi
	if err := st.session.err; err != nil {
		st.refuse(CodeSessionGone)
		return err
	}
	st.session.streams.push(st)
	return nil
}
