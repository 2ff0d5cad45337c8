package h3ext

import (
	"time"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// After returns a channel that is closed after some time, by an entry of the connection's
// table, and a function that ends the wait. It is not closed once the connection has ended.
func After(c *quic.Conn, d time.Duration) (passed <-chan struct{}, stop func()) {
	timer, over := new(event.Timer), make(chan struct{})
	event.Run(c, func(t event.Turn) {
		t.SetTimer(timer, t.Now()+d, event.TimerFunc(func(event.Turn) { close(over) }))
	})
	return over, func() { event.Run(c, func(t event.Turn) { t.StopTimer(timer) }) }
}
