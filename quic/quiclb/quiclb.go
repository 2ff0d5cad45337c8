// Package quiclb makes connection IDs that load balancers can read, so that they send
// all packets of a connection to the same server, wherever its client moves. A server gives
// what New returns to quic.TransportConfig.ConnectionIDs.
//
// The layouts are those of draft-ietf-quic-load-balancers as it was after -21, "QUIC-LB", whose
// sections are cited by name: an ID begins with three bits that say which configuration it is
// of and five that say how long it is, or are random. A server ID and a nonce follow, in
// plaintext or encrypted with a key that servers and load balancers share. Each event loop of
// a server has its own part of the nonces, so that no other layout is needed to tell for which
// of them a packet is. NLB and Katran make those of two load balancers.
//
// Config.NewDecoder is for load balancers.
package quiclb

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// Config is a configuration of servers and load balancers (Server ID Encoding in Connection IDs).
type Config struct {
	// ID is the configuration's, from 0 to 6: while servers change to another, IDs of
	// both are in use (Config Rotation).
	ID uint8
	// ServerIDLen and NonceLen are in bytes: at least 1 and 4, and 19 at most together.
	// A nonce has one byte more than is needed for the event loops of a server: with 4, an
	// ID that is made again for another connection is to be expected after some ten thousand.
	ServerIDLen, NonceLen int
	// Key, of 16 bytes, encrypts server ID and nonce with AES-128, in one pass if they have
	// 16 bytes together and in four otherwise. Without one, everybody can see which server a
	// connection is at, and link a client's addresses by it.
	Key []byte
	// EncodeLength has the first byte of an ID say how many follow it (Length Self-Description). Without
	// it, these bits are random.
	EncodeLength bool
}

const (
	// unroutableID is the configuration of IDs that say nothing (Configuration Failover).
	unroutableID = 7
	configBits   = 5 // behind those of the configuration
	lengthMask   = 1<<configBits - 1

	minServerID, minNonce = 1, 4
	// maxPlain is how much there is room for behind the first byte, in version 1.
	maxPlain = wire.MaxConnectionIDLen - 1
)

// layout is a Config, checked.
type layout struct {
	Config
	plain int          // bytes of server ID and nonce
	block cipher.Block // nil without a key
}

func (c *Config) layout() (*layout, error) {
	l := &layout{Config: *c, plain: c.ServerIDLen + c.NonceLen}
	switch {
	case c.ID >= unroutableID:
		return nil, fmt.Errorf("quiclb: Config.ID is %d, not 0 to %d", c.ID, unroutableID-1)
	case c.ServerIDLen < minServerID || c.NonceLen < minNonce || c.ServerIDLen > maxPlain || c.NonceLen > maxPlain || l.plain > maxPlain:
		return nil, fmt.Errorf("quiclb: a server ID of %d bytes and a nonce of %d: at least %d and %d, and %d at most together",
			c.ServerIDLen, c.NonceLen, minServerID, minNonce, maxPlain)
	case len(c.Key) != 0 && len(c.Key) != aes.BlockSize:
		return nil, fmt.Errorf("quiclb: Config.Key has %d bytes, not %d", len(c.Key), aes.BlockSize)
	}
	if len(c.Key) != 0 {
		block, err := aes.NewCipher(c.Key)
		if err != nil {
			return nil, fmt.Errorf("quiclb: %w", err)
		}
		l.block = block
	}
	return l, nil
}

// seal encrypts server ID and nonce in place.
func (l *layout) seal(b []byte) {
	switch {
	case l.block == nil:
	case l.plain == aes.BlockSize:
		l.block.Encrypt(b, b)
	default:
		fourPasses(l.block, b, false)
	}
}

// open decrypts what seal has encrypted.
func (l *layout) open(b []byte) {
	switch {
	case l.block == nil:
	case l.plain == aes.BlockSize:
		l.block.Decrypt(b, b)
	default:
		fourPasses(l.block, b, true)
	}
}

// ErrUnroutable: a connection ID of another configuration, or too short for its own, such as
// one that a client has invented (Unroutable Connection IDs).
var ErrUnroutable = errors.New("quiclb: the connection ID says no server")

// A Decoder reads server IDs. Its methods may be called from any goroutine.
type Decoder struct{ layout *layout }

// NewDecoder returns the Decoder of a configuration.
func (c *Config) NewDecoder() (*Decoder, error) {
	l, err := c.layout()
	if err != nil {
		return nil, err
	}
	return &Decoder{l}, nil
}

// AppendServerID appends to dst the server ID in a connection ID, which may have more bytes
// behind it, as in a packet with a short header. The error is ErrUnroutable.
func (d *Decoder) AppendServerID(dst, id []byte) ([]byte, error) {
	plain, ok := d.layout.read(id)
	if !ok {
		return dst, ErrUnroutable
	}
	return append(dst, plain[:d.layout.ServerIDLen]...), nil
}

// read returns server ID and nonce of a connection ID, with what is behind it.
func (l *layout) read(id []byte) (plain [maxPlain]byte, ok bool) {
	if len(id) < 1+l.plain || id[0]>>configBits != l.ID {
		return plain, false
	}
	copy(plain[:l.plain], id[1:])
	l.open(plain[:l.plain])
	return plain, true
}

// New returns a generator of connection IDs for a server with this ID.
// older are configurations that the server had before, with the ID it had there, and with what
// was older then: connections with their IDs go on.
func New(c Config, serverID []byte, older ...quic.ConnectionIDGenerator) (quic.ConnectionIDGenerator, error) {
	l, err := c.layout()
	if err != nil {
		return nil, err
	}
	if len(serverID) != c.ServerIDLen {
		return nil, fmt.Errorf("quiclb: a server ID of %d bytes, not Config.ServerIDLen's %d", len(serverID), c.ServerIDLen)
	}
	g := &generator{layout: l, serverID: append([]byte(nil), serverID...)}
	for _, o := range older {
		before, ok := o.(*generator)
		if !ok {
			return nil, errors.New("quiclb: an older generator that is not New's")
		}
		for _, b := range append([]*generator{before}, before.older...) {
			switch known := g.of(b.layout.ID); {
			case known == nil:
				g.older = append(g.older, &generator{layout: b.layout, serverID: b.serverID})
			case known.layout != b.layout:
				return nil, fmt.Errorf("quiclb: two configurations have ID %d", b.layout.ID)
			}
		}
	}
	return g, nil
}
