package engine

import (
	"net/netip"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Path is the pair of addresses a datagram travels between. Local may be the
// zero address when the socket does not tell.
type Path struct {
	Local  netip.Addr
	Remote netip.AddrPort
}

// ECN is the explicit congestion notification field of an IP header
// (RFC 3168, Section 5).
type ECN uint8

const (
	ecnNotECT ECN = 0
	ecnECT1   ECN = 1
	ecnECT0   ECN = 2
	ecnCE     ECN = 3
)

// Datagram is a UDP datagram that arrived. Data is decrypted in place and is
// the caller's again when the engine returns.
type Datagram struct {
	Data []byte
	Path Path
	ECN  ECN
}

// Transmit is a train of datagrams to be sent now: Data holds datagrams of
// Segment bytes each, the last of which may be shorter. Data is a part of the
// buffer the caller gave.
type Transmit struct {
	Data    []byte
	Segment int
	Path    Path
	ECN     ECN
}

// amplificationFactor is how much more than was received from an unvalidated
// address may be sent to it (RFC 9000, Section 8).
const amplificationFactor = 3

// pathState is a path of a connection and what is known of it.
type pathState struct {
	Path
	validation *pathValidation // nil once the path is validated
}

// pathValidation is how far the validation of a path is.
type pathValidation struct {
	received, sent uint64 // bytes

	challenge    [8]byte       // of our PATH_CHALLENGE
	challengeVal sentVal       // whether it must be sent
	giveUpAt     monotime.Time // when validation fails
}

// allowance returns how many bytes may be sent before more arrives.
func (p *pathState) allowance() uint64 {
	v := p.validation
	if v == nil {
		return ^uint64(0)
	}
	limit := v.received * amplificationFactor
	if v.sent >= limit {
		return 0
	}
	return limit - v.sent
}
