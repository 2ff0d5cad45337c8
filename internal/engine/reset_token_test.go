package engine

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestResetTokenOfTwo: a token that a peer has given to two connections stays the second
// one's when the first does not need it any more.
func TestResetTokenOfTwo(t *testing.T) {
	e := NewEndpoint(EndpointConfig{})
	first, second, token := new(Conn), new(Conn), wire.ResetToken{1}
	e.addResetToken(first, token)
	e.addResetToken(second, token)
	e.removeResetToken(first, token)
	if e.byReset[token] != second {
		t.Error("the second connection's token was taken away with the first's")
	}
	if e.removeResetToken(second, token); len(e.byReset) != 0 {
		t.Error("the token stays")
	}
}
