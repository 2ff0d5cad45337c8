package h3ext

import (
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// After returns a channel that is closed after some time, by an entry of the connection's
// table, and a function that ends the wait. It is not closed once the connection has ended.
func After(c *quic.Conn, d time.Duration) (passed <-chan struct{}, stop func()) {
	timer, over := new(quic.Timer), make(chan struct{})
	c.Run(func(t *quic.Turn) {
		t.SetTimer(timer, t.Now()+d, quic.TimerFunc(func(*quic.Turn) { close(over) }))
	})
	return over, func() { c.Run(func(t *quic.Turn) { t.StopTimer(timer) }) }
}
