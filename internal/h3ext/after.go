package h3ext

import (
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// After returns a channel that is closed when some time has passed, unless the connection
// has ended by then, which has the moment in its table.
func After(c *quic.Conn, d time.Duration) <-chan struct{} {
	passed := make(chan struct{})
	c.Run(func(t *quic.Turn) {
		t.SetTimer(new(quic.Timer), t.Now()+d, quic.TimerFunc(func(*quic.Turn) { close(passed) }))
	})
	return passed
}
