package handshake

import (
	"crypto/tls"
	"math"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// resumes makes a connection with the client's first version and the one negotiated,
// and reports whether it resumed a session.
func resumes(t *testing.T, srv *Server, clientConfig *tls.Config, first, negotiated wire.Version) bool {
	t.Helper()
	client, err := NewClient(clientConfig, "localhost", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	c, s := newEnd(client), newEnd(srv.NewConn())
	t.Cleanup(s.conn.Close)
	s.version = negotiated
	c.err = c.finish(client.Start(first, []byte("parameters of the client")))
	c.poll()
	client.SetVersion(negotiated)
	for c.err == nil && s.err == nil && len(c.out)+len(s.out) > 0 {
		c.deliver(s, math.MaxInt)
		s.deliver(c, math.MaxInt)
	}
	wantDone(t, c, s)
	if c.conn.ConnectionState().DidResume != s.conn.ConnectionState().DidResume {
		t.Error("the sides do not agree on whether a session was resumed")
	}
	return c.conn.ConnectionState().DidResume
}

// Sessions are resumed on connections of the version that they are of, which is the
// negotiated one (RFC 9369, Section 5).
func TestSessionsOfVersions(t *testing.T) {
	const v1, v2 = wire.Version1, wire.Version2
	own := [32]byte{1, 2, 3} // a key that all versions share
	for name, edit := range map[string]func(*tls.Config){
		"keys of its own": func(*tls.Config) {},
		"a shared key":    func(c *tls.Config) { c.SetSessionTicketKeys([][32]byte{own}) },
		"callbacks": func(c *tls.Config) {
			c.SetSessionTicketKeys([][32]byte{own})
			keys := c.Clone()
			c.WrapSession, c.UnwrapSession = keys.EncryptTicket, keys.DecryptTicket
		},
	} {
		t.Run(name, func(t *testing.T) {
			serverConfig, clientConfig := testConfigs(t)
			edit(serverConfig)
			srv, err := NewServer(serverConfig, nil)
			if err != nil {
				t.Fatal(err)
			}
			clientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(10)
			for i, tt := range []struct {
				first, negotiated wire.Version
				want              bool
			}{
				{v1, v1, false},
				{v2, v2, false}, // the client has one of version 1 only
				{v2, v2, true},
				{v1, v1, true},
				{v1, v2, false}, // offers one of version 1
				{v2, v2, true},  // the one that it was given for version 2
				{v1, v1, true},
			} {
				if got := resumes(t, srv, clientConfig, tt.first, tt.negotiated); got != tt.want {
					t.Errorf("connection %d from %v to %v: resumed %v", i, tt.first, tt.negotiated, got)
				}
			}
		})
	}
}

// A client that mixes them up gets a full handshake.
func TestSessionOfAnotherVersion(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	serverConfig.SetSessionTicketKeys([][32]byte{{1}})
	srv, err := NewServer(serverConfig, nil)
	if err != nil {
		t.Fatal(err)
	}
	const v1, v2 = wire.Version1, wire.Version2
	for _, versions := range [][2]wire.Version{{v1, v2}, {v2, v1}} {
		cache := tls.NewLRUClientSessionCache(10)
		clientConfig.ClientSessionCache = cache
		resumes(t, srv, clientConfig, versions[0], versions[0])
		stored := sessions{cache, &Conn{version: versions[0]}}
		session, ok := stored.Get("localhost")
		if !ok {
			t.Fatal("no session is stored")
		}
		sessions{cache, &Conn{version: versions[1]}}.Put("localhost", session)
		if resumes(t, srv, clientConfig, versions[1], versions[1]) {
			t.Errorf("a session of %v was resumed with %v", versions[0], versions[1])
		}
	}
}

// Configurations that are chosen for each client resume sessions as others do, with keys
// of their own or those of the one that chose them, and of each version its own.
func TestSessionsOfChosenConfig(t *testing.T) {
	const v1, v2 = wire.Version1, wire.Version2
	for name, edit := range map[string]func(config, chosen *tls.Config){
		"no keys":         func(config, chosen *tls.Config) {},
		"keys":            func(config, chosen *tls.Config) { config.SetSessionTicketKeys([][32]byte{{1}}) },
		"keys of its own": func(config, chosen *tls.Config) { chosen.SetSessionTicketKeys([][32]byte{{1}}) },
		"both": func(config, chosen *tls.Config) {
			config.SetSessionTicketKeys([][32]byte{{1}})
			chosen.SetSessionTicketKeys([][32]byte{{2}})
		},
		"callbacks": func(config, chosen *tls.Config) {
			keys := chosen.Clone()
			keys.SetSessionTicketKeys([][32]byte{{1}})
			chosen.WrapSession, chosen.UnwrapSession = keys.EncryptTicket, keys.DecryptTicket
		},
	} {
		serverConfig, clientConfig := testConfigs(t)
		chosen := serverConfig.Clone()
		serverConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
		edit(serverConfig, chosen)
		srv, err := NewServer(serverConfig, nil)
		if err != nil {
			t.Fatal(err)
		}
		cache := tls.NewLRUClientSessionCache(10)
		clientConfig.ClientSessionCache = cache
		for i, v := range []wire.Version{v1, v2, v1, v2} {
			if got := resumes(t, srv, clientConfig, v, v); got != (i >= 2) {
				t.Errorf("%s: connection %d, %v: resumed %v", name, i, v, got)
			}
		}
		session, ok := sessions{cache, &Conn{version: v2}}.Get("localhost")
		if !ok {
			t.Fatalf("%s: no session is stored", name)
		}
		sessions{cache, &Conn{version: v1}}.Put("localhost", session)
		if resumes(t, srv, clientConfig, v1, v1) {
			t.Errorf("%s: a session of %v was resumed with %v", name, v2, v1)
		}
	}
}
