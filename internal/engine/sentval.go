package engine

import "github.com/godwit-quic/godwit/internal/wire"

// sentVal follows one fact that must reach the peer: unset, unsent, sent in a
// packet whose fate is open, or received.
type sentVal uint64

const (
	valUnset    sentVal = 0
	valUnsent   sentVal = 1
	valReceived sentVal = 2
	valSent     sentVal = 3 // plus the packet number
)

// set makes the fact one that must be sent (again, when it changed).
func (v *sentVal) set() { *v = valUnsent }

// clear makes it nothing to be sent.
func (v *sentVal) clear() { *v = valUnset }

func (v sentVal) isSet() bool    { return v != valUnset }
func (v sentVal) received() bool { return v == valReceived }

// due reports whether it must be sent now.
func (v sentVal) due() bool { return v == valUnsent }

func (v *sentVal) setSent(pn wire.PacketNumber) { *v = valSent + sentVal(pn) }

// settle takes the fate of packet pn, which carried the fact. A newer value
// is not touched by the fate of an older packet: only its own packet's loss
// makes it unsent, only its own acknowledgment makes it received.
func (v *sentVal) settle(pn wire.PacketNumber, f fate) {
	if *v != valSent+sentVal(pn) {
		return
	}
	if f == acked {
		*v = valReceived
	} else {
		*v = valUnsent
	}
}

// fate is what became of a sent packet.
type fate bool

const (
	acked fate = true
	lost  fate = false
)
