package loop

import (
	"crypto/tls"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
)

// A deadline that is due again right after it was handled is counted, and does
// not make the loop spin.
func TestOverdue(t *testing.T) {
	l := &Loop{endpoint: engine.NewEndpoint(engine.EndpointConfig{})}
	client, err := handshake.NewClient(&tls.Config{NextProtos: []string{"test"}}, "test", false)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := l.endpoint.Dial(1, path.Addrs{}, engine.Config{}.WithDefaults(), client)
	c := l.newConn(e)
	defer c.engine.Close(1, 0, "") // frees the handshake
	due := c.engine.Deadline()
	for _, tt := range []struct {
		firedAt, want monotime.Time
		overdue       uint64
	}{
		{due - 1, due, 0},
		{due, due.Add(overdueDelay), 1},
		{due + 1, (due + 1).Add(overdueDelay), 2},
	} {
		c.firedAt = tt.firedAt
		c.settle()
		if c.entry.at != tt.want || l.Stats().Overdue != tt.overdue {
			t.Errorf("fired at %d, due at %d: set to %d (%d overdue), want %d (%d)",
				tt.firedAt, due, c.entry.at, l.Stats().Overdue, tt.want, tt.overdue)
		}
	}
}
