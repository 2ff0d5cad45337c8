package attack

import (
	"bytes"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// cryptoChunk is how many handshake bytes go into a packet.
const cryptoChunk = 1000

// rewind makes all handshake bytes be sent again.
func (c *conn) rewind() {
	for s := range c.spaces {
		c.spaces[s].sent = 0
	}
}

// sendHandshake sends the handshake bytes that are due, with acknowledgments.
func (c *conn) sendHandshake() {
	for s := wire.InitialSpace; s < wire.AppSpace; s++ {
		sp := &c.spaces[s]
		if !c.sealers[s].Valid() {
			continue
		}
		for sp.sent < len(sp.cryptoOut) || sp.owed {
			var b []byte // the payload under construction may be waiting for this
			if sp.owed {
				b = wire.AppendAck(b, maxAck, 0, sp.received, nil)
				sp.owed = false
			}
			n := min(len(sp.cryptoOut)-sp.sent, cryptoChunk)
			if n > 0 {
				b = wire.AppendCrypto(b, wire.Crypto{Offset: uint64(sp.sent), Data: sp.cryptoOut[sp.sent:][:n]})
			}
			sp.sent += n
			c.sendIn(s, b)
		}
	}
}

// readCrypto feeds the server's handshake bytes to the handshake.
func (c *conn) readCrypto(s wire.Space, f *wire.Crypto) {
	sp := &c.spaces[s]
	end := f.Offset + uint64(len(f.Data))
	if f.Offset > sp.cryptoIn || end <= sp.cryptoIn || c.err != nil {
		return // a gap is filled when the server sends it again
	}
	data := f.Data[sp.cryptoIn-f.Offset:]
	sp.cryptoIn = end
	if c.err = c.tls.HandleData(s.CryptoLevel(), data); c.err == nil {
		c.err = c.pollTLS()
	}
}

// pollTLS acts on what the handshake has to say.
func (c *conn) pollTLS() (err error) {
	for e := c.tls.NextEvent(); e.Kind != engine.TLSNoEvent && err == nil; e = c.tls.NextEvent() {
		switch e.Kind {
		case engine.TLSReadSecret:
			if e.Level == wire.OneRTTLevel {
				err = c.keys.SetReadSecret(wire.Version1, e.Suite, e.Data)
			} else {
				c.openers[e.Level.Space()], err = protect.NewOpener(wire.Version1, e.Suite, e.Data)
			}
		case engine.TLSWriteSecret:
			if e.Level == wire.OneRTTLevel {
				err = c.keys.SetWriteSecret(wire.Version1, e.Suite, e.Data)
			} else {
				c.sealers[e.Level.Space()], err = protect.NewSealer(wire.Version1, e.Suite, e.Data)
			}
		case engine.TLSWriteData:
			sp := &c.spaces[e.Level.Space()]
			sp.cryptoOut = append(sp.cryptoOut, e.Data...)
		case engine.TLSPeerParameters:
			c.peer, err = wire.ParseTransportParameters(e.Data, wire.ServerSide)
			c.maxData = c.peer.InitialMaxData
			c.maxStreams = [2]uint64{c.peer.InitialMaxStreamsBidi, c.peer.InitialMaxStreamsUni}
		case engine.TLSHandshakeDone:
			c.sendHandshake()
			c.established = true
			if c.settings != nil {
				c.sendSettings()
			}
		}
	}
	return err
}

// handleRetry begins again with the server's token (RFC 9000, Section 17.2.5).
func (c *conn) handleRetry(h *wire.LongHeader) {
	if len(c.token) > 0 || c.spaces[wire.InitialSpace].cryptoIn > 0 {
		return
	}
	c.token = bytes.Clone(h.Token)
	c.remote = h.SrcID
	c.sealers[wire.InitialSpace], c.openers[wire.InitialSpace] = protect.NewInitial(wire.Version1, c.remote.Bytes(), wire.ClientSide)
	c.rewind()
	c.sendHandshake()
}
