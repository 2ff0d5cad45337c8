package loop

import "github.com/godwit-quic/godwit/internal/wire"

// MaxTurnHandshakes is a bound that tests compare with.
const MaxTurnHandshakes = maxTurnHandshakes

// MaxEvents is how many events a handler is told of in a row.
var MaxEvents = maxEventBatches * len(new(Loop).events)

// MaxFurther bounds the further sockets of a connection.
const MaxFurther = maxFurther

// GuestRoutes returns how many routes to connections of other loops the loop knows.
func (l *Loop) GuestRoutes() int { return int(l.guests.any.Load()) }

// RouteIDs returns the connection IDs that lead to the connection.
func (c *Conn) RouteIDs() []wire.ConnectionID {
	ids, _ := c.engine.Routes()
	return ids
}
