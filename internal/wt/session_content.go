package wt

import (
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// HandleContent takes content of the session's CONNECT stream, in pieces of any
// size. It may be called after the session's end.
func (s *Session) HandleContent(now monotime.Time, p []byte) {
	s.heardAt(now)
	s.takeContent(now, p)
	if !s.countCapsule() {
		s.fail(&h3.StreamError{Code: h3.ExcessiveLoad, Reason: "no room for a capsule that is not complete"})
	}
}

// takeContent is HandleContent, for which there is room.
func (s *Session) takeContent(now monotime.Time, p []byte) {
	for len(p) > 0 && !s.aborted {
		if s.peerClosed {
			s.fail(malformed("content after WT_CLOSE_SESSION")) // Section 6
			return
		}
		capsule, ok, n, err := s.capsules.Next(p)
		p = p[n:]
		if ok && err == nil {
			err = s.handleCapsule(now, capsule)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// countCapsule counts what is kept of a capsule that is not complete, and reports whether
// there is room for it.
func (s *Session) countCapsule() (within bool) {
	more := s.capsules.Held() - s.counted
	s.counted += more
	s.conn.capsules += more
	return s.conn.count()
}

// HandleContentEnd takes note that no more content will arrive: err is io.EOF when
// the peer has finished the CONNECT stream, and says otherwise how that ended.
func (s *Session) HandleContentEnd(now monotime.Time, err error) {
	defer s.dropCapsule()
	switch {
	case s.aborted:
	case err != io.EOF:
		s.abort(h3.RequestCancelled)
		s.end(err)
	case s.capsules.Finish() != nil:
		s.fail(s.capsules.Finish())
	case !s.peerClosed:
		s.answerClose(now, &SessionError{Remote: true}) // Section 6
	}
}

// dropCapsule forgets one that will not be complete.
func (s *Session) dropCapsule() {
	s.capsules = h3.NewCapsuleReader(capsuleLimit)
	s.countCapsule()
}

// handleCapsule acts on a capsule of the peer's. An error ends the session.
func (s *Session) handleCapsule(now monotime.Time, c h3.Capsule) error {
	switch c.Type {
	case CapsuleClose:
		closed, err := parseClose(c.Value)
		if err == nil {
			s.peerClosed = true
			s.answerClose(now, closed)
		}
		return err
	case CapsuleDrain:
		s.drainBegun()
		return nil
	case h3.CapsuleDatagram: // RFC 9297, Section 3.5
		s.datagrams.push(s, c.Value)
		return nil
	case CapsuleMaxStreamData, CapsuleStreamDataBlocked:
		return malformed("capsule that WebTransport over HTTP/3 prohibits") // Section 5.4
	}
	if s.flow == nil {
		return nil // Section 5.1
	}
	v, n := wire.ConsumeVarint(c.Value)
	if n != len(c.Value) || n < 0 {
		return malformed("flow control capsule that is not one integer")
	}
	err := s.flow.handleCapsule(c.Type, v)
	s.settle()
	return err
}

// settle has the peer told of what the flow control has to say.
func (s *Session) settle() {
	if s.flow.owes() {
		s.owe()
	}
}

// owe says that there is content to send, once for all there is to say when it can
// be.
func (s *Session) owe() {
	if !s.owing && s.err == nil {
		s.owing = true
		s.conn.emit(Event{Kind: EventContent, Session: s})
	}
}

// Owes reports whether PollContent has something to return.
func (s *Session) Owes() bool { return s.owing && s.err == nil }

// PollContent appends the content that this end has to send on the CONNECT stream
// now: see EventContent. While the peer does not take what it was sent before, it
// should not be called: then nothing piles up, as what is to be said is a few values
// and not a queue.
func (s *Session) PollContent(b []byte) []byte {
	s.owing = false
	if s.err != nil {
		return b
	}
	if s.drainOwed {
		s.drainOwed = false
		b = appendCapsule(b, CapsuleDrain)
	}
	if s.flow != nil {
		b = s.flow.appendCapsules(b)
	}
	return b
}
