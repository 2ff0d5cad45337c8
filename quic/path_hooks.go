package quic

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/loop"
)

// PreferredAddress is where a server wants its clients: see Config.PreferredAddress.
type PreferredAddress struct {
	// IPv4 and IPv6 are the addresses that clients are told, one of each family, or one of
	// both. Without any it is that of Transport, which must be bound to one then.
	IPv4, IPv6 netip.AddrPort
	// Transport has the sockets at which what is sent there arrives. nil means the listener's,
	// which are bound to all addresses of the machine then, so that the port is the same. It
	// must be open as long as the listener's connections are. It may have a listener of its
	// own, and serve any number of other transports' connections.
	Transport *Transport
}

// addresses returns those that clients are told.
func (a *PreferredAddress) addresses() (v4, v6 netip.AddrPort) {
	if a == nil {
		return v4, v6
	}
	v4, v6 = a.IPv4, a.IPv6
	if v4.IsValid() || v6.IsValid() || a.Transport == nil {
		return v4, v6
	}
	local := a.Transport.workers[0].LocalAddr()
	switch {
	case local.Addr().IsUnspecified():
	case local.Addr().Is4():
		v4 = local
	default:
		v6 = local
	}
	return v4, v6
}

// check refuses what clients could not use.
func (a *PreferredAddress) check() error {
	if a == nil {
		return nil
	}
	v4, v6 := a.addresses()
	switch {
	case !v4.IsValid() && !v6.IsValid():
		return errors.New("quic: Config.PreferredAddress has no address")
	case v4.IsValid() && !v4.Addr().Is4() || v6.IsValid() && (!v6.Addr().Is6() || v6.Addr().Is4In6()):
		return errors.New("quic: Config.PreferredAddress has an address of another family")
	}
	for _, x := range []netip.AddrPort{v4, v6} {
		if x.IsValid() && (x.Port() == 0 || x.Addr().IsUnspecified() || x.Addr().IsMulticast() || x.Addr().Zone() != "") {
			return errors.New("quic: Config.PreferredAddress has an address that nobody can send to: " + x.String())
		}
	}
	return nil
}

// hooks are what of a Config the engine does not know, and is looked at later.
type hooks struct {
	addrChanged func(*Conn)
	networkLost func(*Conn, error) (*Transport, error)
	preferred   *Transport
}

// hooks returns those of a connection, nil if there are none.
func (c *Conn) hooks() *hooks {
	h, _ := c.conf.App.(*hooks)
	return h
}

// newHooks returns those of a Config, nil if there are none.
func (conf *Config) newHooks() any {
	h := &hooks{addrChanged: conf.AddrChanged, networkLost: conf.NetworkLost}
	if conf.PreferredAddress != nil {
		h.preferred = conf.PreferredAddress.Transport
	}
	if h.addrChanged == nil && h.networkLost == nil && h.preferred == nil {
		return nil
	}
	return h
}

// errSilent is what NetworkLost is told when nothing else is known.
var errSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string   { return "quic: the server answers nothing any more" }
func (silentError) Timeout() bool   { return true }
func (silentError) Temporary() bool { return true }

var _ net.Error = silentError{}

// seek asks the application for another network, and moves there, in a goroutine of its own,
// unless that is under way. On the loop's goroutine.
func (c *Conn) seek(why error) {
	h := c.hooks()
	if h == nil || h.networkLost == nil || c.listener != nil || c.Err() != nil {
		return
	}
	c.mu.Lock()
	seeking := &c.allPaths().seeking
	c.mu.Unlock()
	if !seeking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		t, err := h.networkLost(c, why)
		moved := t != nil && err == nil && c.moveTo(t) == nil
		seeking.Store(false)
		if !moved {
			c.face.Link.Do(c.seekLater)
		}
	}()
}

// seekPeriod is after how long NetworkLost is asked again when that has led to nothing: a
// network that comes up takes seconds.
const seekPeriod = time.Second

// seekAgain is a connection's wait for that.
type seekAgain struct {
	conn  *Conn
	timer loop.Timer
}

// seekLater has NetworkLost asked again if the server is still silent then. What cannot be
// sent brings that about by itself. On the loop's goroutine.
func (c *Conn) seekLater() {
	c.mu.Lock()
	again := &c.allPaths().again
	c.mu.Unlock()
	again.conn = c
	c.face.Link.SetTimer(&again.timer, c.face.Link.Now().Add(seekPeriod), again)
}

// Fire implements loop.Timed.
func (s *seekAgain) Fire() {
	if s.conn.face.Link.Silent() {
		s.conn.seek(errSilent)
	}
}

// moveTo has the connection go on by another transport, and leave the path before.
func (c *Conn) moveTo(t *Transport) error {
	before := c.Path()
	p, err := c.AddPath(t)
	if err != nil {
		return err
	}
	if err = p.Probe(context.Background()); err == nil {
		err = p.Switch()
	}
	if err != nil {
		_ = p.Close()
		return err
	}
	return before.Close()
}
