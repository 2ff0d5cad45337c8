package webtransport

import (
	"errors"
	"io"
	"os"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// describe turns errors of the machine's into this package's, or into package http3's if
// they are not WebTransport's, and returns others as they are. It and streamError make all
// of them.
func describe(err error) error {
	var closed *wt.SessionError
	switch {
	case errors.As(err, &closed):
		return &SessionError{Code: closed.Code, Reason: closed.Reason, Remote: closed.Remote}
	case err == wt.ErrNoDatagrams:
		return quic.ErrDatagramsDisabled
	}
	return h3ext.HTTP3.Error(err)
}

// streamError turns a stream's error into this package's.
func (s *Session) streamError(err error) error {
	var cancelled *quic.StreamError
	if errors.As(err, &cancelled) {
		if cancelled.Code == uint64(wt.CodeSessionGone) {
			if ended := s.goneWith(); ended != nil {
				return ended
			}
		}
		code, ok := wt.FromHTTP(cancelled.Code)
		return &StreamError{Code: code, IsApplication: ok, HTTPCode: http3.ErrorCode(cancelled.Code), Remote: cancelled.Remote}
	}
	if err == io.EOF || err == quic.ErrWriteClosed || os.IsTimeout(err) {
		return err
	}
	// It is the connection's. The session has ended too, or is about to: its
	// streams may hear of it first.
	if s.endedWith() == nil {
		<-s.ctx.Done()
	}
	return s.endedWith()
}

// goneWith returns why the session has ended, given that the peer or this end has
// cancelled a stream for that (Section 6). The news of the session may be on its way
// still; nil if the peer fails to send it.
func (s *Session) goneWith() error {
	if ended := s.endedWith(); ended != nil {
		return ended
	}
	passed, stop := h3ext.After(s.hub.conn, wt.CloseTimeout)
	defer stop()
	select {
	case <-s.ctx.Done(): // with the connection at the latest
	case <-passed:
	}
	return s.endedWith()
}
