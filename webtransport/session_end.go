package webtransport

import (
	"errors"
	"io"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// closeTimeout is how long the peer of a closed session has to finish its side.
// Longer than any round trip, so that browsers learn of the code and reason,
// which a STOP_SENDING before would cost them.
const closeTimeout = 5 * time.Second

// CloseWithError ends the session with a code and a reason, of which up to 1024
// bytes are sent. It returns when they have left, as far as they may at once, so that
// a program may exit: see quic.Conn.Flush. Only the first call has an effect, and none
// after the session has ended. Streams that were closed before are still
// delivered, as far as the peer wants them; others are reset.
func (s *Session) CloseWithError(code uint32, reason string) error {
	reason = truncateReason(reason)
	if !s.setEnd(&SessionError{Code: code, Reason: reason}) {
		return nil
	}
	sending := s.conn.Run(func(t *quic.Turn) {
		// Without a STOP_SENDING: see closeTimeout. It leaves before the resets of the
		// streams, or Chromium does not tell the page of the code and the reason.
		s.tunnel.SendLast(t, appendClose(nil, code, reason))
		s.endStreams()
		s.awaitEnd()
	})
	if !sending {
		s.endStreams()
	}
	s.finishEnd()
	s.conn.Flush()
	return nil
}

// peerClosed ends the session for the peer's WT_CLOSE_SESSION or FIN, and answers
// it.
func (s *Session) peerClosed(t *quic.Turn, err *SessionError) {
	s.end(err)
	s.tunnel.SendLast(t, nil)
	s.awaitEnd()
}

// awaitEnd gives the peer time to finish its side. On the loop.
func (s *Session) awaitEnd() {
	if s.linger == nil {
		s.linger = time.AfterFunc(closeTimeout, func() { s.tunnel.StopReading(codeSessionGone) })
		s.tunnel.WhenOver(func() { s.linger.Stop() })
	}
}

// fail ends the session for a violation of the protocol.
func (s *Session) fail(err error) {
	code, _ := h3.Code(err)
	s.end(&http3.Error{Code: code, Reason: err.Error()})
	s.tunnel.Abort(code)
}

// HandleData implements http3.TunnelHandler, for package http3 to call.
func (s *Session) HandleData(t *quic.Turn, p []byte) {
	s.received()
	for len(p) > 0 {
		if s.closed {
			// Section 6.
			s.fail(&h3.StreamError{Code: h3.MessageError, Reason: "content after WT_CLOSE_SESSION"})
			return
		}
		c, ok, n, err := s.capsules.Next(p)
		p = p[n:]
		if ok && err == nil {
			err = s.handleCapsule(t, c)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// HandleEnd implements http3.TunnelHandler, for package http3 to call.
func (s *Session) HandleEnd(t *quic.Turn, err error) {
	switch {
	case err != io.EOF:
		s.end(err)
		s.tunnel.Abort(h3.RequestCancelled)
	case s.capsules.Finish() != nil:
		s.fail(s.capsules.Finish())
	case !s.closed:
		s.peerClosed(t, &SessionError{Remote: true}) // Section 6
	}
}

// end makes the session over, once, for a reason: nothing can be sent or accepted
// any more, and its streams are reset. What has arrived may still be read. Any
// goroutine may call it.
func (s *Session) end(err error) {
	if err == nil {
		err = errors.New("webtransport: the connection has ended")
	}
	first := s.setEnd(err)
	s.endStreams()
	if first {
		s.finishEnd()
	}
}

// setEnd notes why the session ends, and returns false if it has ended before.
// endStreams and finishEnd must follow.
func (s *Session) setEnd(err error) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.err = err
	s.ending, s.streams = s.streams, nil
	s.ended.Store(true)
	s.hub.places.giveBack()
	return true
}

// endStreams resets the streams. Those who wait for the peer's limits learn of the end
// only then, as they would send otherwise.
func (s *Session) endStreams() {
	s.mu.Lock()
	streams := s.ending
	s.ending = nil
	s.mu.Unlock()
	for _, open := range streams {
		open.end()
	}
	if s.flow != nil {
		s.flow.end()
	}
}

// finishEnd ends everything else.
func (s *Session) finishEnd() {
	err := s.endedWith()
	s.bidi.Close(err)
	s.uni.Close(err)
	if s.idle != nil {
		s.idle.end()
	}
	s.tunnel.CloseDatagrams(err)
	s.cancel(err)
	s.conn.Run(func(*quic.Turn) { s.hub.dropSession(s.id) })
}
