package main

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/quic/event"
)

// An h3Conn is the machine's Transport, and a client's Handler that no server has
// anything to tell but responses.

// OpenUni implements h3.Transport.
func (c *h3Conn) OpenUni(h h3.StreamHandler) h3.Stream { return h3event.OpenUni(&c.turn, h) }

// Close implements h3.Transport.
func (c *h3Conn) Close(code h3.ErrorCode, reason string) { c.turn.Close(uint64(code), reason) }

// Post implements h3.Transport.
func (c *h3Conn) Post(f func()) {
	event.Run(c.qc, func(t event.Turn) {
		c.turn = t
		f()
	})
}

func (c *h3Conn) CountBuffered(n int) bool               { return event.CountBuffered(c.turn.Conn(), n) }
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
func (*h3Conn) HandleStrayDatagrams(uint64) bool                                         { return true }
func (*h3Conn) HandleLeft(monotime.Time)                                                 {}
