package engine

import "net/netip"

// Gate decides which clients get a connection. Endpoints share one, so that its
// limits are those of all of them: it is the one who counts.
type Gate interface {
	// Admit is asked for a client whose first packet is authentic; validated says
	// that it has proved its address with a token (RFC 9000, Section 8.1).
	Admit(from netip.Addr, validated bool) (Place, Verdict)
	// HandshakeOver is told once for each client that was accepted: its handshake
	// is confirmed, or the connection has ended without.
	HandshakeOver(Place)
	// Released is told once for each that was accepted: the connection is
	// forgotten. It comes after HandshakeOver.
	Released(Place)
}

// Place is what a Gate knows an accepted client by.
type Place uint32

// Verdict is a Gate's about a client.
type Verdict uint8

// What can happen to a client.
const (
	// Accept: it gets a connection.
	Accept Verdict = iota
	// AskForProof: it must prove its address first, with a Retry packet.
	AskForProof
	// Refuse: it is told CONNECTION_REFUSED (RFC 9000, Section 5.2.2).
	Refuse
	// Ignore: it gets no answer, and will ask again.
	Ignore
)

// openGate accepts everybody.
type openGate struct{}

func (openGate) Admit(netip.Addr, bool) (Place, Verdict) { return 0, Accept }
func (openGate) HandshakeOver(Place)                     {}
func (openGate) Released(Place)                          {}
