package attack

import (
	"slices"
)

// Row is an attack.
type Row struct {
	// Name is short, and what people call the row by.
	Name string
	// Does says in a sentence what the attacker does.
	Does string
	// Class is the class of attacks that the row belongs to.
	Class string
	// LogUnread has nobody read what the server writes to its standard error.
	LogUnread bool
	// Times is how many times longer than others the attack takes, to show; 0 is
	// for once.
	Times int

	run func(a *attacker) error
}

// Rows returns all attacks, family by family.
func Rows() []Row {
	return slices.Concat(ackRows, slowRows, handshakeRows, strangerRows, frameRows, idRows, cryptoRows,
		streamRows, resetRows, fieldRows, qpackRows, controlRows, webTransportRows, crowdRows, pieceRows, sessionRows)
}
