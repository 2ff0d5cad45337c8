package engine_test

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// initialKeys derives the puppet's Initial keys.
func (p *puppet) initialKeys(dst wire.ConnectionID) {
	p.initialDst = dst
	p.sealers[wire.InitialSpace], p.openers[wire.InitialSpace] = protect.NewInitial(p.version, dst.Bytes(), p.side)
}

// start makes both sides have Initial keys: a puppet client's hello is ready
// to be sent, a puppet server has read the client's.
func (p *puppet) start() {
	p.t.Helper()
	if p.side == wire.ClientSide {
		p.initialKeys(p.original)
		p.startTLS()
		p.pollTLS()
		return
	}
	p.conn, _ = p.endpoint.Dial(p.now, p.path, p.config, &sim.FakeTLS{Side: wire.ClientSide, Early: p.earlyTLS})
	if p.dialled != nil {
		p.dialled(p.conn)
	}
	p.poll()
}

// startTLS begins the puppet's handshake with its transport parameters.
func (p *puppet) startTLS() {
	p.t.Helper()
	p.params.InitialSrcID = wire.SomeID(p.local)
	if p.side == wire.ServerSide {
		p.params.OriginalDstID = wire.SomeID(p.original)
	}
	if p.editTP != nil {
		p.editTP(&p.params)
	}
	if err := p.tls.Start(p.version, append(wire.AppendTransportParameters(nil, &p.params), p.extraTP...)); err != nil {
		p.fatal("%v", err)
	}
}

// forgetHandshake makes a puppet server ready for a client that begins anew.
func (p *puppet) forgetHandshake(v wire.Version) {
	p.version, p.tls = v, &sim.FakeTLS{Side: p.side}
	clear(p.openers[:])
	clear(p.sealers[:])
	clear(p.spaces[:])
	p.frames = nil
}

// handshake brings both sides to a confirmed handshake with nothing left to
// acknowledge and no frame unread.
func (p *puppet) handshake() {
	p.t.Helper()
	p.start()
	for range 4 {
		p.flush()
		if p.shook && p.established() {
			break
		}
	}
	if !p.shook || !p.established() {
		p.fatal("the handshake does not complete: %v", p.conn.Closed())
	}
	if p.side == wire.ServerSide {
		p.send(wire.AppSpace, handshakeDone())
	}
	for range 3 { // the answers to the last flight, and to the limits in it
		p.advance(p.rtt)
		p.ack()
	}
	p.frames, p.answers, p.events = nil, nil, nil
}

// established reports whether the endpoint told of a complete handshake.
func (p *puppet) established() bool {
	for _, e := range p.events {
		if e.Kind == engine.EventHandshakeComplete {
			return true
		}
	}
	return false
}

// flush sends the handshake bytes that are due, each space's in packets of its
// own, with an acknowledgment of what came.
func (p *puppet) flush() {
	p.t.Helper()
	p.advance(p.rtt)
	for space := wire.InitialSpace; space <= wire.AppSpace; space++ {
		s := &p.spaces[space]
		for len(s.toSend) > 0 {
			n := min(len(s.toSend), 1000)
			frames := []frame{crypto(s.cryptoOut, s.toSend[:n])}
			if len(s.received) > 0 {
				frames = append(frames, p.ackFrame(space))
			}
			s.cryptoOut += uint64(n)
			s.toSend = s.toSend[n:]
			p.send(space, frames...)
		}
	}
}

// readCrypto feeds the endpoint's handshake bytes to the puppet's handshake.
func (p *puppet) readCrypto(space wire.Space, f frame) {
	p.t.Helper()
	s := &p.spaces[space]
	c := f.crypto()
	if c.Offset > s.cryptoIn {
		p.fatal("handshake bytes from %d on, only %d were read", c.Offset, s.cryptoIn)
	}
	if end := c.Offset + uint64(len(c.Data)); end > s.cryptoIn {
		data := c.Data[s.cryptoIn-c.Offset:]
		s.cryptoIn = end
		if err := p.tls.HandleData(space.CryptoLevel(), data); err != nil {
			p.fatal("the endpoint's handshake: %v", err)
		}
		p.pollTLS()
	}
}

// pollTLS acts on what the puppet's handshake has to say.
func (p *puppet) pollTLS() {
	p.t.Helper()
	for e := p.tls.NextEvent(); e.Kind != engine.TLSNoEvent; e = p.tls.NextEvent() {
		var err error
		switch e.Kind {
		case engine.TLSReadSecret:
			switch e.Level {
			case wire.OneRTTLevel:
				err = p.keys.SetReadSecret(p.version, e.Suite, e.Data)
			case wire.ZeroRTTLevel:
				p.earlyOpener, err = protect.NewOpener(p.version, e.Suite, e.Data)
			default:
				p.openers[e.Level.Space()], err = protect.NewOpener(p.version, e.Suite, e.Data)
			}
		case engine.TLSWriteSecret:
			switch e.Level {
			case wire.OneRTTLevel:
				err = p.keys.SetWriteSecret(p.version, e.Suite, e.Data)
			case wire.ZeroRTTLevel:
				p.earlySealer, err = protect.NewSealer(p.version, e.Suite, e.Data)
			default:
				p.sealers[e.Level.Space()], err = protect.NewSealer(p.version, e.Suite, e.Data)
			}
		case engine.TLSWriteData:
			s := &p.spaces[e.Level.Space()]
			s.toSend = append(s.toSend, e.Data...)
		case engine.TLSNeedParameters:
			p.startTLS()
		case engine.TLSPeerParameters:
			p.peer, err = wire.ParseTransportParameters(e.Data, p.side.Peer())
		case engine.TLSHandshakeDone:
			p.shook = true
		}
		if err != nil {
			p.fatal("handshake: %v", err)
		}
	}
}

// wantClose demands that the endpoint have closed with a transport error.
func (p *puppet) wantClose(code wire.ErrorCode) {
	p.t.Helper()
	p.wantClosedWith(code)
	for _, f := range p.frames {
		if f.kind() == wire.FrameConnectionClose && f.close().Code == uint64(code) {
			return
		}
	}
	p.fatal("no CONNECTION_CLOSE with %v was sent", code)
}

// wantClosedWith is wantClose where its CONNECTION_CLOSE cannot be read.
func (p *puppet) wantClosedWith(code wire.ErrorCode) {
	p.t.Helper()
	if p.conn == nil {
		p.fatal("there is no connection, want %v", code)
	}
	var err *engine.TransportError
	if !errors.As(p.conn.Closed(), &err) || err.Remote || err.Code != code {
		p.fatal("the connection ended with %v, want %v", p.conn.Closed(), code)
	}
}

// wantOpen demands that the connection go on.
func (p *puppet) wantOpen() {
	p.t.Helper()
	if p.conn == nil {
		p.fatal("there is no connection")
	}
	if err := p.conn.Closed(); err != nil {
		p.fatal("the connection ended with %v", err)
	}
}

// wantForgotten lets the closing period pass and demands that nothing stay.
func (p *puppet) wantForgotten() {
	p.t.Helper()
	p.advance(maxClosing)
	if n := p.endpoint.Conns(); n != 0 {
		p.fatal("%d connections are left", n)
	}
	if err := p.endpoint.CheckEmpty(); err != nil {
		p.fatal("%v", err)
	}
}

// wantDropped demands that a packet of the puppet be dropped.
func (p *puppet) wantDropped(data []byte) {
	p.t.Helper()
	before, sent := p.conn.Stats().ReceivedPackets, p.sent
	p.raw(data)
	if got := p.conn.Stats().ReceivedPackets; got != before || p.sent != sent {
		p.fatal("%d packets were taken, %d datagrams sent", got-before, p.sent-sent)
	}
	p.wantOpen()
}

// handshakeGoesOn demands that the handshake complete.
func (p *puppet) handshakeGoesOn() {
	p.t.Helper()
	p.shakeHands()
	if !p.shook || !p.established() {
		p.fatal("the handshake does not complete: %v", p.conn.Closed())
	}
}
