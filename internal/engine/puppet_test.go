package engine_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// puppet is a peer that says exactly what a test wants, to one real endpoint,
// in virtual time. It completes a handshake by itself and then sends any
// frames in any packets, and reads what comes back:
//
//	p := newServer(t)          // the real one is a server, the puppet a client
//	p.handshake()
//	p.send(wire.AppSpace, stream(0, 0, "hello", true))
//	p.want(maxStreams(true, 3))
//	p.silence()
//	p.send(wire.AppSpace, handshakeDone())
//	p.wantClose(wire.ProtocolViolation)
//
// Whatever the endpoint sends is read at once, and the connection's invariants
// are checked each time.
type puppet struct {
	t        testing.TB
	now      monotime.Time
	side     wire.Side     // the puppet's own
	rtt      time.Duration // how long the puppet takes to answer in the handshake
	path     path.Addrs    // where the puppet's datagrams seem to come from
	endpoint *engine.Endpoint
	config   *engine.Config
	server   *engine.Server // of an endpoint that accepts
	gate     engine.Gate
	used     engine.TokenGuard
	resets   [][32]byte // the endpoint's keys of stateless resets
	memory   *streambuf.Memory
	dialled  func(*engine.Conn) // is shown a real client before it sends; nil for nobody
	ids      connid.Generator   // of the endpoint
	conn     *engine.Conn       // the real connection, nil until there is one

	version     wire.Version   // of what the puppet sends
	versions    []wire.Version // of the endpoint's packets with long headers
	tls         *sim.FakeTLS
	earlyTLS    *wire.TransportParameters       // what a real client remembers for early data
	params      wire.TransportParameters        // the puppet's
	editTP      func(*wire.TransportParameters) // changes params last
	extraTP     []byte                          // encoded parameters behind params
	peer        wire.TransportParameters        // the endpoint's
	local       wire.ConnectionID               // the puppet's ID
	remote      wire.ConnectionID               // the ID the puppet sends to
	original    wire.ConnectionID               // the client's first destination ID
	initialDst  wire.ConnectionID               // the one that the Initial keys come from
	token       []byte                          // for Initial packets
	newTokens   [][]byte                        // of the real server, from NEW_TOKEN frames
	clientToken []byte                          // of the real endpoint's last Initial packet
	longDst     []wire.ConnectionID             // where the endpoint's packets with long headers went
	sealers     [wire.AppSpace]protect.Sealer
	openers     [wire.AppSpace]protect.Opener
	earlySealer protect.Sealer // of 0-RTT packets
	earlyOpener protect.Opener
	keys        protect.AppKeys
	spaces      [wire.NumSpaces]puppetSpace
	shook       bool // the puppet's handshake is complete

	frames  []seenFrame // read and not yet asked for
	ignore  map[wire.FrameType]bool
	dst     string   // of the packet being read
	socket  uint8    // of the datagram being read
	answers [][]byte // datagrams that belong to no connection
	events  []engine.Event
	sentTo  map[netip.AddrPort]int // bytes the endpoint sent to each address
	sent    int                    // datagrams of the endpoint
	early   int                    // its 0-RTT packets
	ecn     path.ECN               // of its last
	marked  uint64                 // its 1-RTT packets that came marked ECT(0)
	buf     []byte
	retired uint64           // the next of its IDs that provoke retires
	conceal func(frame) bool // packets with such frames are never acknowledged; nil for none
	deaf    bool             // does not mind 1-RTT packets that it cannot open
	failed  bool             // a check failed: say nothing more about what follows from it
}

// puppetSpace is a packet number space of the puppet.
type puppetSpace struct {
	next      wire.PacketNumber  // number of the next packet
	received  []wire.PacketRange // of the endpoint's packets, descending
	acked     []wire.PacketRange // what its last ACK frame told
	cryptoIn  uint64             // handshake bytes read
	cryptoOut uint64             // handshake bytes sent
	toSend    []byte             // handshake bytes not sent
}

// seenFrame is a frame the endpoint sent.
type seenFrame struct {
	frame
	space wire.Space
	to    netip.AddrPort
	size  int // of the datagram
	// of a packet with a short header:
	dst    string // its destination ID
	socket uint8  // by which it left
}

var (
	puppetAddr   = netip.MustParseAddrPort("192.0.2.1:1111")
	strangerAddr = netip.MustParseAddrPort("198.51.100.9:2222")
	endpointAddr = netip.MustParseAddr("192.0.2.2")
)

// puppetStart is when every test begins.
const puppetStart = monotime.Time(time.Hour)

// puppetConfig is the real endpoint's configuration unless a test has its own:
// no path MTU probes, that would answer for tests that want silence.
func puppetConfig() engine.Config {
	return engine.Config{MaxBidiStreams: 100, MaxUniStreams: 100, MaxDatagramSize: 1200}
}

// newServer returns a puppet client with a real server before it.
func newServer(t testing.TB, options ...func(*puppet)) *puppet {
	return newPuppet(t, wire.ClientSide, options)
}

// newClient returns a puppet server with a real client before it.
func newClient(t testing.TB, options ...func(*puppet)) *puppet {
	return newPuppet(t, wire.ServerSide, options)
}

// newRole returns a puppet with a real endpoint of the given side before it.
func newRole(t testing.TB, side wire.Side, options ...func(*puppet)) *puppet {
	return newPuppet(t, side.Peer(), options)
}

func newPuppet(t testing.TB, side wire.Side, options []func(*puppet)) *puppet {
	p := &puppet{
		t: t, now: puppetStart, side: side,
		path:     path.Addrs{Local: endpointAddr, Remote: puppetAddr},
		version:  wire.Version1,
		local:    connID("puppet-1"),
		original: connID("original"),
		params:   wire.DefaultTransportParameters(),
		ignore:   map[wire.FrameType]bool{wire.FramePadding: true, wire.FrameAck: true, wire.FrameAckECN: true, wire.FrameNewToken: true},
		sentTo:   make(map[netip.AddrPort]int),
		buf:      make([]byte, 64<<10),
		tls:      &sim.FakeTLS{Side: side},
		resets:   [][32]byte{{2}},
	}
	p.remote = p.original
	p.params.InitialMaxData = 1 << 20
	p.params.InitialMaxStreamDataBidiLocal = 1 << 18
	p.params.InitialMaxStreamDataBidiRemote = 1 << 18
	p.params.InitialMaxStreamDataUni = 1 << 18
	p.params.InitialMaxStreamsBidi = 100
	p.params.InitialMaxStreamsUni = 100
	cfg := puppetConfig()
	p.config = &cfg
	p.server = &engine.Server{NewTLS: fakeServerTLS(0)}
	for _, o := range options {
		o(p)
	}
	p.config = p.config.WithDefaults()
	p.server.Config = p.config
	p.endpoint = engine.NewEndpoint(engine.EndpointConfig{
		Seed: [32]byte{1}, ResetKeys: p.resets, TokenSecrets: [][32]byte{{3}}, UsedTokens: p.used, Gate: p.gate, Memory: p.memory,
		ConnectionIDs: p.ids,
	})
	if side == wire.ClientSide {
		p.endpoint.SetServer(p.server)
	}
	return p
}

// fakeServerTLS makes handshakes of servers with so many bytes in place of a
// certificate chain.
func fakeServerTLS(filler int) func() engine.TLS {
	return func() engine.TLS { return &sim.FakeTLS{Side: wire.ServerSide, Filler: filler} }
}

// fatal ends the test with what the connection looks like.
func (p *puppet) fatal(format string, args ...any) {
	p.t.Helper()
	p.failed = true
	p.t.Fatalf(format, args...)
}

// deliver hands a datagram to the endpoint and does not look for an answer.
func (p *puppet) deliver(data []byte) {
	c := p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: bytes.Clone(data), Path: p.path})
	if p.conn == nil {
		p.conn = c
	}
}

// raw hands a datagram to the endpoint and reads what it sends now.
func (p *puppet) raw(data []byte) {
	p.t.Helper()
	p.deliver(data)
	p.poll()
}

// send sends one packet with these frames, padded to a full datagram where a
// client must.
func (p *puppet) send(space wire.Space, frames ...frame) {
	p.t.Helper()
	p.raw(p.packet(space, frames...))
}

// queue is send without reading what comes back.
func (p *puppet) queue(space wire.Space, frames ...frame) { p.deliver(p.packet(space, frames...)) }

// from does something as if from another address.
func (p *puppet) from(a netip.AddrPort, do func()) {
	old := p.path
	p.path.Remote = a
	do()
	p.path = old
}

// advance lets time pass: every deadline is met on time.
func (p *puppet) advance(d time.Duration) {
	p.t.Helper()
	const tooMany = 10_000 // deadlines in one advance
	until := p.now.Add(d)
	for range tooMany {
		at := p.deadline()
		if at.IsZero() || at.After(until) {
			p.now = until
			return
		}
		p.now = max(p.now, at)
		p.conn.HandleDeadline(p.now)
		p.drain()
	}
	p.fatal("%d deadlines within %v", tooMany, d)
}

func (p *puppet) deadline() monotime.Time {
	if p.conn == nil {
		return 0
	}
	return p.conn.Deadline()
}

// poll does what a driver does after a datagram or a command: it meets a
// deadline that has become due, and drains.
func (p *puppet) poll() {
	p.t.Helper()
	if at := p.deadline(); !at.IsZero() && !at.After(p.now) {
		p.conn.HandleDeadline(p.now)
	}
	p.drain()
}

// drain reads everything the endpoint sends now, and its events, and checks
// what must always hold.
func (p *puppet) drain() {
	p.t.Helper()
	for t, ok := p.endpoint.PollTransmit(p.buf); ok; t, ok = p.endpoint.PollTransmit(p.buf) {
		p.sent++
		p.sentTo[t.Path.Remote] += len(t.Data)
		p.answers = append(p.answers, bytes.Clone(t.Data))
	}
	if p.conn == nil {
		return
	}
	for t, ok := p.conn.PollTransmit(p.now, p.buf, 64); ok; t, ok = p.conn.PollTransmit(p.now, p.buf, 64) {
		p.sentTo[t.Path.Remote] += len(t.Data)
		p.ecn = t.ECN
		for data := bytes.Clone(t.Data); len(data) > 0; {
			n := min(t.Segment, len(data))
			p.sent++
			p.socket = t.Path.Socket
			p.read(data[:n], t.Path.Remote)
			data = data[n:]
		}
	}
	var events [16]engine.Event
	for n := p.conn.PollEvents(events[:]); n > 0; n = p.conn.PollEvents(events[:]) {
		p.events = append(p.events, events[:n]...)
	}
	if err := p.conn.CheckInvariants(p.now); err != nil && !p.failed {
		p.fatal("invariant broken: %v", err)
	}
}
