package trace

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// secrets are those of a key log, by the client's random, in hexadecimal, and label.
type secrets map[string]map[string][]byte

func parseKeyLog(log []byte) secrets {
	s := make(secrets)
	for lines := bufio.NewScanner(bytes.NewReader(log)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			continue
		}
		secret, err := hex.DecodeString(fields[2])
		if err != nil {
			continue
		}
		random := strings.ToLower(fields[1])
		if s[random] == nil {
			s[random] = make(map[string][]byte)
		}
		s[random][fields[0]] = secret
	}
	return s
}

// The labels of a key log, by side.
var (
	handshakeLabels = [2]string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"}
	trafficLabels   = [2]string{"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
)

// keys are those of a connection, by the side that sends: 0 for the client.
type keys struct {
	random    string
	version   wire.Version // of Handshake packets, and so of the keys for 1-RTT packets
	handshake [2]protect.Opener
	app       [2]protect.AppKeys
	largest   [2][3]wire.PacketNumber // by space, one higher, so that 0 is none
}

func side(p *Packet) int {
	if p.FromClient {
		return 0
	}
	return 1
}

// openLong opens a packet with a long header as far as there are keys.
func (t *Trace) openLong(p *Packet, client netip.AddrPort, h *wire.LongHeader, b []byte) {
	if p.Type == wire.RetryPacket {
		return
	}
	c := t.connection(p, client)
	if c == nil {
		return
	}
	if !p.FromClient {
		c.serverLen = p.Src.Len()
	}
	switch p.Type {
	case wire.InitialPacket:
		c.openInitial(p, h, b)
	case wire.HandshakePacket:
		c.openHandshake(t, p, h, b)
	}
}

// openInitial opens an Initial packet, whose keys follow from the destination of the
// client's first one, or its first after a Retry (RFC 9001, Section 5.2).
func (c *Connection) openInitial(p *Packet, h *wire.LongHeader, b []byte) {
	from := wire.ServerSide // NewInitial has what this side opens
	if !p.FromClient {
		from = wire.ClientSide
	}
	for _, id := range []wire.ConnectionID{c.original, p.Dst} {
		_, opener := protect.NewInitial(h.Version, id.Bytes(), from)
		if c.open(p, 0, bytes.Clone(b), func(b []byte, largest wire.PacketNumber) ([]byte, wire.PacketNumber, error) {
			return opener.Open(b, h.PNOffset, largest)
		}) {
			if p.FromClient {
				c.original = id
			}
			return
		}
	}
}

func (c *Connection) openHandshake(t *Trace, p *Packet, h *wire.LongHeader, b []byte) {
	s := side(p)
	if !c.keys.handshake[s].Valid() {
		secret := t.secrets[c.keys.random][handshakeLabels[s]]
		opener, err := protect.NewOpener(h.Version, protect.Suite(c.Suite), secret)
		if secret == nil || err != nil {
			return
		}
		c.keys.handshake[s], c.keys.version = opener, h.Version
	}
	c.open(p, 1, bytes.Clone(b), func(b []byte, largest wire.PacketNumber) ([]byte, wire.PacketNumber, error) {
		return c.keys.handshake[s].Open(b, h.PNOffset, largest)
	})
}

// openShort opens a 1-RTT packet with the keys of a connection of the client's that fit.
func (t *Trace) openShort(p *Packet, client netip.AddrPort, b []byte) {
	for _, c := range t.Connections {
		if c.Client == client && c.openApp(t, p, b) {
			return
		}
	}
}

func (c *Connection) openApp(t *Trace, p *Packet, b []byte) bool {
	s, idLen := side(p), c.ClientCID.Len()
	if p.FromClient {
		idLen = c.serverLen
	}
	keys := &c.keys.app[s]
	if !keys.CanRead() && !c.makeAppKeys(t, keys, s) || idLen < 0 || len(b) < 1+idLen {
		return false
	}
	updated := false
	opened := c.open(p, 2, bytes.Clone(b), func(b []byte, largest wire.PacketNumber) ([]byte, wire.PacketNumber, error) {
		payload, pn, new, err := keys.Open(b, 1+idLen, largest)
		updated = new
		return payload, pn, err
	})
	if opened {
		p.KeyPhase = keys.KeyPhase()
		p.Dst, _ = wire.NewConnectionID(b[1 : 1+idLen])
	}
	if updated {
		sealSomething(keys)
	}
	return opened
}

// makeAppKeys makes the keys for 1-RTT packets of one side.
func (c *Connection) makeAppKeys(t *Trace, keys *protect.AppKeys, s int) bool {
	secret := t.secrets[c.keys.random][trafficLabels[s]]
	if secret == nil || c.Suite == 0 || c.keys.version == 0 {
		return false
	}
	suite := protect.Suite(c.Suite)
	if keys.SetWriteSecret(c.keys.version, suite, secret) != nil || keys.SetReadSecret(c.keys.version, suite, secret) != nil {
		return false
	}
	sealSomething(keys)
	return true
}

// sealSomething makes keys ready to follow the peer into the next phase: an endpoint that has
// sent nothing in one could not have caused that (RFC 9001, Section 6.2).
func sealSomething(keys *protect.AppKeys) {
	const pnLen, room = 4, 64
	var id wire.ConnectionID
	b := wire.AppendShortHeader(make([]byte, 0, room), &id, false, keys.KeyPhase(), 0, pnLen)
	keys.Seal(append(b, 0), len(b)-pnLen, pnLen, 0)
}

// open opens a packet of a space by a function, and reads its frames.
func (c *Connection) open(p *Packet, space int, b []byte, by func([]byte, wire.PacketNumber) ([]byte, wire.PacketNumber, error)) bool {
	s := side(p)
	largest := &c.keys.largest[s][space]
	payload, pn, err := by(b, *largest-1)
	if err != nil {
		return false
	}
	*largest = max(*largest, pn+1)
	p.Open, p.Number = true, pn
	c.frames(p, space, payload)
	return true
}
