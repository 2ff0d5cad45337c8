package trace

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/godwit-quic/godwit/internal/wire"
)

// streams are the bytes of a side's handshake, by space: Initial and Handshake.
type streams [2]stream

// stream is bytes that come in pieces.
type stream struct {
	pieces map[uint64][]byte
	whole  []byte // from the start, as far as it goes
}

// maxCrypto bounds the bytes of a handshake that are looked at.
const maxCrypto = 1 << 20

// add adds a piece.
func (s *stream) add(off uint64, b []byte) {
	if off > maxCrypto {
		return
	}
	if s.pieces == nil {
		s.pieces = make(map[uint64][]byte)
	}
	if len(b) > len(s.pieces[off]) {
		s.pieces[off] = append([]byte(nil), b...)
	}
	for more := true; more; {
		more = false
		for off, b := range s.pieces {
			have := uint64(len(s.whole))
			if off <= have && off+uint64(len(b)) > have {
				s.whole = append(s.whole, b[have-off:]...)
				more = true
			}
		}
	}
}

// messages calls f for each message of TLS that is there whole (RFC 8446, Section 4).
func (s *stream) messages(f func(kind byte, body []byte)) {
	for b := s.whole; len(b) >= 4; {
		n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < 4+n {
			return
		}
		f(b[0], b[4:4+n])
		b = b[4+n:]
	}
}

// The types of TLS's messages, and of the extension with transport parameters.
const (
	clientHello          = 1
	serverHello          = 2
	encryptedExtensions  = 8
	certificate          = 11
	compressedCert       = 25
	transportParamsExt   = 57
	helloRandom          = 2 // offset in both hellos
	helloRandomLen       = 32
	maxCryptoSpaces      = 2
	initialSpace         = 0
	maxSessionIDAndCount = 35 // offset of the session ID's end at least
)

// takeCrypto takes a piece of a handshake, and reads what is whole of it.
func (c *Connection) takeCrypto(p *Packet, space int, f *wire.Crypto) {
	if space >= maxCryptoSpaces {
		return // tickets
	}
	s := &c.crypto[side(p)][space]
	s.add(f.Offset, f.Data)
	if !p.FromClient && space != initialSpace {
		c.CryptoEnd = max(c.CryptoEnd, p.Frames.CryptoEnd)
	}
	s.messages(func(kind byte, body []byte) {
		switch {
		case kind == clientHello && p.FromClient && len(body) > maxSessionIDAndCount:
			c.readClientHello(body)
		case kind == serverHello && !p.FromClient:
			c.readServerHello(body)
		case kind == encryptedExtensions && !p.FromClient:
			c.readExtensions(body)
		case (kind == certificate || kind == compressedCert) && !p.FromClient:
			c.Certificate = true
		}
	})
}

func (c *Connection) readClientHello(body []byte) {
	c.keys.random = hex.EncodeToString(body[helloRandom : helloRandom+helloRandomLen])
	r := body[helloRandom+helloRandomLen:]
	if r = after(r, 1); len(r) < 2 { // the session ID
		return
	}
	n := int(binary.BigEndian.Uint16(r))
	if r = r[2:]; len(r) < n {
		return
	}
	c.Offered = nil
	for i := 0; i+1 < n; i += 2 {
		c.Offered = append(c.Offered, binary.BigEndian.Uint16(r[i:]))
	}
}

func (c *Connection) readServerHello(body []byte) {
	if len(body) < helloRandom+helloRandomLen {
		return
	}
	if r := after(body[helloRandom+helloRandomLen:], 1); len(r) >= 2 {
		c.Suite = binary.BigEndian.Uint16(r)
	}
}

// readExtensions reads the server's transport parameters.
func (c *Connection) readExtensions(body []byte) {
	if len(body) < 2 {
		return
	}
	for r := body[2:]; len(r) >= 4; {
		kind, n := binary.BigEndian.Uint16(r), int(binary.BigEndian.Uint16(r[2:]))
		if len(r) < 4+n {
			return
		}
		if kind == transportParamsExt {
			if params, err := wire.ParseTransportParameters(r[4:4+n], wire.ServerSide); err == nil {
				limit := params.InitialMaxStreamsBidi
				c.StreamLimit = &limit
			}
		}
		r = r[4+n:]
	}
}

// after returns what follows a vector whose length has size bytes, nil if it is cut off.
func after(b []byte, size int) []byte {
	if len(b) < size {
		return nil
	}
	n := 0
	for _, v := range b[:size] {
		n = n<<8 | int(v)
	}
	if len(b) < size+n {
		return nil
	}
	return b[size+n:]
}
