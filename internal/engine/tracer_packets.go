package engine

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// openPacket is a packet without its protection.
type openPacket struct {
	level    wire.Level
	number   wire.PacketNumber
	keyPhase bool   // the bit in the header of a 1-RTT packet
	size     int    // bytes, as sealed
	frames   []byte // the payload, not sealed
}

var packetTypes = [wire.NumLevels]quictrace.PacketType{
	wire.InitialLevel:   quictrace.Initial,
	wire.ZeroRTTLevel:   quictrace.ZeroRTT,
	wire.HandshakeLevel: quictrace.Handshake,
	wire.OneRTTLevel:    quictrace.OneRTT,
}

func (p *openPacket) traced() quictrace.Packet {
	return quictrace.Packet{
		Type: packetTypes[p.level], Number: uint64(p.number), KeyPhase: p.keyPhase, Size: p.size, Frames: p.frames,
	}
}

// traceSent tells of a packet that is about to leave.
func (c *Conn) traceSent(now monotime.Time, w *frameWriter, size int) {
	t := c.tracer
	if t == nil {
		return
	}
	if id := &w.path.Peer.ID; w.path == c.paths.Current && *id != t.remoteID {
		t.traceID(now, true, &t.remoteID, *id)
	}
	p := openPacket{w.level, w.pn, w.level == wire.OneRTTLevel && c.keys.KeyPhase(), size, w.b[w.payload:]}
	t.sent.Packet = p.traced()
	t.tell(now, &t.sent)
}

// traceReceived tells of an authentic packet to dst.
func (c *Conn) traceReceived(now monotime.Time, p *openPacket, dst *wire.ConnectionID) {
	t := c.tracer
	if t == nil {
		return
	}
	// IDs change in the 1-RTT space only, and a late packet does not change them back.
	if p.level == wire.OneRTTLevel && *dst != t.localID && p.number > c.space.received.largest() {
		t.traceID(now, false, &t.localID, *dst)
	}
	t.received.Packet = p.traced()
	t.tell(now, &t.received)
}

// traceID tells that an ID has changed.
func (t *tracer) traceID(now monotime.Time, remote bool, old *wire.ConnectionID, id wire.ConnectionID) {
	t.tell(now, &quictrace.ConnectionIDUpdated{Remote: remote, Old: old.Bytes(), New: id.Bytes()})
	*old = id
}

func (c *Conn) traceBuffered(now monotime.Time, size int) {
	if c.tracer != nil {
		c.tracer.tell(now, &quictrace.PacketBuffered{Size: size})
	}
}

func (c *Conn) traceDropped(now monotime.Time, size int, trigger quictrace.DropTrigger, detail string) {
	if c.tracer != nil {
		c.tracer.tell(now, &quictrace.PacketDropped{Size: size, Trigger: trigger, Detail: detail})
	}
}

// traceLost tells of a lost packet.
func (c *Conn) traceLost(now monotime.Time, id wire.Space, pn wire.PacketNumber, p *recovery.Sent) {
	if c.tracer == nil {
		return
	}
	trigger := quictrace.LostByTime
	switch overtaken, any := c.loss.Overtaken(id, pn, p); {
	case !any:
		trigger = quictrace.LostByRetry
	case overtaken:
		trigger = quictrace.LostByOrder
	}
	c.tracer.tell(now, &quictrace.PacketLost{
		Type: packetTypes[id.CryptoLevel()], Number: uint64(pn), Probe: p.Probe != recovery.NoProbe, Trigger: trigger,
	})
}

var ecnNames = [...]quictrace.ECN{
	path.NotECT: quictrace.NotECT, path.ECT1: quictrace.ECT1, path.ECT0: quictrace.ECT0, path.CE: quictrace.CE,
}

// traceLeaving tells of a train of datagrams.
func (c *Conn) traceLeaving(now monotime.Time, train *Transmit) {
	if t := c.tracer; t != nil {
		t.leaving.Datagrams = quictrace.Datagrams{Bytes: len(train.Data), Size: train.Segment, ECN: ecnNames[train.ECN]}
		t.tell(now, &t.leaving)
	}
}

// traceArriving tells of a datagram.
func (c *Conn) traceArriving(now monotime.Time, d *Datagram) {
	if t := c.tracer; t != nil {
		t.arriving.Datagrams = quictrace.Datagrams{Bytes: len(d.Data), Size: len(d.Data), ECN: ecnNames[d.ECN]}
		t.tell(now, &t.arriving)
	}
}

// traceKey tells of a new key of a level: TLS makes them one by one.
func (c *Conn) traceKey(now monotime.Time, level wire.Level, writing bool) {
	if c.tracer == nil {
		return
	}
	c.tracer.tell(now, &quictrace.KeyUpdated{
		Key:     quictrace.Key{Type: packetTypes[level], Server: (c.side == wire.ServerSide) == writing},
		Trigger: quictrace.KeyByTLS,
	})
}

// traceKeyUpdate tells of new keys of the 1-RTT level, in both directions.
func (c *Conn) traceKeyUpdate(now monotime.Time, trigger quictrace.KeyTrigger) {
	if c.tracer == nil {
		return
	}
	for _, server := range []bool{false, true} {
		c.tracer.tell(now, &quictrace.KeyUpdated{
			Key: quictrace.Key{Type: quictrace.OneRTT, Server: server, Phase: c.keys.Phase()}, Trigger: trigger,
		})
	}
}

// traceKeysGone tells that the keys of a level, of a phase, are gone in both directions.
func (c *Conn) traceKeysGone(now monotime.Time, level wire.Level, phase uint64) {
	if c.tracer == nil {
		return
	}
	for _, server := range []bool{false, true} {
		c.tracer.tell(now, &quictrace.KeyDiscarded{Key: quictrace.Key{Type: packetTypes[level], Server: server, Phase: phase}})
	}
}

// traceClosed tells that the connection has ended for the application, and why.
func (c *Conn) traceClosed(now monotime.Time, err error) {
	if c.tracer != nil {
		c.tracer.tell(now, closedEvent(err))
	}
}

// closedEvent says why a connection ended.
func closedEvent(err error) *quictrace.ConnectionClosed {
	e := &quictrace.ConnectionClosed{Trigger: quictrace.CloseUnspecified}
	var (
		transport   *TransportError
		application *ApplicationError
		idle        *IdleTimeoutError
		handshake   *HandshakeTimeoutError
		version     *VersionNegotiationError
	)
	switch {
	case errors.As(err, &transport):
		e.Trigger, e.Remote, e.Code = quictrace.CloseError, transport.Remote, uint64(transport.Code)
	case errors.As(err, &application):
		e.Trigger, e.Remote, e.Code = quictrace.CloseApplication, application.Remote, application.Code
	case errors.As(err, &idle):
		e.Trigger = quictrace.CloseIdle
	case errors.As(err, &handshake):
		e.Trigger = quictrace.CloseAborted
	case errors.As(err, &version):
		e.Trigger = quictrace.CloseVersionMismatch
	case errors.Is(err, ErrStatelessReset):
		e.Trigger, e.Remote = quictrace.CloseStatelessReset, true
	}
	if err != nil {
		e.Reason = err.Error()
	}
	return e
}

// Names of the states of a stream's halves, by sendState and recvState.
var (
	sendStateNames = [numSendStates]quictrace.StreamState{
		sendSend: quictrace.StreamSend, sendDataSent: quictrace.StreamDataSent, sendDataRecvd: quictrace.StreamDataReceived,
		sendResetSent: quictrace.StreamResetSent, sendResetRecvd: quictrace.StreamResetReceived,
	}
	recvStateNames = [numRecvStates]quictrace.StreamState{
		recvRecv: quictrace.StreamReceive, recvSizeKnown: quictrace.StreamSizeKnown, recvDataRecvd: quictrace.StreamDataReceived,
		recvDataRead: quictrace.StreamDataRead, recvResetRead: quictrace.StreamResetRead,
	}
)

// traceHalf tells of a half of a stream that has come to a state. Some changes have no time of
// their own: it is that of the event before.
func (s *Stream) traceHalf(sending bool) {
	t := s.conn.tracer
	if t == nil {
		return
	}
	state := recvStateNames[s.in.state]
	if sending {
		state = sendStateNames[s.out.state]
	}
	t.halfState = quictrace.StreamStateUpdated{StreamID: uint64(s.ID), Sending: sending, New: state}
	t.tell(t.now, &t.halfState)
}

// toSend has the sending half follow its table, and reports whether its state changed.
func (s *Stream) toSend(e sendEvent) bool {
	changed := s.out.to(e)
	if changed {
		s.traceHalf(true)
	}
	return changed
}

// toRecv is toSend of the receiving half.
func (s *Stream) toRecv(e recvEvent) bool {
	changed := s.in.to(e)
	if changed {
		s.traceHalf(false)
	}
	return changed
}

// traceStream tells of the halves of a stream that has begun.
func (s *Stream) traceStream() {
	if s.out.state != sendAbsent {
		s.traceHalf(true)
	}
	if s.in.state != recvAbsent {
		s.traceHalf(false)
	}
}
