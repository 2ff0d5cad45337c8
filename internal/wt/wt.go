// Package wt is WebTransport over HTTP/3 (draft-ietf-webtrans-http3) as a
// machine: which draft two ends speak, sessions in both roles, what belongs to
// them, their flow control, their capsules and their end. It has no goroutine, no
// lock, no clock and no I/O, and knows neither net/http nor the packages that do
// HTTP/3 and QUIC: what happened goes in by calls, what follows comes out as events.
//
// A Conn is what one end keeps for each HTTP/3 connection. Whoever owns it, its
// host, has HTTP/3 send the settings and tells what arrives:
//
//	c := wt.NewConn(wire.ServerSide, config)
//	c.AppendSettings(nil)                   // to be sent with this end's SETTINGS
//	c.HandleSettings(peer, resetStreamAt)   // the peer's have arrived
//	st := c.HandleStream(id)                // a stream that begins with TypeUni or SignalBidi
//	c.HandleHeader(now, st, b)              // up to st.Missing() bytes that follow
//	session := c.Begin(now, id, draft, "")  // a CONNECT request was accepted
//	session.HandleContent(now, b)           // of its stream
//	c.HandleDatagram(now, id, b)
//	c.HandleDeadline(now)
//
// and after any call, or any few, does what the events say, in their order:
//
//	for n := c.PollEvents(events[:]); n > 0; n = c.PollEvents(events[:]) {
//		for _, e := range events[:n] { … }
//	}
//
// The bytes of streams do not pass through the machine. It says how many may be
// written (Stream.Allow), is told how many were read (Stream.Consumed), and is told
// when a half is over.
//
// One goroutine at a time may use a Conn and everything that belongs to it.
package wt

import "github.com/godwit-quic/godwit/internal/h3"

// The beginnings by which streams of sessions are told from HTTP/3's: the type of
// unidirectional ones (Section 4.2) and the first bytes of bidirectional ones
// (Section 4.3). The ID of the session follows.
const (
	TypeUni    h3.StreamType = 0x54
	SignalBidi h3.FrameType  = 0x41
)

// The error codes of Section 9.5, which HTTP/3 carries.
const (
	CodeBufferedStreamRejected h3.ErrorCode = 0x3994bd84
	CodeSessionGone            h3.ErrorCode = 0x170d7b68
	CodeFlowControl            h3.ErrorCode = 0x045d4487
	CodeALPN                   h3.ErrorCode = 0x0817b3dd
	CodeRequirementsNotMet     h3.ErrorCode = 0x212c0d48
)

// An application's codes of streams live in a range of HTTP/3's (Section 4.4).
// Every 0x1f-th number there is reserved (RFC 9114, Section 8.1) and left out.
const (
	firstCode = 0x52e4a40fa8db // 0
	lastCode  = 0x52e5ac983162 // 0xffffffff
)

// ToHTTP returns the code that HTTP/3 carries for an application's.
func ToHTTP(code uint32) uint64 { return firstCode + uint64(code) + uint64(code)/0x1e }

// FromHTTP is the reverse of ToHTTP. It returns false for codes that are not an
// application's.
func FromHTTP(code uint64) (uint32, bool) {
	if code < firstCode || code > lastCode || (code-0x21)%0x1f == 0 {
		return 0, false
	}
	shifted := code - firstCode
	return uint32(shifted - shifted/0x1f), true
}
