package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// DropTrigger is why a packet was not used, by the names that qlog has for it
// (draft-ietf-quic-qlog-quic-events, Section 5.7).
type DropTrigger string

// The triggers in use.
const (
	DropRejected          DropTrigger = "rejected"           // unwilling to take it
	DropUnsupported       DropTrigger = "unsupported"        // of another version
	DropInvalid           DropTrigger = "invalid"            // against the rules
	DropDuplicate         DropTrigger = "duplicate"          // its number came before
	DropDecryptionFailure DropTrigger = "decryption_failure" // not authentic
	DropKeyUnavailable    DropTrigger = "key_unavailable"    // keys are not there, or no longer
	DropGeneral           DropTrigger = "general"            // something else
)

// Tracer observes a connection, as qlog does. Its methods run inside the
// engine: they must be quick, must not call back and must not keep slices.
type Tracer interface {
	// PacketSent: frames are the packet's payload, not yet sealed.
	PacketSent(now monotime.Time, t wire.PacketType, pn wire.PacketNumber, size int, frames []byte)
	// PacketReceived: frames are the payload, opened.
	PacketReceived(now monotime.Time, t wire.PacketType, pn wire.PacketNumber, size int, frames []byte)
	// PacketBuffered: a packet came before its keys and is looked at again when
	// they are there.
	PacketBuffered(now monotime.Time, size int)
	// PacketDropped: a packet was not used; detail, if there is any, says what was
	// wrong with it in a few words of the engine's.
	PacketDropped(now monotime.Time, size int, trigger DropTrigger, detail string)
	// PacketLost: a sent packet was declared lost.
	PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber)
	// KeyUpdated: both directions' 1-RTT keys are those of a phase, which the peer
	// began if remote.
	KeyUpdated(now monotime.Time, phase uint64, remote bool)
	// MetricsUpdated: round-trip time or congestion state changed.
	MetricsUpdated(now monotime.Time, s Stats)
	// Closed: the connection ended for the application. The packets that tell
	// the peer so, and what arrives until it is forgotten, come after it.
	Closed(now monotime.Time, err error)
	// Released: the connection is forgotten; the last call.
	Released(now monotime.Time)
}

func (c *Conn) traceLost(now monotime.Time, id wire.Space, pn wire.PacketNumber) {
	if c.tracer != nil {
		c.tracer.PacketLost(now, id, pn)
	}
}

func (c *Conn) traceKeys(now monotime.Time, remote bool) {
	if c.tracer != nil {
		c.tracer.KeyUpdated(now, c.keys.Phase(), remote)
	}
}

func (c *Conn) traceDropped(now monotime.Time, size int, trigger DropTrigger, detail string) {
	if c.tracer != nil {
		c.tracer.PacketDropped(now, size, trigger, detail)
	}
}
