package h3

import "github.com/godwit-quic/godwit/internal/monotime"

// controlStream is this end's control stream (RFC 9114, Section 6.2.1).
type controlStream struct {
	conn   *Conn
	stream Stream // nil while the peer does not allow it
	unsent []byte
}

// send sends frames.
func (s *controlStream) send(frames []byte) {
	s.unsent = append(s.unsent, frames...)
	s.flush()
	if s.stream != nil && s.conn.state.trace != nil {
		s.conn.state.traceControlSent(s.stream, frames)
	}
}

// flush writes what the stream takes now. Even with nothing to send it writes: the
// error is that of a STOP_SENDING, which must not come.
func (s *controlStream) flush() {
	if s.stream == nil {
		if s.stream = s.conn.transport.OpenUni(s); s.stream == nil {
			return
		}
		s.conn.state.traceOwn(s.stream, StreamControl)
	}
	n, err := s.stream.Write(s.unsent, false)
	if err != nil {
		s.conn.Abort(&ConnError{ClosedCriticalStream, "peer stopped reading the control stream"})
		return
	}
	if s.unsent = s.unsent[n:]; len(s.unsent) == 0 {
		s.unsent = nil
	}
}

// HandleReadable does nothing: the stream only sends.
func (s *controlStream) HandleReadable(monotime.Time) {}

// HandleWritable sends what has waited.
func (s *controlStream) HandleWritable(now monotime.Time) {
	s.conn.now = now
	s.flush()
}

// uniStream is a unidirectional stream of the peer's.
type uniStream struct {
	conn   *Conn
	stream Stream
	uni    peerStream
}

// HandleReadable reads what has arrived.
func (u *uniStream) HandleReadable(now monotime.Time) {
	c := u.conn
	c.now = now
	sc := getScratch()
	defer sc.release()
	for {
		buf := sc.buf[:]
		if missing := u.uni.Missing(); missing > 0 && c.claimed != 0 {
			buf = buf[:missing] // what follows may be the extension's
		}
		n, err := u.stream.Read(buf)
		if n > 0 && !u.take(now, buf[:n]) {
			return
		}
		switch {
		case err != nil:
			u.stream.SetHandler(nil)
			if err := c.state.HandleUniEnd(&u.uni); err != nil && !c.closed {
				c.Abort(err)
			}
			return
		case n == 0:
			return
		}
	}
}

// take takes the next bytes. It reports whether the stream goes on.
func (u *uniStream) take(now monotime.Time, b []byte) bool {
	c := u.conn
	verdict, err := c.state.HandleUni(now, &u.uni, b)
	switch {
	case err != nil:
		c.Abort(err)
		return false
	case verdict == uniAbort:
		u.stream.SetHandler(nil)
		u.stream.Stop(StreamCreationError)
		return false
	case verdict == uniExtension:
		u.stream.SetHandler(nil)
		c.handler.HandleExtensionStream(now, u.uni.id, uint64(u.uni.typ), u.stream)
		return false
	}
	c.noticeControl()
	c.tellDecoded()
	return true
}

// HandleWritable does nothing: the stream only receives.
func (u *uniStream) HandleWritable(monotime.Time) {}

// noticeControl acts on what the peer's control stream has said.
func (c *Conn) noticeControl() {
	if !c.toldSetting && c.state.PeerSettings() != nil {
		c.toldSetting = true
		c.openQPACK()
		c.handler.HandleSettings(c.now)
	}
	if id, ok := c.state.PeerGoAway(); ok && id != c.toldGoAway {
		c.toldGoAway = id
		c.handler.HandleGoAway(c.now, id)
	}
	c.state.TakeUpdates(func(u PriorityUpdate) bool {
		c.state.tracePriority(u.StreamID, u.Priority)
		return c.handler.HandlePriority(u.StreamID, u.Priority)
	})
}
