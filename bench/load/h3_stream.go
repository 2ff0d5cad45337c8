package main

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic/event"
)

// h3Stream is a stream as package h3's machine sees it, an h3.Stream, and as package quic
// tells of it, a event.StreamHandler.
type h3Stream struct {
	conn    *h3Conn
	ref     event.Stream
	handler h3.StreamHandler // nil for nobody
	reset   error            // the peer has cancelled what it sends; nil if it has not
}

// Read reads what has arrived.
func (s *h3Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.reset
	}
	return s.conn.turn.Read(s.ref, p)
}

// Write takes as much of p as fits, or with fin all.
func (s *h3Stream) Write(p []byte, fin bool) (int, error) {
	if fin {
		return s.conn.turn.WriteLast(s.ref, p)
	}
	return s.conn.turn.Write(s.ref, p)
}

func (s *h3Stream) Room() int                     { return s.conn.turn.Room(s.ref) }
func (s *h3Stream) Reset(code h3.ErrorCode)       { s.ref.CancelWrite(uint64(code)) }
func (s *h3Stream) Stop(code h3.ErrorCode)        { s.ref.CancelRead(uint64(code)) }
func (s *h3Stream) SetHandler(h h3.StreamHandler) { s.handler = h }

// HandleReadable implements event.StreamHandler.
func (s *h3Stream) HandleReadable(t event.Turn, _ event.Stream) {
	s.conn.turn = t
	if s.handler != nil {
		s.handler.HandleReadable(now(t))
	}
}

// HandleWritable implements event.StreamHandler.
func (s *h3Stream) HandleWritable(t event.Turn, _ event.Stream) {
	s.conn.turn = t
	if s.handler != nil {
		s.handler.HandleWritable(now(t))
	}
}

// HandleEnd implements event.StreamHandler.
func (s *h3Stream) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	if end.Kind == event.PeerReset {
		s.reset = end.Err
		s.HandleReadable(t, ref)
	}
}

// now is the present moment for package h3.
func now(t event.Turn) monotime.Time { return monotime.Time(t.Now()) }

// An h3Conn is the machine's Transport, and a client's Handler that no server has
// anything to tell but responses.

// OpenUni implements h3.Transport.
func (c *h3Conn) OpenUni(h h3.StreamHandler) h3.Stream {
	s := &h3Stream{conn: c, handler: h}
	var err error
	if s.ref, err = c.turn.Open(true, s); err != nil {
		return nil // HandleStreamsAvailable follows
	}
	return s
}

// Close implements h3.Transport.
func (c *h3Conn) Close(code h3.ErrorCode, reason string) { c.turn.Close(uint64(code), reason) }

// Post implements h3.Transport.
func (c *h3Conn) Post(f func()) {
	event.Run(c.qc, func(t event.Turn) {
		c.turn = t
		f()
	})
}

func (c *h3Conn) CountBuffered(n int) bool               { return c.turn.CountBuffered(n) }
func (c *h3Conn) SendDatagram(quarterID, p []byte) error { return h3.ErrDatagramsDisabled }

func (*h3Conn) HandleSettings(monotime.Time)                                             {}
func (*h3Conn) HandleGoAway(monotime.Time, uint64)                                       {}
func (*h3Conn) HandleExtensionStream(_ monotime.Time, _, _ uint64, _ h3.Stream)          {}
func (*h3Conn) NewRequest(h3.Stream) *h3.RequestStream                                   { return nil }
func (*h3Conn) Admit(*h3.RequestStream) h3.Admission                                     { return h3.Busy }
func (*h3Conn) HandleRequest(monotime.Time, *h3.RequestStream, *h3.RequestHeader)        {}
func (*h3Conn) HandlePriority(uint64, h3.Priority) bool                                  { return true }
func (*h3Conn) HandleInterim(monotime.Time, *h3.RequestStream, *h3.ResponseHeader) error { return nil }
func (*h3Conn) HandleLargeSection(*h3.RequestStream, *h3.LargeSection)                   {}
func (*h3Conn) HandleUnblocked(*h3.RequestStream)                                        {}
func (*h3Conn) HandleWritable(monotime.Time, *h3.RequestStream)                          {}
func (*h3Conn) HandleHTTPDatagrams(monotime.Time, *h3.RequestStream, [][]byte)           {}
func (*h3Conn) HandleLeft(monotime.Time)                                                 {}
