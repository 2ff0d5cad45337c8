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
	get := prepared.GetConfigForClient
	if get == nil {
		withoutEarlyData(prepared)
	} else {
		prepared.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := get(hello)
			if chosen == nil || err != nil {
				return nil, err
			}
			return prepare(chosen)
		}
	}
	return &Server{config: prepared, events: get != nil}, nil
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
	return &Conn{
		server: true,
		quic:   tls.QUICServer(&tls.QUICConfig{TLSConfig: s.config, EnableSessionEvents: s.events}),
	}
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
	return &Conn{
		quic:           tls.QUICClient(&tls.QUICConfig{TLSConfig: prepared, EnableSessionEvents: true}),
		ignoresTickets: prepared.ClientSessionCache == nil || prepared.SessionTicketsDisabled,
	}, nil
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
