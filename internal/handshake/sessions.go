package handshake

import (
	"bytes"
	"crypto/tls"
	"slices"

	"github.com/godwit-quic/godwit/internal/wire"
)

// Sessions belong to a version of QUIC: a client must not offer, and a server not
// resume, one of another (RFC 9369, Section 5). Those of version 1 are as they would be
// if there were no other.

// sessions are a client's, of the version that its connection has.
type sessions struct {
	cache tls.ClientSessionCache
	conn  *Conn
}

// Get implements tls.ClientSessionCache. A session with which early data is sent is used
// once: a server does not accept any with it again. Others stay in the cache as they are,
// with early data for who may send it: offerEarly changes a copy.
func (s sessions) Get(server string) (*tls.ClientSessionState, bool) {
	session, ok := s.cache.Get(s.key(server))
	if !ok || session == nil {
		return session, ok
	}
	ticket, state, err := session.ResumptionState()
	if err != nil || state == nil || !state.EarlyData {
		return session, ok
	}
	if _, early := s.conn.earlyParameters(state); early {
		s.cache.Put(s.key(server), nil)
		return session, ok
	}
	own := *state
	if session, err = tls.NewResumptionState(ticket, &own); err != nil {
		return nil, false
	}
	return session, ok
}

// Put implements tls.ClientSessionCache.
func (s sessions) Put(server string, state *tls.ClientSessionState) {
	s.cache.Put(s.key(server), state)
}

func (s sessions) key(server string) string {
	if s.conn.version == wire.Version1 {
		return server
	}
	return "QUIC " + s.conn.version.String() + " " + server
}

// ticketExtra is what a server's ticket says of the version.
func ticketExtra(v wire.Version) [][]byte {
	if v == wire.Version1 {
		return nil
	}
	return [][]byte{[]byte(ticketPrefix + v.String())}
}

const ticketPrefix = "godwit QUIC "

// isSessionOf reports whether a session was made on a connection of a version.
func isSessionOf(v wire.Version, s *tls.SessionState) bool {
	ours := func(b []byte) bool { return bytes.HasPrefix(b, []byte(ticketPrefix)) }
	i := slices.IndexFunc(s.Extra, ours)
	if v == wire.Version1 {
		return i < 0
	}
	return i >= 0 && string(s.Extra[i]) == ticketPrefix+v.String()
}

// onlySessionsOf makes a server's configuration resume the sessions of one version. With
// a session of another no early data is accepted either, nor with any if not early.
func onlySessionsOf(v wire.Version, config *tls.Config, early bool) {
	unwrap := config.UnwrapSession
	if unwrap == nil {
		unwrap = config.DecryptTicket
	}
	config.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := unwrap(ticket, state)
		if session == nil || err != nil || !isSessionOf(v, session) {
			return nil, err
		}
		session.EarlyData = session.EarlyData && early
		return session, nil
	}
}

// sessionsOfEither makes a configuration that was chosen for a client resume the sessions
// that crypto/tls makes tickets of: with keys of its own, if it has any, or else with
// those of the one that chose it.
func sessionsOfEither(chosen, config *tls.Config) {
	if chosen.UnwrapSession != nil {
		return
	}
	own := chosen.DecryptTicket
	chosen.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := own(ticket, state)
		if session == nil && err == nil {
			session, err = config.DecryptTicket(ticket, state)
		}
		return session, err
	}
}
