package webtransport

import "github.com/godwit-quic/godwit/http3"

// The error codes of Section 9.5, which HTTP/3 carries.
const (
	codeBufferedStreamRejected http3.ErrorCode = 0x3994bd84
	codeSessionGone            http3.ErrorCode = 0x170d7b68
	codeFlowControl            http3.ErrorCode = 0x045d4487
	codeALPN                   http3.ErrorCode = 0x0817b3dd
	codeRequirementsNotMet     http3.ErrorCode = 0x212c0d48
)

// The types by which streams are told from HTTP/3's (Sections 4.2 and 4.3).
const (
	streamTypeUni = 0x54
	signalBidi    = 0x41
)

// An application's codes of streams live in a range of HTTP/3's (Section 4.4).
// Every 0x1f-th number there is reserved (RFC 9114, Section 8.1) and left out.
const (
	firstCode = 0x52e4a40fa8db // 0
	lastCode  = 0x52e5ac983162 // 0xffffffff
)

// toHTTP returns the code that HTTP/3 carries for an application's.
func toHTTP(code uint32) uint64 { return firstCode + uint64(code) + uint64(code)/0x1e }

// fromHTTP is the reverse of toHTTP. It returns false for codes that are not an
// application's.
func fromHTTP(code uint64) (uint32, bool) {
	if code < firstCode || code > lastCode || (code-0x21)%0x1f == 0 {
		return 0, false
	}
	shifted := code - firstCode
	return uint32(shifted - shifted/0x1f), true
}
