package webtransport

import (
	"errors"
	"io"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
)

// closeTimeout is how long the peer of a closed session has to finish its side.
// Longer than any round trip, so that browsers learn of the code and reason,
// which a STOP_SENDING before would cost them.
const closeTimeout = 5 * time.Second

// CloseWithError ends the session with a code and a reason, of which up to 1024
// bytes are sent. It does not wait. Only the first call has an effect, and none
// after the session has ended. Streams that were closed before are still
// delivered, as far as the peer wants them; others are reset.
func (s *Session) CloseWithError(code uint32, reason string) error {
	reason = truncateReason(reason)
	if !s.end(&SessionError{Code: code, Reason: reason}) {
		return nil
	}
	s.conn.Run(func() {
		// Without a STOP_SENDING: see closeTimeout.
		s.tunnel.SendLast(appendClose(nil, code, reason))
		s.awaitEnd()
	})
	return nil
}

// peerClosed ends the session for the peer's WT_CLOSE_SESSION or FIN, and answers
// it.
func (s *Session) peerClosed(err *SessionError) {
	s.end(err)
	s.tunnel.SendLast(nil)
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
func (s *Session) HandleData(p []byte) {
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
			err = s.handleCapsule(c)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// HandleEnd implements http3.TunnelHandler, for package http3 to call.
func (s *Session) HandleEnd(err error) {
	switch {
	case err != io.EOF:
		s.end(err)
		s.tunnel.Abort(h3.RequestCancelled)
	case s.capsules.Finish() != nil:
		s.fail(s.capsules.Finish())
	case !s.closed:
		s.peerClosed(&SessionError{Remote: true}) // Section 6
	}
}

// end makes the session over, once, for a reason: nothing can be sent or accepted
// any more, and its streams are reset. What has arrived may still be read. Any
// goroutine may call it.
func (s *Session) end(err error) (first bool) {
	if err == nil {
		err = errors.New("webtransport: the connection has ended")
	}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return false
	}
	s.err = err
	streams := s.streams
	s.streams = nil
	s.mu.Unlock()

	s.bidi.Close(err)
	s.uni.Close(err)
	for _, open := range streams {
		open.end()
	}
	if s.flow != nil {
		s.flow.end()
	}
	if s.idle != nil {
		s.idle.end()
	}
	s.tunnel.CloseDatagrams(err)
	s.cancel(err)
	if !s.conn.Run(func() { s.hub.dropSession(s.id) }) {
		s.hub.admitted.Add(-1)
	}
	return true
}
