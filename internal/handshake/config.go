// Package handshake performs the TLS 1.3 handshake of QUIC (RFC 9001, Section
// 4) with crypto/tls, as an engine.TLS.
//
// A listener makes a Server once and a Conn for each connection; a client makes
// a Conn for each connection it opens:
//
//	server, err := handshake.NewServer(tlsConfig, nil)
//	…
//	endpoint.SetServer(&engine.Server{Config: config, NewTLS: func() engine.TLS { return server.NewConn() }})
//
//	conn, err := handshake.NewClient(tlsConfig, "example.com", false)
//
// Sessions are resumed when the client's tls.Config has a ClientSessionCache. One
// without has no use for the server's tickets, and gives crypto/tls's state back as
// soon as the handshake is complete. Early data (0-RTT) is offered with sessions, and
// accepted, where that is asked for.
//
// Where a configuration has callbacks, or anything else that may block or take long,
// the steps of the handshake are taken in other goroutines: engine.TLS says how a
// Conn tells of that. A client has one at a time, which its dialler waits for, and a
// Server's are bounded in number.
package handshake

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// ErrTLS13 is the error for a tls.Config that rules out TLS 1.3, which QUIC
// requires (RFC 9001, Section 4.2).
var ErrTLS13 = errors.New("handshake: tls.Config.MaxVersion rules out TLS 1.3")

// Server makes the server's side of handshakes. It may be used by many
// goroutines at once.
type Server struct {
	configs   map[wire.Version]*tls.Config // by the connection's version
	pool      *pool                        // nil for handshakes that never block
	early     *Early                       // nil for none
	newTicket func() TicketID              // names tickets that permit early data
	now       func() time.Time             // for tickets
}

// NewServer returns a Server with copies of config, which are made once because
// the keys of session tickets belong to the copies. GetConfigForClient is heeded. A nil
// early means that no early data is accepted; without a Guard it has a MemoryGuard.
func NewServer(config *tls.Config, early *Early) (*Server, error) {
	prepared, err := prepare(config)
	if err != nil {
		return nil, err
	}
	s := &Server{configs: make(map[wire.Version]*tls.Config), now: time.Now}
	if prepared.Time != nil {
		s.now = prepared.Time
	}
	if mayBlock(prepared, true) || early != nil && early.Guard != nil {
		s.pool = newPool()
		s.pool.outside(prepared)
	}
	if early != nil {
		s.early, s.newTicket = &Early{Guard: outsideGuard{early.Guard, s.pool}, State: early.State}, newTicketID
		if early.Guard == nil {
			own := NewMemoryGuard()
			s.early.Guard, s.newTicket = own, own.NewTicket
		}
	}
	for _, v := range []wire.Version{wire.Version1, wire.Version2} {
		own := prepared.Clone()
		if own.GetConfigForClient != nil {
			s.chooseFor(v, own)
		}
		onlySessionsOf(v, own, early != nil)
		s.configs[v] = own
	}
	return s, nil
}

// chooseFor prepares what config's GetConfigForClient chooses for connections of a version.
func (s *Server) chooseFor(v wire.Version, config *tls.Config) {
	get := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		chosen, err := get(hello)
		if chosen == nil || err != nil {
			return nil, err
		}
		chosen, err = prepare(chosen)
		if err == nil {
			s.pool.outside(chosen)
			sessionsOfEither(chosen, config)
			onlySessionsOf(v, chosen, s.early != nil)
		}
		return chosen, err
	}
}

// NewConn returns the server's side of a new connection.
func (s *Server) NewConn() *Conn {
	c := &Conn{server: s, hello: new(firstHello)}
	if s.early != nil {
		c.early = new(earlyConn)
	}
	if s.pool != nil {
		c.background = newBackground(s.pool.run)
	}
	return c
}

// NewClient returns the client's side of a new connection, with a copy of
// config. serverName is the host to be reached, a name or an IP address; it is
// what the certificate must be good for unless config has a ServerName. early offers early
// data with a session that permits it.
func NewClient(config *tls.Config, serverName string, early bool) (*Conn, error) {
	prepared, err := prepare(config)
	if err != nil {
		return nil, err
	}
	if prepared.ServerName == "" {
		prepared.ServerName = serverName
	}
	c := &Conn{
		client:         prepared,
		ignoresTickets: prepared.ClientSessionCache == nil || prepared.SessionTicketsDisabled,
	}
	if early {
		c.early = new(earlyConn)
	}
	if cache := prepared.ClientSessionCache; cache != nil {
		prepared.ClientSessionCache = sessions{cache, c}
	}
	if mayBlock(prepared, false) {
		c.background = newBackground(func(step func()) { go step() })
		c.background.starts = cacheMayBlock(prepared.ClientSessionCache) || prepared.Rand != nil
	}
	return c, nil
}

// prepare returns a copy of config with TLS 1.3 as the least version.
func prepare(config *tls.Config) (*tls.Config, error) {
	if config == nil {
		config = &tls.Config{}
	}
	if config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS13 {
		return nil, ErrTLS13
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS13)
	return config, nil
}
