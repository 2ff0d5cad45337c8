package handshake

import (
	"crypto/tls"
	"testing"
)

// ownCache is a session cache of a program's.
type ownCache struct{ tls.ClientSessionCache }

// TestCacheMayBlock: crypto/tls's own cache is none that an event loop has to fear, also as
// the sessions of one version of QUIC; any other may be.
func TestCacheMayBlock(t *testing.T) {
	lru := tls.NewLRUClientSessionCache(1)
	for _, tt := range []struct {
		cache tls.ClientSessionCache
		want  bool
	}{{nil, false}, {lru, false}, {sessions{cache: lru}, false}, {ownCache{lru}, true}, {sessions{cache: ownCache{lru}}, true}} {
		if got := cacheMayBlock(tt.cache); got != tt.want {
			t.Errorf("%T may block: %v, want %v", tt.cache, got, tt.want)
		}
		if _, ok := tt.cache.(sessions); ok {
			continue // which NewClient makes
		}
		c, err := NewClient(&tls.Config{InsecureSkipVerify: true, ClientSessionCache: tt.cache}, "localhost", false)
		if err != nil {
			t.Fatal(err)
		}
		if inBackground := c.background != nil; inBackground != tt.want {
			t.Errorf("with %T the handshake is in the background: %v, want %v", tt.cache, inBackground, tt.want)
		}
		c.Close()
	}
}
