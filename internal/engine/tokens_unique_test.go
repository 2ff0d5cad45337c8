package engine

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// No two tokens are the same, though they are of one moment and one address, and nothing but
// their format tells that they have anything in common (RFC 9000, Section 8.1.3).
func TestTokensAreUnique(t *testing.T) {
	e := NewEndpoint(EndpointConfig{Seed: [32]byte{1}})
	addr := make([]byte, 16)
	seen := make(map[string]bool)
	var first []byte
	var differs []bool
	for range 1000 {
		token := e.sealToken(1, nil, &protect.Token{Version: wire.Version1, Address: addr})
		if seen[string(token)] {
			t.Fatalf("token %x comes twice", token)
		}
		seen[string(token)] = true
		if first == nil {
			first, differs = token, make([]bool, len(token))
		}
		for i := range token {
			differs[i] = differs[i] || token[i] != first[i]
		}
	}
	const format = 4 // bytes, see protect.Token
	for i, d := range differs {
		if d != (i >= format) {
			t.Errorf("byte %d differs: %v", i, d)
		}
	}
}
