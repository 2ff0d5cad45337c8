package quic

// Hold says that work is outstanding on the connection which may be silent for
// long, such as a request that the peer thinks about. Until Unhold has been called
// as often, the connection is kept alive: when nothing was received or sent for
// Config.KeepAlivePeriod (by default 15 seconds), or half of the idle timeout if
// that is less, a PING leaves (RFC 9000, Section 10.1.2; RFC 9114, Section 5.1).
// A peer that is gone is still noticed after the idle timeout.
//
// It may be called from any goroutine, on the event loop's, too, and on a
// connection that has ended. It costs one atomic addition: the event loop looks at
// the number when it is time for a PING, and work that takes less never concerns it.
func (c *Conn) Hold() { c.face.Link.Hold() }

// Unhold takes one Hold back: its work is done. Calling it twice takes somebody
// else's back.
func (c *Conn) Unhold() { c.face.Link.Unhold() }
