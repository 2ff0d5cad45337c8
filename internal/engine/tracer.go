package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
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

// LossTrigger is why a packet counts as lost, by the names that qlog has for it
// (draft-ietf-quic-qlog-quic-events, Section 7.4).
type LossTrigger string

// The triggers in use.
const (
	LostByOrder LossTrigger = "reordering_threshold" // later ones were acknowledged (RFC 9002, Section 6.1.1)
	LostByTime  LossTrigger = "time_threshold"       // RFC 9002, Section 6.1.2
	LostByRetry LossTrigger = ""                     // a Retry packet made it void
)

// KeyTrigger is why keys came or went, by the names that qlog has for it
// (draft-ietf-quic-qlog-quic-events, Section 6.2).
type KeyTrigger string

// The triggers.
const (
	KeysByTLS  KeyTrigger = "tls"
	KeysByPeer KeyTrigger = "remote_update" // RFC 9001, Section 6.2
	KeysByUs   KeyTrigger = "local_update"
)

// OpenPacket is a packet without its protection.
type OpenPacket struct {
	Level    wire.Level
	Number   wire.PacketNumber
	KeyPhase bool   // the bit in the header of a 1-RTT packet
	Size     int    // bytes, as sealed
	Frames   []byte // the payload, not sealed
}

// Metrics are what a Tracer is told of when it may have changed.
type Metrics struct {
	Stats
	Congestion string // what the controller's state is called
	ECNFailed  bool   // packets of the path in use are not marked (RFC 9000, Section 13.4.2)
	ECNCapable bool   // the peer has counted marks of ours as it should
}

// Tracer observes a connection, as qlog does. Its methods run inside the
// engine: they must be quick, must not call back and must not keep slices or what
// pointers point to. A connection without a Tracer pays for it with a comparison with
// nil. Embed NopTracer in one that wants only some of it.
type Tracer interface {
	// Started: a client begins a connection, or a server accepts one. local and remote
	// are the IDs of the first packets.
	Started(now monotime.Time, addrs path.Addrs, local, remote wire.ConnectionID)
	// VersionKnown: the connection has a version, as far as is known now; client and
	// server are what each side has, nil when that is not known.
	VersionKnown(now monotime.Time, chosen wire.Version, client, server []wire.Version)
	// ProtocolKnown: the application protocol is agreed on (RFC 7301).
	ProtocolKnown(now monotime.Time, alpn []byte)
	// ParametersSet: the transport parameters of this side, or the peer's if remote.
	ParametersSet(now monotime.Time, p *wire.TransportParameters, remote bool)
	// StateUpdated: the connection has come to a state, which has a name of qlog's.
	StateUpdated(now monotime.Time, state string)

	// PacketSent: a packet is about to be sent.
	PacketSent(now monotime.Time, p OpenPacket)
	// PacketReceived: a packet came that opened, for the first time.
	PacketReceived(now monotime.Time, p OpenPacket)
	// PacketBuffered: a packet came before its keys and is looked at again when
	// they are there.
	PacketBuffered(now monotime.Time, size int)
	// PacketDropped: a packet was not used; detail, if there is any, says what was
	// wrong with it in a few words of the engine's.
	PacketDropped(now monotime.Time, size int, trigger DropTrigger, detail string)
	// PacketLost: a sent packet was declared lost; probe says that it was one of the
	// search for a larger size of datagrams.
	PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber, trigger LossTrigger, probe bool)
	// DatagramsSent: a train of datagrams leaves.
	DatagramsSent(now monotime.Time, t Transmit)
	// DatagramReceived: a datagram of size bytes came.
	DatagramReceived(now monotime.Time, size int, ecn path.ECN)

	// StreamUpdated: a half of a stream has come to a state, which has a name of
	// qlog's. It happens at the time of the call before.
	StreamUpdated(id wire.StreamID, sending bool, state string)
	// KeysUpdated: there are keys of a level, 1-RTT keys of a phase, in one direction
	// if trigger is KeysByTLS, which is writing or reading, or in both.
	KeysUpdated(now monotime.Time, level wire.Level, phase uint64, trigger KeyTrigger, writing bool)
	// KeysDiscarded: keys of a level, of a phase, are gone in both directions.
	KeysDiscarded(now monotime.Time, level wire.Level, phase uint64)
	// MetricsUpdated: something of this may have changed.
	MetricsUpdated(now monotime.Time, m Metrics)

	// Closed: the connection ended for the application. The packets that tell
	// the peer so, and what arrives until it is forgotten, come after it.
	Closed(now monotime.Time, err error)
	// Released: the connection is forgotten; the last call.
	Released(now monotime.Time)
}

// States of connections that StateUpdated tells of.
const (
	TracedAttempted = "attempted"           // a client's first packet is about to leave
	TracedComplete  = "handshake_complete"  // RFC 9001, Section 4.1.1
	TracedConfirmed = "handshake_confirmed" // RFC 9001, Section 4.1.2
	TracedClosing   = "closing"             // RFC 9000, Section 10.2.1
	TracedDraining  = "draining"            // RFC 9000, Section 10.2.2
)

// startTrace makes the connection's tracer and tells it how the connection begins.
func (c *Conn) startTrace(now monotime.Time) {
	if c.config.NewTracer == nil {
		return
	}
	if c.tracer = c.config.NewTracer(c.side, c.hs.originalDstID); c.tracer == nil {
		return
	}
	p := c.paths.Current
	c.tracer.Started(now, p.Addrs, c.ids.local[0].id, p.Peer.ID)
	if c.side == wire.ClientSide {
		c.tracer.StateUpdated(now, TracedAttempted)
	}
	c.traceVersion(now, nil)
}

// traceVersion tells of the present version; theirs are the peer's if they are known.
func (c *Conn) traceVersion(now monotime.Time, theirs []wire.Version) {
	if c.tracer == nil {
		return
	}
	client, server := c.config.Versions, theirs
	if c.side == wire.ServerSide {
		client, server = server, client
	}
	c.tracer.VersionKnown(now, c.version, client, server)
}

func (c *Conn) traceState(now monotime.Time, state string) {
	if c.tracer != nil {
		c.tracer.StateUpdated(now, state)
	}
}

// traceLost tells of a lost packet.
func (c *Conn) traceLost(now monotime.Time, id wire.Space, pn wire.PacketNumber, p *recovery.Sent) {
	if c.tracer == nil {
		return
	}
	trigger := LostByTime
	switch overtaken, any := c.loss.Overtaken(id, pn, p); {
	case !any:
		trigger = LostByRetry
	case overtaken:
		trigger = LostByOrder
	}
	c.tracer.PacketLost(now, id, pn, trigger, p.Probe)
}

func (c *Conn) traceTLSKeys(now monotime.Time, level wire.Level, writing bool) {
	if c.tracer != nil {
		c.tracer.KeysUpdated(now, level, 0, KeysByTLS, writing)
	}
}

func (c *Conn) traceKeys(now monotime.Time, trigger KeyTrigger) {
	if c.tracer != nil {
		c.tracer.KeysUpdated(now, wire.OneRTTLevel, c.keys.Phase(), trigger, false)
	}
}

func (c *Conn) traceDropped(now monotime.Time, size int, trigger DropTrigger, detail string) {
	if c.tracer != nil {
		c.tracer.PacketDropped(now, size, trigger, detail)
	}
}

// traceMetrics tells of what acknowledgments, losses and probe timeouts change.
func (c *Conn) traceMetrics(now monotime.Time) {
	if c.tracer == nil {
		return
	}
	p := c.paths.Current
	c.tracer.MetricsUpdated(now, Metrics{
		Stats: c.Stats(), Congestion: p.Controller.Metrics().State,
		ECNFailed: p.Mark() == path.NotECT, ECNCapable: c.ecn.ect0+c.ecn.ce > 0,
	})
}

// Names of the states of a stream's halves, by sendState and recvState.
var (
	sendStateNames = [numSendStates]string{
		sendSend: "send", sendDataSent: "data_sent", sendDataRecvd: "data_received",
		sendResetSent: "reset_sent", sendResetRecvd: "reset_received",
	}
	recvStateNames = [numRecvStates]string{
		recvRecv: "receive", recvSizeKnown: "size_known", recvDataRecvd: "data_received",
		recvDataRead: "data_read", recvResetRead: "reset_read",
	}
)

// toSend has the sending half follow its table, and reports whether its state changed.
func (s *Stream) toSend(e sendEvent) bool {
	changed := s.out.to(e)
	if t := s.conn.tracer; t != nil && changed {
		t.StreamUpdated(s.ID, true, sendStateNames[s.out.state])
	}
	return changed
}

// toRecv is toSend of the receiving half.
func (s *Stream) toRecv(e recvEvent) bool {
	changed := s.in.to(e)
	if t := s.conn.tracer; t != nil && changed {
		t.StreamUpdated(s.ID, false, recvStateNames[s.in.state])
	}
	return changed
}

// traceStream tells of the halves of a stream that has begun.
func (s *Stream) traceStream() {
	t := s.conn.tracer
	if t == nil {
		return
	}
	if s.out.state != sendAbsent {
		t.StreamUpdated(s.ID, true, sendStateNames[s.out.state])
	}
	if s.in.state != recvAbsent {
		t.StreamUpdated(s.ID, false, recvStateNames[s.in.state])
	}
}
