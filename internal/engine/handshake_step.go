package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A step of the handshake, which is giving TLS the bytes that have come, costs more
// than everything else that a datagram can bring about: key exchange, signature,
// verification. It is taken
//
//   - at once, with the frame that brings the bytes;
//   - when the driver calls HandleHandshake, if it asked for that and strangers ask
//     for the handshake (EndpointConfig.DeferHandshakes), so that established
//     connections come first;
//   - elsewhere, if TLS says that it is pending: the driver calls HandleHandshake
//     when it is done.
//
// Meanwhile the bytes of further CRYPTO frames are kept within the bounds of a
// cryptoStream, and packets for which there are no keys yet within maxEarlyPackets
// (RFC 9001, Section 5.7).

// handleCrypto takes a CRYPTO frame (RFC 9000, Section 19.6).
func (c *Conn) handleCrypto(now monotime.Time, id wire.Space, f *wire.Crypto) *TransportError {
	space := c.numberSpace(id)
	if space == nil {
		return nil
	}
	if id < wire.AppSpace && c.hs.cryptoOver[id] && f.Offset+uint64(len(f.Data)) > space.crypto.inAt {
		return errCryptoOver()
	}
	limit := uint64(maxCryptoBuffer)
	switch {
	case id == wire.InitialSpace:
		c.hs.version.settled = true
		limit = maxInitialCryptoBuffer
		if space.crypto.took(f.Offset, len(f.Data)) {
			c.hurryHandshake(now)
		}
	case id == wire.AppSpace && c.side == wire.ServerSide:
		limit = maxLateCryptoBuffer
	}
	deferred := c.endpoint.deferHandshakes && c.side == wire.ServerSide && c.state == stateHandshake
	if !deferred && !c.tls.Pending() {
		if data := space.crypto.direct(f.Offset, f.Data); len(data) > 0 {
			if err := c.giveTLS(now, id, space, data); err != nil {
				return err
			}
			return c.feedTLS(now, id)
		}
	}
	if err := space.crypto.receive(f.Offset, f.Data, limit); err != nil {
		return err
	}
	if deferred {
		c.hs.waits = c.hs.waits || len(space.crypto.take()) > 0
		return nil
	}
	return c.feedTLS(now, id)
}

// endCrypto ends the handshake bytes of the level before one that TLS has keys for: it must
// have taken all that came, and no more may come (RFC 9001, Section 4.1.3).
func (c *Conn) endCrypto(l wire.Level) *TransportError {
	over := wire.InitialSpace
	switch l {
	case wire.ZeroRTTLevel:
		return nil // TLS goes on in Initial packets
	case wire.OneRTTLevel:
		over = wire.HandshakeSpace
	}
	if space := c.numberSpace(over); space != nil && space.crypto.waits() {
		return errCryptoOver()
	}
	c.hs.cryptoOver[over] = true
	return nil
}

func errCryptoOver() *TransportError {
	return protocolError(wire.ProtocolViolation, wire.FrameCrypto, "handshake bytes of an encryption level that is over")
}

// giveTLS takes one step: it gives TLS the next bytes of a space.
func (c *Conn) giveTLS(now monotime.Time, id wire.Space, space *numberSpace, data []byte) *TransportError {
	err := c.tls.HandleData(id.CryptoLevel(), data)
	space.crypto.consume(len(data))
	if err != nil {
		return tlsError(err)
	}
	return c.pollTLS(now)
}

// feedTLS gives TLS the bytes of a space that wait, as far as it takes them now.
func (c *Conn) feedTLS(now monotime.Time, id wire.Space) *TransportError {
	for c.state < stateClosing && !c.tls.Pending() {
		space := c.numberSpace(id)
		if space == nil {
			return nil
		}
		data := space.crypto.take()
		if len(data) == 0 {
			return nil
		}
		if err := c.giveTLS(now, id, space, data); err != nil {
			return err
		}
	}
	return nil
}

// HandshakeWaits reports whether the handshake goes on with HandleHandshake.
func (c *Conn) HandshakeWaits() bool {
	return c.state == stateHandshake && c.hs.waits && !c.tls.Pending()
}

// Answered reports whether at least one packet of the peer was opened.
func (c *Conn) Answered() bool { return c.hs == nil || c.hs.answered }

// AddressValidated reports whether the peer has proved that it receives what is
// sent to its address, as with the token of a Retry packet (RFC 9000, Section 8.1).
func (c *Conn) AddressValidated() bool { return c.paths.Current.Validated() }

// HandleHandshake takes a step of a handshake: one that waits, or what follows from
// one that was pending and is done. It does nothing when there is none.
func (c *Conn) HandleHandshake(now monotime.Time) {
	if c.state >= stateClosing {
		return
	}
	if err := c.stepTLS(now); err != nil {
		c.fail(now, err)
	}
	if c.state < stateClosing {
		c.handleEarly(now)
		c.dropHandshakeState()
	}
}

func (c *Conn) stepTLS(now monotime.Time) *TransportError {
	if c.tls.Pending() {
		done, err := c.tls.Finish()
		switch {
		case !done:
			return nil
		case err != nil:
			return tlsError(err)
		}
		if err := c.pollTLS(now); err != nil {
			return err
		}
	}
	if c.hs != nil {
		c.hs.waits = false
	}
	for id := wire.InitialSpace; id <= wire.AppSpace; id++ {
		if err := c.feedTLS(now, id); err != nil {
			return err
		}
	}
	return nil
}
