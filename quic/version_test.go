package quic

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// toldCache tells when a session is stored.
type toldCache struct {
	tls.ClientSessionCache
	stored chan struct{}
}

func (c toldCache) Put(key string, s *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	c.stored <- struct{}{}
}

// The sides agree on a version over real sockets, and sessions stay with it.
func TestVersions(t *testing.T) {
	for name, tt := range map[string]struct {
		server, client Config
		want           Version
		resumed        bool // a second connection resumes the first one's session
	}{
		"by default":        {Config{}, Config{}, Version1, true},
		"changed":           {Config{}, Config{Versions: []Version{Version2, Version1}}, Version2, false}, // begins with version 1
		"version 2 at once": {Config{}, Config{Versions: []Version{Version2, Version1}, OriginalVersion: Version2}, Version2, true},
		"only version 1":    {Config{Versions: []Version{Version1}}, Config{Versions: []Version{Version2, Version1}, OriginalVersion: Version2}, Version1, true},
		"only version 2":    {Config{Versions: []Version{Version2}}, Config{}, Version2, true},
		"with Retry":        {Config{Versions: []Version{Version2}}, Config{}, Version2, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnvWith(t, &tt.server, &tt.client, setup{
				serverOn: &TransportConfig{RequireAddressValidation: name == "with Retry"},
			})
			cache := toldCache{tls.NewLRUClientSessionCache(4), make(chan struct{}, 8)}
			e.clientTLS.ClientSessionCache = cache
			e.serveEcho()
			for i := range 2 {
				c := e.dial()
				if err := e.echo(c, 1, 50_000); err != nil {
					t.Fatal(err)
				}
				if got := c.Stats().Version; got != tt.want {
					t.Errorf("the version is %v, want %v", got, tt.want)
				}
				if got := c.ConnectionState().DidResume; got != (i == 1 && tt.resumed) {
					t.Errorf("connection %d: resumed %v", i, got)
				}
				<-cache.stored
				c.CloseWithError(0, "")
			}
		})
	}
}

// Without a common version the error says what each side has.
func TestNoCommonVersion(t *testing.T) {
	e := newEnv(t, &Config{Versions: []Version{Version2}}, &Config{Versions: []Version{Version1}})
	_, err := e.transport.Dial(context.Background(), e.listener.Addr().String(), e.clientTLS, e.conf)
	var versions *VersionNegotiationError
	if !errors.As(err, &versions) || len(versions.Ours) != 1 || versions.Ours[0] != Version1 || len(versions.Theirs) != 2 {
		t.Fatalf("dialled with %v", err)
	}
}

func TestBadVersions(t *testing.T) {
	_, clientTLS := peertest.TLS(t, "test")
	for name, conf := range map[string]*Config{
		"unknown":          {Versions: []Version{Version1, 3}},
		"twice":            {Versions: []Version{Version1, Version1}},
		"unknown original": {OriginalVersion: 0x0a0a0a0a},
		"not in the list":  {Versions: []Version{Version1}, OriginalVersion: Version2},
	} {
		if c, err := Dial(t.Context(), "127.0.0.1:1", clientTLS, conf); err == nil || !strings.Contains(err.Error(), "Versions") && !strings.Contains(err.Error(), "OriginalVersion") {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}
