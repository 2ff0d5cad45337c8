// Package trace reads what came over a network: packets, and what is in them as far as
// the keys in a key log open them.
package trace

import (
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/interop/runner/network"
)

// Packet is a QUIC packet.
type Packet struct {
	Time       time.Time
	Datagram   int // its index
	FromClient bool
	Path       netip.AddrPort // the client's address as the server sees it
	ECN        byte
	Fate       network.Fate

	Type     wire.PacketType
	Version  wire.Version      // not of 1-RTT packets
	Dst, Src wire.ConnectionID // Src not of 1-RTT packets, whose Dst is known if they are open
	Token    []byte            // of Initial and Retry packets
	Size     int               // bytes

	Open     bool // there was a key for it
	Number   wire.PacketNumber
	KeyPhase bool // of 1-RTT packets
	Frames   Frames
}

// Frames is what is looked for among the frames of a packet.
type Frames struct {
	AckECN     bool
	Challenges []wire.PathData
	Responses  []wire.PathData
	CryptoEnd  uint64 // the highest offset of CRYPTO frames, exclusive; 0 for none
	Streams    bool   // there is a STREAM frame
	CloseCode  *uint64
}

// Connection is a connection, or an attempt at one.
type Connection struct {
	Client      netip.AddrPort
	Offered     []uint16 // the client's cipher suites
	Suite       uint16   // the server's choice, 0 if unknown
	Certificate bool     // the server sent one
	StreamLimit *uint64  // initial_max_streams_bidi of the server, if it could be read
	CryptoEnd   uint64   // how many bytes the server's handshake has
	ClientCID   wire.ConnectionID
	keys        keys
	original    wire.ConnectionID // the destination of the first Initial packet
	serverLen   int               // length of the server's connection IDs, once known
	crypto      [2]streams        // of the client's and the server's handshake
}

// Trace is all that is known.
type Trace struct {
	Packets     []Packet
	Connections []*Connection

	secrets secrets
}

// Read reads what came to a network, with the lines of a key log (the format of NSS), which
// may be none.
func Read(log []network.Datagram, keyLog []byte) *Trace {
	t := &Trace{secrets: parseKeyLog(keyLog)}
	for i := range log {
		t.datagram(i, &log[i])
	}
	return t
}

// datagram reads the packets of a datagram.
func (t *Trace) datagram(i int, d *network.Datagram) {
	b := d.Data
	for len(b) > 0 {
		p := Packet{
			Time: d.Time, Datagram: i, FromClient: d.FromClient, Path: d.Path, ECN: d.ECN, Fate: d.Fate,
			Number: wire.NoPacket,
		}
		n := t.packet(&p, d.Client, b)
		if n <= 0 {
			return // no QUIC, or padding
		}
		t.Packets = append(t.Packets, p)
		b = b[n:]
	}
}

// packet reads the first packet in b, and returns its length; 0 if it is none.
func (t *Trace) packet(p *Packet, client netip.AddrPort, b []byte) int {
	inv, ok := wire.ParseInvariant(b, 0)
	switch {
	case !ok || !wire.IsQUIC(b) && !inv.Long:
		return 0
	case !inv.Long:
		p.Type, p.Size = wire.OneRTTPacket, len(b)
		t.openShort(p, client, b)
		return len(b)
	case inv.Version == 0:
		p.Type, p.Size = wire.VersionNegotiationPacket, len(b)
		return len(b)
	}
	h, ok := wire.ParseLongHeader(b)
	if !ok {
		return 0
	}
	p.Type, p.Version, p.Dst, p.Src, p.Token, p.Size = h.Type, h.Version, h.DstID, h.SrcID, h.Token, h.PacketLen
	t.openLong(p, client, &h, b[:h.PacketLen])
	return h.PacketLen
}

// connection finds the connection of a long header, or makes one for a client's Initial
// packet.
func (t *Trace) connection(p *Packet, client netip.AddrPort) *Connection {
	own := p.Src // the client's
	if !p.FromClient {
		own = p.Dst
	}
	for _, c := range t.Connections {
		if c.Client == client && c.ClientCID == own && (own.Len() > 0 || !p.FromClient || p.Type != wire.InitialPacket || c.knows(p.Dst)) {
			return c
		}
	}
	if !p.FromClient || p.Type != wire.InitialPacket {
		return nil
	}
	c := &Connection{Client: client, ClientCID: own, original: p.Dst, serverLen: -1}
	t.Connections = append(t.Connections, c)
	return c
}

// knows reports whether a client that has empty IDs sends to id on this connection.
func (c *Connection) knows(id wire.ConnectionID) bool {
	return id == c.original || c.serverLen >= 0
}
