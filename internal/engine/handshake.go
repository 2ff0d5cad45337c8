package engine

import (
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// handshakeState is what a connection needs only until the handshake is
// confirmed (RFC 9001, Section 4.1.2).
type handshakeState struct {
	spaces    [wire.AppSpace]numberSpace // Initial and Handshake
	discarded [wire.AppSpace]bool
	// cryptoOver says of which spaces TLS has taken all handshake bytes.
	cryptoOver [wire.AppSpace]bool
	keys       [wire.OneRTTLevel]levelKeys

	complete      bool  // RFC 9001, Section 4.1.1
	confirmed     bool  // RFC 9001, Section 4.1.2
	peerValidated bool  // client: the server surely knows our address
	answered      bool  // at least one packet of the peer was opened
	waits         bool  // bytes for TLS wait for HandleHandshake
	hurries       uint8 // how often bytes were sent again before their time

	version       versionState
	originalDstID wire.ConnectionID // of the client's first Initial packet
	initialDstID  wire.ConnectionID // of the first one without or after Retry, from which the Initial keys come
	retrySrcID    wire.OptionalID   // of a Retry packet
	token         []byte            // client: for Initial packets
	early         earlyPackets
	zeroRTT       earlyData
	preferred     *wire.PreferredAddress // the server's, nil if it has none

	// peerClose is a CONNECTION_CLOSE of the datagram being handled that hides the
	// application's reason, which may follow.
	peerClose *wire.ConnectionClose
}

// levelKeys protect the packets of an encryption level that is needed only during the
// handshake.
type levelKeys struct {
	sealer           protect.Sealer
	opener           protect.Opener
	canSeal, canOpen bool
}

// initialKeys returns the keys of Initial packets, which come from the client's
// destination ID.
func initialKeys(v wire.Version, dstID *wire.ConnectionID, side wire.Side) levelKeys {
	sealer, opener := protect.NewInitial(v, dstID.Bytes(), side)
	return levelKeys{sealer: sealer, opener: opener, canSeal: true, canOpen: true}
}

func newHandshakeState() *handshakeState {
	hs := &handshakeState{}
	for i := range hs.spaces {
		hs.spaces[i] = newNumberSpace()
	}
	return hs
}

// setInitialKeys derives the Initial keys from the client's destination ID.
func (c *Conn) setInitialKeys(dstID wire.ConnectionID) {
	c.hs.initialDstID = dstID
	c.hs.keys[wire.InitialLevel] = initialKeys(c.version, &dstID, c.side)
}

// earlyPackets keeps packets that overtook the keys to open them with
// (RFC 9001, Section 5.7), within bounds.
type earlyPackets struct {
	list  []Datagram
	bytes int // of them all
}

// Bounds on early packets: an initial congestion window (RFC 9002, Section 7.2), be it
// a server's first flight or a client's first requests, each in a packet of its own,
// that overtook a handshake message, or the slow step that it set off.
const (
	maxEarlyPackets = 64
	maxEarlyBytes   = 16 << 10
)

// add keeps a copy of a packet and reports whether there was room for it.
func (e *earlyPackets) add(pkt []byte, d *Datagram) bool {
	if len(e.list) >= maxEarlyPackets || e.bytes+len(pkt) > maxEarlyBytes {
		return false
	}
	e.bytes += len(pkt)
	e.list = append(e.list, Datagram{Data: append([]byte(nil), pkt...), Path: d.Path, ECN: d.ECN})
	return true
}

// take returns the packets kept and forgets them.
func (e *earlyPackets) take() []Datagram {
	list := e.list
	*e = earlyPackets{}
	return list
}

// keep puts packets back that are still too early.
func (e *earlyPackets) keep(list []Datagram) {
	e.list = list
	for i := range list {
		e.bytes += len(list[i].Data)
	}
}

// shake begins a client's handshake.
func (c *Conn) shake(now monotime.Time) {
	err := c.beginTLS(now)
	if err == nil {
		err = c.pollTLS(now)
	}
	if err != nil {
		c.fail(now, err)
	}
}

func (c *Conn) beginTLS(now monotime.Time) *TransportError {
	if err := c.tls.Start(c.version, c.localParameters(now)); err != nil {
		return tlsError(err)
	}
	return nil
}

// pollTLS acts on everything the handshake has to say.
func (c *Conn) pollTLS(now monotime.Time) *TransportError {
	for {
		e := c.tls.NextEvent()
		switch e.Kind {
		case TLSNoEvent:
			return nil
		case TLSReadSecret:
			if err := c.endCrypto(e.Level); err != nil {
				return err
			}
			if err := c.setReadSecret(e); err != nil {
				return protocolError(wire.InternalError, 0, err.Error())
			}
			c.traceKey(now, e.Level, false)
			if e.Level == wire.ZeroRTTLevel {
				c.beginEarly(now)
			}
		case TLSWriteSecret:
			if err := c.setWriteSecret(e); err != nil {
				return protocolError(wire.InternalError, 0, err.Error())
			}
			c.traceKey(now, e.Level, true)
			switch e.Level {
			case wire.ZeroRTTLevel:
				c.beginEarly(now)
			case wire.OneRTTLevel:
				c.hs.zeroRTT.firstOneRTT = c.space.sent.Next()
				if c.side == wire.ClientSide {
					c.dropEarlyKeys(now)
				}
			}
		case TLSWriteData:
			if space := c.numberSpace(e.Level.Space()); space != nil {
				space.crypto.write(e.Data)
			}
		case TLSNeedParameters:
			if err := c.beginTLS(now); err != nil {
				return err
			}
		case TLSEarlyParameters:
			if err := c.rememberParameters(e.Data); err != nil {
				return err
			}
		case TLSEarlyRejected:
			c.rejectEarly(now)
		case TLSPeerParameters:
			if err := c.setPeerParameters(now, e.Data); err != nil {
				return err
			}
		case TLSHandshakeDone:
			if c.tracer != nil {
				c.tracer.tell(now, &quictrace.ALPNInformation{Chosen: string(e.Data)})
			}
			c.handshakeComplete(now)
		}
	}
}

func (c *Conn) setReadSecret(e TLSEvent) error {
	if e.Level == wire.OneRTTLevel {
		return c.keys.SetReadSecret(c.version, e.Suite, e.Data)
	}
	opener, err := protect.NewOpener(c.version, e.Suite, e.Data)
	if err == nil {
		keys := &c.hs.keys[e.Level]
		keys.opener, keys.canOpen = opener, true
	}
	return err
}

func (c *Conn) setWriteSecret(e TLSEvent) error {
	if e.Level == wire.OneRTTLevel {
		return c.keys.SetWriteSecret(c.version, e.Suite, e.Data)
	}
	sealer, err := protect.NewSealer(c.version, e.Suite, e.Data)
	if err == nil {
		keys := &c.hs.keys[e.Level]
		keys.sealer, keys.canSeal = sealer, true
	}
	return err
}

// handshakeComplete: the application may begin (RFC 9001, Section 4.1.1). For
// a server the handshake is confirmed with that, and it tells the client.
func (c *Conn) handshakeComplete(now monotime.Time) {
	c.hs.complete = true
	c.state = stateEstablished
	c.deadlines[slotHandshake] = 0
	c.event(EventHandshakeComplete, nil)
	c.traceState(now, quictrace.StateComplete)
	if c.side == wire.ServerSide {
		if err := c.tls.SendSessionTicket(); err == nil {
			c.pollTLS(now) // the ticket cannot fail the connection
		}
		c.handshakeDone.set()
		c.giveToken()
		c.confirm(now)
	}
}

// established reports whether the handshake is complete (RFC 9001, Section 4.1.1).
// 1-RTT packets may not be processed before (RFC 9001, Section 5.7).
func (c *Conn) established() bool { return c.hs == nil || c.hs.complete }

// confirmed reports whether the handshake is confirmed (RFC 9001, Section 4.1.2).
func (c *Conn) confirmed() bool { return c.hs == nil || c.hs.confirmed }

// canOpen reports whether there are keys to open packets of a level.
func (c *Conn) canOpen(l wire.Level) bool {
	if l == wire.OneRTTLevel {
		return c.keys.CanRead()
	}
	return c.hs != nil && c.hs.keys[l].canOpen
}

// canSeal reports whether there are keys to seal packets of a level.
func (c *Conn) canSeal(l wire.Level) bool {
	if l == wire.OneRTTLevel {
		return c.keys.CanWrite()
	}
	return c.hs != nil && c.hs.keys[l].canSeal
}

// canSealIn reports whether there are keys to seal packets of a space.
func (c *Conn) canSealIn(id wire.Space) bool {
	return c.canSeal(id.CryptoLevel()) || id == wire.AppSpace && c.canSeal(wire.ZeroRTTLevel)
}

// confirm ends the handshake: its keys and all that belongs to it may go
// (RFC 9001, Sections 4.1.2 and 4.9.2). Packets that waited for 1-RTT keys
// are looked at by the caller of the frame that brought this about.
func (c *Conn) confirm(now monotime.Time) {
	if c.confirmed() {
		return
	}
	c.hs.confirmed = true
	c.traceState(now, quictrace.StateConfirmed)
	c.discardSpace(now, wire.InitialSpace)
	c.discardSpace(now, wire.HandshakeSpace)
	c.endpoint.forgetOriginal(c)
	if c.side == wire.ServerSide {
		c.endpoint.rememberOriginal(now, c.hs.initialDstID)
	}
	c.ids.issue(c)
	c.paths.Current.MTU.Start(int(c.peer.maxUDPPayload))
	c.paths.Current.Validate()
	if c.side == wire.ClientSide {
		c.probePreferred(now)
		c.event(EventPaths, nil)
	}
}

// discardSpace drops the keys of a space (RFC 9001, Section 4.9).
func (c *Conn) discardSpace(now monotime.Time, id wire.Space) {
	if c.hs == nil || c.hs.discarded[id] {
		return
	}
	c.loss.Discard(now, id)
	c.hs.discarded[id] = true
	level := id.CryptoLevel()
	if c.hs.keys[level].canSeal {
		c.traceKeysGone(now, level, 0)
	}
	c.hs.keys[level] = levelKeys{}
	c.hs.spaces[id] = numberSpace{}
}

// dropHandshakeState frees it once confirmed and no early packet waits.
func (c *Conn) dropHandshakeState() {
	if c.hs != nil && c.confirmed() && len(c.hs.early.list) == 0 {
		c.hs = nil
	}
}

// tlsError turns the handshake's error into a connection error
// (RFC 9001, Section 4.8).
func tlsError(err error) *TransportError {
	var alert *TLSAlert
	if errors.As(err, &alert) {
		code := wire.CryptoErrorBase + wire.ErrorCode(alert.Code)
		if alert.Violation {
			code = wire.ProtocolViolation
		}
		return &TransportError{Code: code, Frame: wire.FrameCrypto, Reason: alert.Error(), Err: alert.Err}
	}
	return &TransportError{Code: wire.InternalError, Frame: wire.FrameCrypto, Reason: fmt.Sprint("handshake: ", err), Err: err}
}
