package engine

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Errors of ProbePath and SwitchPath.
var (
	// ErrMigrationDisabled: the server sent disable_active_migration, or has empty
	// connection IDs, by which everybody could follow the client (RFC 9000, Sections 9
	// and 9.5).
	ErrMigrationDisabled = errors.New("the server does not allow its clients to move")
	// ErrNotConfirmed: nobody moves before the handshake is confirmed (RFC 9000, Section 9).
	ErrNotConfirmed = errors.New("the handshake is not confirmed yet")
	// ErrNoPeerID: the server has given no connection ID that was not used on another path
	// (RFC 9000, Section 9.5).
	ErrNoPeerID = errors.New("the server has given no further connection ID")
	// ErrPathNotUsable: no answer has come on the path.
	ErrPathNotUsable = errors.New("the path was not probed, or its probe had no answer")
	// ErrPathInUse: packets are sent on the path.
	ErrPathInUse = errors.New("the path is in use")
)

// PathStanding is what a client knows of a path.
type PathStanding uint8

// What it may know.
const (
	PathUnknown PathStanding = iota // it was not probed, or nobody answered
	PathProbing                     // the answer is waited for
	PathUsable                      // the server answered
)

// PathStanding returns what a client knows of a path. EventPaths tells when that may have
// changed.
func (c *Conn) PathStanding(a path.Addrs) PathStanding {
	p := c.paths.Find(a)
	switch {
	case p == nil || c.state != stateEstablished:
		return PathUnknown
	case p.Challenging():
		return PathProbing
	case p.Validated() && !p.Failed():
		return PathUsable
	}
	return PathUnknown
}

// mayMove returns why a client must stay where it is, nil if it may move.
func (c *Conn) mayMove() error {
	switch {
	case c.side == wire.ServerSide:
		return ErrMigrationDisabled // servers do not move (RFC 9000, Section 9)
	case c.state >= stateClosing || c.leaving():
		return ErrClosed
	case !c.confirmed():
		return ErrNotConfirmed
	case c.ids.stay || c.paths.Current.Peer.ID.Len() == 0:
		return ErrMigrationDisabled
	}
	return nil
}

// ProbePath has a client ask whether the server answers on a path, by a PATH_CHALLENGE to a
// connection ID that was used on no other (RFC 9000, Sections 9.1 and 9.5). EventPaths
// follows.
func (c *Conn) ProbePath(now monotime.Time, a path.Addrs) error {
	err := c.mayMove()
	if err == ErrMigrationDisabled && c.side == wire.ClientSide && a == c.paths.Current.Addrs {
		err = nil // it stays where it is
	}
	if err != nil {
		return err
	}
	return c.probePath(now, a)
}

// probePath is ProbePath for those who may.
func (c *Conn) probePath(now monotime.Time, a path.Addrs) error {
	p := c.paths.Find(a)
	if p == nil || !p.HasPeer() {
		if len(c.ids.spare) == 0 {
			return ErrNoPeerID
		}
		if p == nil {
			p = c.newPath(now, a)
			p.Trust()
			if forgotten := c.paths.Add(p); forgotten != nil {
				c.pathForgotten(forgotten)
			}
		}
		c.givePeerID(p)
	}
	c.challenge(now, p)
	return nil
}

// SwitchPath has a client send on a path that has been probed from now on. The one before
// is kept, as it is, to go back to.
func (c *Conn) SwitchPath(now monotime.Time, a path.Addrs) error {
	p := c.paths.Find(a)
	if p == c.paths.Current && p != nil {
		return nil
	}
	if err := c.mayMove(); err != nil {
		return err
	}
	switch {
	case c.PathStanding(a) != PathUsable:
		return ErrPathNotUsable
	case !p.HasPeer() && len(c.ids.spare) == 0: // the server has retired the path's
		return ErrNoPeerID
	}
	c.switchPath(now, p)
	return nil
}

// switchPath moves a client to a path.
func (c *Conn) switchPath(now monotime.Time, p *path.Path) {
	if c.paths.Stale(now, p) {
		p.Estimates = c.newPath(now, p.Addrs).Estimates
	}
	c.usePath(now, p)
	c.space.ping = true // no probing frame: the server learns that this path is in use (Section 9.2)
	c.event(EventPathChanged, nil)
}

// LeavePath forgets a path of a client's, whose connection ID is retired. The error is
// ErrPathInUse for the path on which packets are sent.
func (c *Conn) LeavePath(a path.Addrs) error {
	p := c.paths.Find(a)
	switch {
	case p == c.paths.Current:
		return ErrPathInUse
	case p != nil && p != c.paths.Fallback() && c.state < stateClosing: // a server may have to go back there
		c.forgetPath(p)
		c.pathsLeft()
	}
	return nil
}

// LeaveSocket forgets all of a client's paths by a socket, to wherever its server is or was.
// The error is ErrPathInUse if packets are sent on one of them.
func (c *Conn) LeaveSocket(socket uint8) error {
	if c.paths.Current.Socket == socket {
		return ErrPathInUse
	}
	if c.side == wire.ClientSide && c.state < stateClosing {
		for p := range c.paths.All() {
			if p.Socket == socket {
				c.forgetPath(p)
			}
		}
		c.pathsLeft()
	}
	return nil
}

// pathsLeft tells of paths that were forgotten.
func (c *Conn) pathsLeft() {
	c.deadlines[slotPath] = c.paths.Deadline()
	c.event(EventPaths, nil)
}

// probeEnded handles that a client's probe was answered, or given up.
func (c *Conn) probeEnded(now monotime.Time, p *path.Path, answered bool) {
	c.event(EventPaths, nil)
	switch {
	case p == c.paths.Current:
	case !answered:
		c.forgetPath(p)
	case p.Preferred:
		c.usePreferred(now, p)
	}
}

// probePreferred has a client ask whether the server is at the address that it prefers, of
// the family that is in use (RFC 9000, Section 9.6.1).
func (c *Conn) probePreferred(now monotime.Time) {
	if c.hs == nil || c.hs.preferred == nil || c.config.IgnorePreferredAddress {
		return
	}
	a := c.paths.Current.Addrs
	from := a.Remote.Addr()
	if a.Remote = c.hs.preferred.IPv6; from.Unmap().Is4() {
		a.Remote = c.hs.preferred.IPv4
	}
	// Section 21.5.3: a server elsewhere has no business with addresses that mean something
	// else here.
	to := a.Remote.Addr()
	if a.Remote.Port() == 0 || to.Is4In6() || !to.IsGlobalUnicast() && !(to.IsLoopback() && from.IsLoopback()) {
		return
	}
	if a != c.paths.Current.Addrs {
		c.probeForPreferred(now, a)
	}
}

// probeForPreferred has a client ask whether the server is on a path to the address that
// it prefers.
func (c *Conn) probeForPreferred(now monotime.Time, a path.Addrs) {
	if c.probePath(now, a) == nil { // without a connection ID there is no way to go
		c.paths.Find(a).Preferred = true
	}
}

// usePreferred moves a client to its server's preferred address, where it answered. From
// the old one the server may still send, so that the path is kept, without a connection ID;
// and disable_active_migration does not apply any more (RFC 9000, Section 9.6.1 and 18.2).
// Other paths led to where the server was. A client that has moved meanwhile asks once more,
// from where it is now (Section 9.6.3).
func (c *Conn) usePreferred(now monotime.Time, p *path.Path) {
	old := c.paths.Current
	if p.Socket != old.Socket {
		c.forgetPath(p)
		c.probeForPreferred(now, path.Addrs{Remote: p.Remote, Socket: old.Socket})
		return
	}
	p.Preferred = false
	c.ids.stay = false
	c.switchPath(now, p)
	c.releasePeerID(old)
	for q := range c.paths.All() {
		if q != old && q.Remote != p.Remote {
			c.forgetPath(q)
		}
	}
}
