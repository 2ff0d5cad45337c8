package attack

import (
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

var cryptoRows = []Row{
	{Name: "crypto-gap", Class: "CRYPTO buffering", run: cryptoGap,
		Does: "sends, on 50 connections that are established, a byte of the handshake far behind what came, so that all up to it has to be kept"},
	{Name: "crypto-fragments", Class: "CRYPTO buffering", run: cryptoFragments,
		Does: "sends every other byte of a handshake that is over, on 4 connections"},
}

func cryptoGap(a *attacker) error {
	conns, err := a.dialMany(50, dialing{})
	if err != nil {
		return err
	}
	a.begun()
	for _, off := range []uint64{4_000, 16_000, 65_000} {
		for _, c := range conns {
			if c.alive() {
				c.send(wire.AppendCrypto(nil, wire.Crypto{Offset: off, Data: []byte("x")}))
			}
		}
		a.pause(500 * time.Millisecond)
	}
	a.notef("%s", ends(conns))
	return nil
}

func cryptoFragments(a *attacker) error {
	conns, err := a.dialMany(4, dialing{})
	if err != nil {
		return err
	}
	a.begun()
	off := uint64(1)
	a.eachConn(50_000, conns, func(c *conn) bool {
		b := c.payload[:0]
		for len(b) < maxPayload-20 {
			b = wire.AppendCrypto(b, wire.Crypto{Offset: off % 65_000, Data: []byte("x")})
			off += 2
		}
		c.payload = b
		c.send(b)
		return true
	})
	a.notef("%s", ends(conns))
	return nil
}
