// Package engine is QUIC as a pure state machine (RFC 9000, 9001, 9002): no
// socket, goroutine, timer, clock, lock or random source of its own. Time,
// datagrams and a seed go in; datagrams, one deadline for each connection and
// events come out, and the same inputs give the same outputs.
//
// An event loop drives it like this:
//
//	e := engine.NewEndpoint(config)
//	for {
//		if c := e.HandleDatagram(now, d); c != nil { … c has something to say … }
//		for t, ok := e.PollTransmit(buf); ok; t, ok = e.PollTransmit(buf) { send(t) }
//		for each connection c that was touched {
//			if deadline passed { c.HandleDeadline(now) }
//			for t, ok := c.PollTransmit(now, buf, 64); ok; … { send(t) }
//			n := c.PollEvents(events)
//			arm(c, c.Deadline())
//		}
//	}
//
// The bytes of streams are exchanged through Stream.Recv and Stream.Send,
// which another goroutine may use at the same time; nothing else here may be
// used by two goroutines at once.
package engine

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// EndpointConfig is what an Endpoint is made of.
type EndpointConfig struct {
	// Seed seeds everything random: connection IDs, challenges, skipped packet
	// numbers. In production it must come from the operating system.
	Seed [32]byte
	// ResetKeys key the stateless reset tokens; a server that keeps them over a
	// restart can end its old connections (RFC 9000, Section 10.3.2). The first makes the
	// tokens of connection IDs, and resets have those of all in turn, as nobody knows with
	// which a lost connection's were made. None means a random one.
	ResetKeys [][32]byte
	// TokenSecrets key the address validation tokens of Retry packets and NEW_TOKEN
	// frames: the first makes them, and all are accepted. None means a random one.
	TokenSecrets [][32]byte
	// UsedTokens remembers which tokens of NEW_TOKEN frames were used; endpoints share it.
	// nil accepts each as often as it comes.
	UsedTokens TokenGuard
	// WallTime returns the wall time at a moment, by which tokens are dated: they are for
	// other servers too, and for after a restart. nil counts moments from 1970 on.
	WallTime func(monotime.Time) time.Time
	// Shards is how many endpoints share an address, 0 or 1 for only this one,
	// and Shard which of them this is, from 0: see connid.ShardOf.
	Shard, Shards int
	// ConnectionIDs makes the IDs given out, which must pass connid.Check; nil means
	// connid.Default. With empty ones there is at most one connection, and no server.
	ConnectionIDs connid.Generator
	// Gate says which clients get a connection; nil accepts all.
	Gate Gate
	// Memory bounds what the buffers of all connections hold; endpoints may share
	// it. nil means no limit but each connection's own.
	Memory *streambuf.Memory
	// WatchReset, if not nil, is told of each token with which a stateless reset ends a
	// connection here, and of each that does so no longer: a reset names no endpoint, so
	// it may come to another one that shares the address.
	WatchReset func(token wire.ResetToken, watched bool)
	// DeferHandshakes leaves every step of a server's handshakes to
	// Conn.HandleHandshake, so that the driver says how many are taken, and when: see
	// Conn.HandshakeWaits.
	DeferHandshakes bool
}

// Endpoint routes datagrams to connections by their connection ID, accepts
// new ones and answers packets that belong to none. One event loop has one.
type Endpoint struct {
	rand   *rand.Rand
	source *rand.ChaCha8
	resets [][32]byte // the keys of stateless resets, one at least
	tokens tokenRoom
	gate   Gate
	spare  spare
	ids    connid.Generator
	random func([]byte) // randomBytes, and room for an ID: made once, as ids may keep neither
	idRoom [wire.MaxConnectionIDLen]byte
	shard  int
	shards int
	server *Server

	deferHandshakes bool
	watchReset      func(token wire.ResetToken, watched bool)

	byID map[idKey]*Conn
	// byOriginal has the connections of clients by their first destination ID, the original
	// one, until the handshake is confirmed; then confirmed, for a while.
	byOriginal map[wire.ConnectionID]*Conn
	byReset    map[wire.ResetToken]*Conn
	conns      int
	handshakes int // server connections not yet confirmed

	confirmed Conn       // stands in byOriginal for those whose handshake is confirmed
	originals []original // their IDs, the oldest first

	last    *Conn             // the one a datagram went to before
	lastID  wire.ConnectionID // by this ID
	train   protect.Train     // what a connection has built and not sealed, while it is polled
	answers answers
	strays  strays
	stats   EndpointStats
	scratch [2048]byte
}

// EndpointStats count what happened to datagrams that no connection took.
type EndpointStats struct {
	Malformed         uint64 // no QUIC packet could be read
	UnknownID         uint64 // short header or reset of no connection here
	UnknownVersion    uint64 // long header of a version not spoken here
	TooShort          uint64 // Initial packet in a datagram below 1200 bytes
	NotAuthentic      uint64 // Initial packet that does not open
	InvalidToken      uint64 // address validation token that is not ours, too old, of another address, or used before
	TokensAccepted    uint64 // of NEW_TOKEN frames
	Refused           uint64 // no server, or too many clients
	VersionsSent      uint64 // Version Negotiation packets
	RetriesSent       uint64
	ResetsSent        uint64 // stateless resets
	ClosesSent        uint64 // CONNECTION_CLOSE to clients that got no connection
	ResetsReceived    uint64
	Accepted, Dialled uint64 // connections
}

// NewEndpoint returns an Endpoint without connections.
func NewEndpoint(cfg EndpointConfig) *Endpoint {
	source := rand.NewChaCha8(cfg.Seed)
	if cfg.Gate == nil {
		cfg.Gate = openGate{}
	}
	if cfg.ConnectionIDs == nil {
		cfg.ConnectionIDs = connid.Default
	}
	e := &Endpoint{
		rand:   rand.New(source),
		source: source,
		resets: cfg.ResetKeys,
		gate:   cfg.Gate,
		spare:  spare{blocks: streambuf.Pool{Memory: cfg.Memory}},
		ids:    cfg.ConnectionIDs,
		shard:  cfg.Shard,
		shards: max(cfg.Shards, 1),

		deferHandshakes: cfg.DeferHandshakes,
		watchReset:      cfg.WatchReset,

		byID:       make(map[idKey]*Conn),
		byOriginal: make(map[wire.ConnectionID]*Conn),
		byReset:    make(map[wire.ResetToken]*Conn),
	}
	if len(e.resets) == 0 {
		e.resets = make([][32]byte, 1)
		e.randomBytes(e.resets[0][:])
	}
	e.random = e.randomBytes
	e.tokens.init(e, &cfg)
	return e
}

// Server is what an Endpoint needs to accept connections.
type Server struct {
	Config *Config
	// NewTLS makes the handshake for a new connection.
	NewTLS func() TLS
	// RequireRetry makes every client prove its address first
	// (RFC 9000, Section 8.1.2).
	RequireRetry bool
	// Refuse has new clients told CONNECTION_REFUSED: the server is about to end.
	Refuse bool
}

// SetServer makes the endpoint accept connections; nil makes it stop. With empty
// connection IDs it accepts none.
func (e *Endpoint) SetServer(s *Server) {
	if connid.Empty(e.ids) {
		s = nil // nobody could tell one client from another
	}
	e.server = s
}

// Conns returns how many connections are not yet released.
func (e *Endpoint) Conns() int { return e.conns }

// Stats returns the counters now.
func (e *Endpoint) Stats() EndpointStats { return e.stats }

// HandleDatagram takes a datagram and returns the connection that it belongs
// to, which should be polled next; a new one has nil in App. It returns nil
// when no connection took it; then PollTransmit may have an answer.
func (e *Endpoint) HandleDatagram(now monotime.Time, d Datagram) *Conn {
	inv, ok := wire.ParseInvariant(d.Data, connid.ShortLen(e.ids, d.Data))
	if !ok {
		e.stats.Malformed++
		return nil
	}
	if len(e.originals) > 0 && !e.originals[0].until.After(now) {
		e.dropOriginals(now, maxOriginals)
	}
	c := e.lookup(inv.DstID)
	if c == nil || c == &e.confirmed {
		if reset := e.handleReset(now, &d); reset != nil {
			return reset // with any header, as Section 10.3 has it: other versions may use a long one
		}
	}
	switch c {
	case nil:
		return e.handleStranger(now, &d, &inv)
	case &e.confirmed:
		e.stats.UnknownID++ // came late, or again
		return nil
	}
	if !c.handleDatagram(now, &d) {
		if reset := e.handleReset(now, &d); reset != nil {
			return reset // where IDs are short, c's may be in it by chance
		}
	}
	return c
}

// lookup finds a connection by the bytes of an ID.
func (e *Endpoint) lookup(b []byte) *Conn {
	if c := e.byLocalID(b); c != nil {
		return c
	}
	if id, ok := wire.NewConnectionID(b); ok && len(e.byOriginal) > 0 {
		return e.byOriginal[id]
	}
	return nil
}

// Dial starts a connection to addrs.Remote as a client. The error is ErrOneConnection or
// ErrNoID.
func (e *Endpoint) Dial(now monotime.Time, addrs path.Addrs, cfg *Config, tls TLS) (*Conn, error) {
	c := newConn(now, e, wire.ClientSide, cfg, addrs, tls)
	local, ok := e.newID(c)
	if !ok {
		e.spare.rested()
		if local.Len() == 0 {
			return nil, ErrOneConnection
		}
		return nil, ErrNoID
	}
	e.conns++
	e.stats.Dialled++
	c.ids.init(local)
	c.dial(cfg.OriginalVersion)
	c.startTrace(now)
	c.deadlines[slotHandshake] = now.Add(cfg.HandshakeTimeout)
	c.shake(now)
	return c, nil
}

// dial makes a client's first packets ones of a version, to an ID of its invention.
func (c *Conn) dial(v wire.Version) {
	c.version, c.hs.version.original = v, v
	c.hs.originalDstID = c.endpoint.randomOriginalID()
	c.paths.Current.Peer.ID = c.hs.originalDstID
	c.setInitialKeys(c.hs.originalDstID)
}

// randomOriginalID makes the first destination ID of a client.
func (e *Endpoint) randomOriginalID() wire.ConnectionID {
	var b [minOriginalIDLen]byte
	e.randomBytes(b[:])
	id, _ := wire.NewConnectionID(b[:])
	return id
}

func (e *Endpoint) randomBytes(b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, e.source.Uint64())
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], e.source.Uint64())
		copy(b, last[:])
	}
}

// forgetOriginal ends routing by the client's first destination ID, and the
// handshake's share of the limits.
func (e *Endpoint) forgetOriginal(c *Conn) {
	if c.hs != nil && e.byOriginal[c.hs.initialDstID] == c {
		e.handshakes--
		e.gate.HandshakeOver(c.place)
		delete(e.byOriginal, c.hs.initialDstID)
	}
}

// original is a client's first destination ID whose handshake was confirmed.
type original struct {
	id    wire.ConnectionID
	until monotime.Time
}

// An Initial packet that comes late or again must not begin a second handshake: the
// ID that it was sent to is remembered for three probe timeouts of a client that has
// measured nothing, within a bound of about a megabyte.
const (
	originalLifetime = 3 * time.Second
	maxOriginals     = 1 << 13
)

// rememberOriginal ignores what is sent to id for a while.
func (e *Endpoint) rememberOriginal(now monotime.Time, id wire.ConnectionID) {
	e.dropOriginals(now, maxOriginals-1)
	e.byOriginal[id] = &e.confirmed
	e.originals = append(e.originals, original{id, now.Add(originalLifetime)})
}

// dropOriginals forgets the IDs whose time is over, and the oldest beyond most.
func (e *Endpoint) dropOriginals(now monotime.Time, most int) {
	n := 0
	for n < len(e.originals) && (len(e.originals)-n > most || !e.originals[n].until.After(now)) {
		if id := e.originals[n].id; e.byOriginal[id] == &e.confirmed {
			delete(e.byOriginal, id)
		}
		n++
	}
	if e.originals = e.originals[n:]; len(e.originals) == 0 {
		e.originals = nil
	}
}

// remove forgets a connection.
func (e *Endpoint) remove(c *Conn) {
	e.forgetOriginal(c)
	if c.side == wire.ServerSide {
		e.gate.Released(c.place)
	}
	if !c.idle.resting {
		e.spare.rested()
	}
	for i := range c.ids.local {
		e.removeID(&c.ids.local[i].id)
	}
	for r := range c.peerIDs() {
		if r.HasToken {
			e.removeResetToken(c, r.Token)
		}
	}
	e.conns--
}

// CheckEmpty returns an error when the endpoint without connections still
// remembers something of one.
func (e *Endpoint) CheckEmpty() error {
	if e.conns == 0 && (len(e.byID)+len(e.byOriginal) > len(e.originals) || len(e.byReset) > 0 || e.handshakes != 0) {
		return fmt.Errorf("no connection, but %d IDs, %d reset tokens and %d handshakes are remembered",
			len(e.byID)+len(e.byOriginal), len(e.byReset), e.handshakes)
	}
	return nil
}
