package attack

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// localIDLen is the length of the attackers' connection IDs.
const localIDLen = 8

// conn is a client's connection that sends what it is told: frames of any kind, in
// any packet, acknowledged or not. It completes a handshake, reads what comes and
// remembers what the rows ask for; it keeps no rule by itself.
type conn struct {
	a    *attacker
	from netip.Addr // where its datagrams come from

	local, remote, original wire.ConnectionID
	token                   []byte // for Initial packets
	tls                     *handshake.Conn
	params, peer            wire.TransportParameters
	sealers                 [wire.AppSpace]protect.Sealer
	openers                 [wire.AppSpace]protect.Opener
	keys                    protect.AppKeys
	spaces                  [wire.NumSpaces]space
	settings                []h3.Setting // nil for a connection without a control stream
	established             bool
	closed                  *wire.ConnectionClose // by the server
	err                     error                 // of the handshake

	// mute keeps 1-RTT packets from being acknowledged.
	mute bool
	// window is how many packets may be unacknowledged before send waits; what is
	// lost is sent again. Without it, packets are sent once, at any rate.
	window  int
	unacked []sentPacket

	// What the server grants.
	maxData, sentData uint64
	maxStream         map[wire.StreamID]uint64 // where it differs from the transport parameters
	maxStreams        [2]uint64                // by whether they are unidirectional
	opened            [2]uint64
	ackedTo           wire.PacketNumber // the largest that the server acknowledged

	// onStream and onFrame, when set, see what arrives.
	onStream func(f *wire.Stream)
	onFrame  func(t wire.FrameType, body []byte)

	scratch []byte // a packet under construction
	payload []byte // its frames
}

// space is a packet number space.
type space struct {
	next      wire.PacketNumber
	received  []wire.PacketRange // descending
	owed      bool               // an acknowledgment
	cryptoIn  uint64
	cryptoOut []byte // all handshake bytes of this end
	sent      int    // of them
}

// sentPacket is a 1-RTT packet that may have to be sent again.
type sentPacket struct {
	pn      wire.PacketNumber
	at      time.Time
	payload []byte
}

// maxRanges is how many ranges of received packets are remembered.
const maxRanges = 64

// dialing is how a connection begins.
type dialing struct {
	from netip.Addr // where from; the attacker's one address unless set
	// params changes the transport parameters, which grant much.
	params func(*wire.TransportParameters)
	// settings are sent on a control stream; bare has none.
	settings []h3.Setting
	bare     bool
}

// tlsConfig makes small hellos, that fit into a packet: no post-quantum key share.
// Whom it talks to does not matter to an attacker.
var tlsConfig = &tls.Config{
	InsecureSkipVerify: true,
	NextProtos:         []string{h3.NextProto},
	CurvePreferences:   []tls.CurveID{tls.X25519},
}

// generous is more than any server sends.
const generous = 1 << 40

// begin starts a connection, whose handshake the attacker's poll carries on.
func (a *attacker) begin(d dialing) (*conn, error) {
	t, err := handshake.NewClient(tlsConfig, "localhost", false)
	if err != nil {
		return nil, err
	}
	c := &conn{a: a, from: d.from, tls: t, settings: d.settings, ackedTo: wire.NoPacket, maxStream: make(map[wire.StreamID]uint64)}
	if !c.from.IsValid() {
		c.from = a.from
	}
	if c.settings == nil && !d.bare {
		c.settings = []h3.Setting{}
	}
	c.local, c.original = a.randomID(), a.randomID()
	c.remote = c.original
	c.sealers[wire.InitialSpace], c.openers[wire.InitialSpace] = protect.NewInitial(wire.Version1, c.original.Bytes(), wire.ClientSide)
	c.params = wire.DefaultTransportParameters()
	c.params.MaxIdleTimeout = 30 * time.Second
	c.params.InitialMaxData = generous
	c.params.InitialMaxStreamDataBidiLocal = generous
	c.params.InitialMaxStreamDataBidiRemote = generous
	c.params.InitialMaxStreamDataUni = generous
	c.params.InitialMaxStreamsBidi = 100
	c.params.InitialMaxStreamsUni = 100
	c.params.MaxDatagramFrameSize = 65535
	if d.params != nil {
		d.params(&c.params)
	}
	c.params.InitialSrcID = wire.SomeID(c.local)
	if err := t.Start(wire.Version1, wire.AppendTransportParameters(nil, &c.params)); err != nil {
		return nil, err
	}
	if err := c.pollTLS(); err != nil {
		return nil, err
	}
	a.conns[c.local] = c
	a.handshakes++
	c.sendHandshake()
	return c, nil
}

// errNoHandshake is the error of a handshake that the server does not carry on.
var errNoHandshake = errors.New("the server does not complete the handshake")

// handshakePatience is how long a handshake may take, and resendAfter when its
// packets are sent again.
const (
	handshakePatience = 3 * time.Second
	resendAfter       = 250 * time.Millisecond
)

// dial opens a connection.
func (a *attacker) dial(d dialing) (*conn, error) {
	c, err := a.begin(d)
	if err != nil {
		return nil, err
	}
	return c, a.await(c)
}

// await waits until connections are established.
func (a *attacker) await(conns ...*conn) error {
	start := time.Now()
	resend := start
	for time.Since(start) < handshakePatience {
		a.poll(10 * time.Millisecond)
		waiting := 0
		for _, c := range conns {
			if err := c.failed(); err != nil {
				return err
			}
			if !c.established {
				waiting++
			}
		}
		if waiting == 0 {
			return nil
		}
		if time.Since(resend) < resendAfter {
			continue
		}
		resend = time.Now()
		for _, c := range conns {
			if !c.established {
				c.rewind()
				c.sendHandshake()
			}
		}
	}
	return errNoHandshake
}

// failed returns why a connection is over, nil if it is not.
func (c *conn) failed() error {
	if c.err != nil {
		return c.err
	}
	if c.closed != nil {
		return fmt.Errorf("closed by the server: %s", c.closeText())
	}
	return nil
}

// alive reports whether the server has not closed the connection.
func (c *conn) alive() bool { return c.closed == nil && c.err == nil }

// closeText says how the server closed the connection.
func (c *conn) closeText() string {
	switch {
	case c.closed == nil:
		return "not closed"
	case c.closed.App:
		return h3.ErrorCode(c.closed.Code).String()
	}
	return wire.ErrorCode(c.closed.Code).String()
}

// end forgets a connection; close says so to the server before.
func (c *conn) end() {
	delete(c.a.conns, c.local)
	c.tls.Close()
}

func (c *conn) close() {
	if c.established && c.alive() {
		c.send(wire.AppendConnectionClose(nil, wire.ConnectionClose{App: true, Code: uint64(h3.NoError)}))
	}
	c.end()
}

// randomID returns a connection ID.
func (a *attacker) randomID() wire.ConnectionID {
	var b [localIDLen]byte
	binary.BigEndian.PutUint64(b[:], a.rand.Uint64())
	id, _ := wire.NewConnectionID(b[:])
	return id
}
