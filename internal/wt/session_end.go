package wt

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// SessionError says that a session was closed with a code and a reason, by this
// end or by the peer. A CONNECT stream that is finished without a word counts as
// code 0 (Section 6).
type SessionError struct {
	Code   uint32
	Reason string // at most MaxReason bytes
	Remote bool   // the peer closed, not this end
}

func (e *SessionError) Error() string {
	s := "webtransport: session closed"
	if e.Remote {
		s += " by the peer"
	}
	s += fmt.Sprintf(" with code %d", e.Code)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// errConnEnded stands for the error of a connection that ended with none.
var errConnEnded = errors.New("webtransport: the connection has ended")

// Close ends the session with a code and a reason, of which MaxReason bytes are sent
// at most. It has no effect after the end. Streams of which the sending half was
// finished are still delivered, as far as the peer wants them; others are reset.
func (s *Session) Close(now monotime.Time, code uint32, reason string) {
	if s.err != nil {
		return
	}
	reason = truncateReason(reason)
	s.finish(now, appendClose(nil, code, reason))
	s.end(&SessionError{Code: code, Reason: reason})
}

// answerClose ends the session for the peer's WT_CLOSE_SESSION or FIN.
func (s *Session) answerClose(now monotime.Time, err *SessionError) {
	s.finish(now, nil)
	s.end(err)
}

// finish finishes the CONNECT stream with some last content, and gives the peer time
// to do so as well, without a STOP_SENDING: see CloseTimeout. It leaves before the
// resets of streams, or Chromium does not tell the page of the code and the reason.
func (s *Session) finish(now monotime.Time, last []byte) {
	if s.finished {
		return
	}
	s.finished = true
	s.giveUp = now.Add(CloseTimeout)
	s.conn.lingering = append(s.conn.lingering, s)
	s.conn.emit(Event{Kind: EventFinish, Session: s, Data: last})
}

// fail ends the session for a violation of the protocol.
func (s *Session) fail(err error) {
	code, _ := h3.Code(err)
	s.abort(code)
	s.end(err)
}

// abort resets the CONNECT stream, and takes no more of it.
func (s *Session) abort(code h3.ErrorCode) {
	if s.conn.over == nil {
		s.conn.emit(Event{Kind: EventAbort, Session: s, Code: code})
	}
	s.finished, s.aborted = true, true
	s.dropCapsule()
	s.HandleOver()
}

// HandleOver takes note that both directions of the CONNECT stream are over.
func (s *Session) HandleOver() {
	s.giveUp = 0
	s.conn.lingering = slices.DeleteFunc(s.conn.lingering, func(l *Session) bool { return l == s })
}

// end makes the session over, once: nothing can be sent or accepted any more, and its
// streams are reset. What has arrived may still be read.
func (s *Session) end(err error) {
	if s.err != nil {
		return
	}
	if err == nil {
		err = errConnEnded
	}
	s.err = err
	s.conn.emit(Event{Kind: EventEnded, Session: s, Err: err})
	s.endStreams()
	if s.flow != nil {
		s.flow.end()
	}
	s.datagrams.settle(s.conn)
	if s.conn.sessions[s.id] == s {
		s.conn.drop(s)
	}
}

// endStreams cancels the halves of streams that are not over (Section 6). Those that
// wait to be accepted still do, for what has arrived.
func (s *Session) endStreams() {
	for st := s.streams.first; st != nil; st = s.streams.first {
		st.refuse(CodeSessionGone)
		s.streams.remove(st)
	}
}

// ReserveKept reports whether a host may keep n bytes more of what has arrived on
// the session's streams, to be read after its end, and counts them.
func (s *Session) ReserveKept(n int) bool {
	if s.kept+n > maxKept {
		return false
	}
	s.kept += n
	return true
}
