// Package handshake performs the TLS 1.3 handshake of QUIC (RFC 9001, Section
// 4) with crypto/tls, as an engine.TLS.
//
// A listener makes a Server once and a Conn for each connection; a client makes
// a Conn for each connection it opens:
//
//	server, err := handshake.NewServer(tlsConfig)
//	…
//	endpoint.SetServer(&engine.Server{Config: config, NewTLS: func() engine.TLS { return server.NewConn() }})
//
//	conn, err := handshake.NewClient(tlsConfig, "example.com")
//
// Sessions are resumed when the client's tls.Config has a ClientSessionCache. One
// without has no use for the server's tickets, and gives crypto/tls's state back as
// soon as the handshake is complete.
// 0-RTT is neither offered nor accepted.
//
// Where a configuration has callbacks, or anything else that may block or take long,
// the steps of the handshake are taken in other goroutines: engine.TLS says how a
// Conn tells of that. A client has one at a time, which its dialler waits for, and a
// Server's are bounded in number.
package handshake

import (
	"crypto/tls"
	"errors"
)

// ErrTLS13 is the error for a tls.Config that rules out TLS 1.3, which QUIC
// requires (RFC 9001, Section 4.2).
var ErrTLS13 = errors.New("handshake: tls.Config.MaxVersion rules out TLS 1.3")

// Server makes the server's side of handshakes. It may be used by many
// goroutines at once.
type Server struct {
	config *tls.Config
	pool   *pool // nil for handshakes that never block
	// events asks for an event when a session is resumed, so that it is resumed
	// without 0-RTT. It is for configurations that are chosen for each client; where
	// there is only one, withoutEarlyData saves two changes of goroutines.
	events bool
}

// NewServer returns a Server with a copy of config, which is made once because
// the keys of session tickets belong to the copy. GetConfigForClient is heeded.
func NewServer(config *tls.Config) (*Server, error) {
	prepared, err := prepare(config)
	if err != nil {
		return nil, err
	}
	s := &Server{config: prepared, events: prepared.GetConfigForClient != nil}
	if mayBlock(config, true) {
		s.pool = newPool()
		s.pool.outside(prepared)
	}
	get := prepared.GetConfigForClient
	if get == nil {
		withoutEarlyData(prepared)
		return s, nil
	}
	prepared.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		chosen, err := get(hello)
		if chosen == nil || err != nil {
			return nil, err
		}
		chosen, err = prepare(chosen)
		if err == nil {
			s.pool.outside(chosen)
		}
		return chosen, err
	}
	return s, nil
}

// withoutEarlyData makes a configuration resume every session without 0-RTT,
// whatever its ticket permits.
func withoutEarlyData(config *tls.Config) {
	unwrap := config.UnwrapSession
	if unwrap == nil {
		unwrap = config.DecryptTicket
	}
	config.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := unwrap(ticket, state)
		if session != nil {
			session.EarlyData = false
		}
		return session, err
	}
}

// NewConn returns the server's side of a new connection.
func (s *Server) NewConn() *Conn {
	c := &Conn{
		server: true,
		quic:   tls.QUICServer(&tls.QUICConfig{TLSConfig: s.config, EnableSessionEvents: s.events}),
	}
	if s.pool != nil {
		c.background = newBackground(s.pool.run)
	}
	return c
}

// NewClient returns the client's side of a new connection, with a copy of
// config. serverName is the host to be reached, a name or an IP address; it is
// what the certificate must be good for unless config has a ServerName.
func NewClient(config *tls.Config, serverName string) (*Conn, error) {
	prepared, err := prepare(config)
	if err != nil {
		return nil, err
	}
	if prepared.ServerName == "" {
		prepared.ServerName = serverName
	}
	c := &Conn{
		quic:           tls.QUICClient(&tls.QUICConfig{TLSConfig: prepared, EnableSessionEvents: true}),
		ignoresTickets: prepared.ClientSessionCache == nil || prepared.SessionTicketsDisabled,
	}
	if mayBlock(prepared, false) {
		c.background = newBackground(func(step func()) { go step() })
		c.background.starts = prepared.ClientSessionCache != nil || prepared.Rand != nil
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
