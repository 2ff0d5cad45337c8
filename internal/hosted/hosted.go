// Package hosted is what package quic has for hosts whose commands come by shared memory,
// such as programs in C: event loops that read the commands themselves, so that a command
// costs no goroutine, no lock and no allocation on its way to the connection.
//
// It knows nothing of package quic, which sets its functions.
package hosted

import "github.com/godwit-quic/godwit/internal/loop"

// Loop is what a host adds to the one event loop of a transport.
type Loop struct {
	Source   loop.Source
	Bell     int                           // as in udp.Config: the descriptor to wake the loop by, or 0
	Panicked func(value any, stack []byte) // as in loop.Config
	Ended    func()                        // called when the loop has ended, but for a panic
}

// NewTransport is quic.NewTransport, for one loop. conf is a *quic.TransportConfig, and
// what is returned a *quic.Transport.
var NewTransport func(addr string, conf any, l Loop) (transport any, err error)

// Tell calls, at once, the method HandleCommands(event.Turn) of the Handler of conn, a
// *quic.Conn that is event-driven. It must be called on the loop that the connection
// lives on, by Source.Poll.
var Tell func(conn any)
