package quic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

var (
	// ErrMigrationDisabled: the server wants its clients to stay at their addresses, or does
	// not use connection IDs, so that everybody could follow them (RFC 9000, Sections 9 and
	// 9.5). It is within a *PathError.
	ErrMigrationDisabled = errors.New("the server does not allow its clients to move")
	// ErrNoConnectionID: the server has given no connection ID for a further path, on which
	// none that was used before may be (RFC 9000, Section 9.5): paths are to be closed, or
	// it is to be tried later. It is within a *PathError.
	ErrNoConnectionID = errors.New("the server has given no further connection ID")
)

// PathError says why a client cannot use a path. Err is ErrMigrationDisabled,
// ErrNoConnectionID, one in which errors.Is finds os.ErrDeadlineExceeded if no answer came,
// one of sending, the cause of a context's end, or something else about this side. It is a
// net.Error, with Timeout if no answer came.
type PathError struct {
	Local, Remote net.Addr
	Err           error
}

func (e *PathError) Error() string {
	return fmt.Sprintf("quic: path from %v to %v: %v", e.Local, e.Remote, e.Err)
}

// Unwrap returns Err.
func (e *PathError) Unwrap() error { return e.Err }

// Timeout reports whether no answer came.
func (e *PathError) Timeout() bool { return errors.Is(e.Err, os.ErrDeadlineExceeded) }

// Temporary returns false: what is to be done differs.
func (e *PathError) Temporary() bool { return false }

var _ net.Error = (*PathError)(nil)

var errNoAnswer = fmt.Errorf("no answer came in time: %w", os.ErrDeadlineExceeded)

// Path is a way from a client to its server, by the socket of a Transport. Its methods may be
// called from any goroutine, but not in callbacks, as they wait for the event loop.
type Path struct {
	conn      *Conn
	transport *Transport // nil for the first, by the transport that was dialled from
	socket    uint8

	// Of the loop's goroutine alone:
	probes []*probe // that have no answer yet
	closed bool
}

// paths are those of a connection that has had more than one, or was asked.
type paths struct {
	list   []*Path // with Conn.mu; the first is by the connection's own socket
	socket uint8   // in use; with Conn.mu

	seeking atomic.Bool // a NetworkLost is under way
	again   seekAgain
}

// AddPath prepares a client's connection to go on by the socket of another transport, such as
// one that NewTransport has opened on another address of the machine. Nothing is sent there
// before Path.Probe. The connection stays on its event loop, so that the transport that it was
// dialled on must stay open, even if its network is gone; for the other one, that it is closed
// is as if its network were. The transport that it was dialled on makes the first path again,
// once that was closed.
//
// What was sent and learned on one path counts for it alone (RFC 9000, Section 9.4), and no
// two paths have a connection ID in common (Section 9.5).
func (c *Conn) AddPath(t *Transport) (*Path, error) {
	worker := t.workers[int(t.turn.Add(1))%len(t.workers)]
	p := &Path{conn: c, transport: t}
	for _, a := range []net.Addr{t.LocalAddr(), c.RemoteAddr()} {
		if _, ip := a.(*net.UDPAddr); !ip {
			return nil, p.error(t.LocalAddr(), fmt.Errorf("a network of its own (%s)", a.Network()))
		}
	}
	if err := c.onLoop(func() error { return p.begin(worker.Loop) }); err != nil {
		return nil, p.error(t.LocalAddr(), err)
	}
	return p, nil
}

// begin takes the socket of a loop for the path, and puts it among the connection's, where
// leavePaths finds it, whoever is told of it. On the loop's goroutine.
func (p *Path) begin(l *loop.Loop) error {
	c := p.conn
	n, err := c.face.Link.AddSocket(l)
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.allPaths()
	if err == loop.ErrOwnSocket && !slices.ContainsFunc(s.list, func(other *Path) bool { return other.socket == 0 }) {
		err, p.transport = nil, nil // the first path, which was closed
	}
	if err = cmp.Or(c.err, err); err != nil {
		return err
	}
	if p.socket = n; p.transport != nil {
		p.transport.live.Add(1)
	}
	s.list = append(s.list, p)
	return nil
}

// Path returns the path that packets are sent on now: the first one as long as nothing else
// has been said.
func (c *Conn) Path() *Path {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.allPaths()
	for _, p := range s.list {
		if p.socket == s.socket {
			return p
		}
	}
	return s.list[0]
}

// allPaths returns the connection's paths. Conn.mu is held.
func (c *Conn) allPaths() *paths {
	x := c.mayHave()
	if x.paths == nil {
		x.paths = &paths{list: []*Path{{conn: c}}}
	}
	return x.paths
}

// Probe asks the server for an answer on the path, and returns when it has come, or when none
// has within three probe timeouts, which is three seconds on a path that is new. The path
// that is in use stays so. Of several calls, each asks anew. Right after the handshake, and
// after many moves, it waits up to a second for a connection ID of the server's.
func (p *Path) Probe(ctx context.Context) error {
	q := &probe{path: p, answer: make(chan error, 1)}
	err := p.conn.onLoop(func() error {
		if p.closed {
			return ErrClosed
		}
		q.begin()
		return nil
	})
	if err == nil {
		select {
		case err = <-q.answer:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-p.conn.Done():
			err = p.conn.Err()
		}
	}
	return p.error(p.LocalAddr(), err)
}

// maxIDWait is for how long a probe waits until it may begin: some round trips.
const maxIDWait = time.Second

// probe is a call of Path.Probe. All but answer is of the loop's goroutine alone.
type probe struct {
	path   *Path
	answer chan error // has room for one
	begun  bool
	remote netip.AddrPort // where the server was then
	err    error          // why it may not begin yet
	timer  loop.Timer     // ends that wait
}

// begin has the probe leave, or waits until it may.
func (q *probe) begin() {
	p, link := q.path, q.path.conn.face.Link
	q.err = link.ProbePath(p.socket)
	q.begun, q.remote = q.err == nil, link.Path().Remote
	switch {
	case q.begun:
	case !errors.Is(q.err, engine.ErrNotConfirmed) && !errors.Is(q.err, engine.ErrNoPeerID):
		q.end(q.err)
		return
	}
	if !slices.Contains(p.probes, q) {
		p.probes = append(p.probes, q)
	}
	if !q.begun && !q.timer.Set() {
		link.SetTimer(&q.timer, link.Now().Add(maxIDWait), q)
	}
}

// Fire implements loop.Timed.
func (q *probe) Fire() {
	if !q.begun {
		q.end(q.err)
	}
}

// end tells the caller how the probe has ended.
func (q *probe) end(err error) {
	p := q.path
	p.conn.face.Link.SetTimer(&q.timer, 0, nil)
	p.probes = slices.DeleteFunc(p.probes, func(other *probe) bool { return other == q })
	q.answer <- err
}

// settle looks what has become of probes. On the loop's goroutine.
func (p *Path) settle() {
	link := p.conn.face.Link
	for _, q := range slices.Clone(p.probes) {
		standing := link.PathStanding(p.socket)
		switch {
		case p.closed:
			q.end(ErrClosed)
		case !q.begun, standing == engine.PathUnknown && q.remote != link.Path().Remote:
			q.begin() // in the second case anew: the server has gone to its preferred address
		case standing == engine.PathUsable:
			q.end(nil)
		case standing == engine.PathUnknown:
			q.end(cmp.Or(link.SocketError(p.socket), errNoAnswer))
		}
	}
}

// Switch has the connection send on the path from now on, which must have been probed; the
// server then does the same. The path before stays as it is, to go back to: it keeps its
// connection ID, and what was learned of it, until it is closed.
func (p *Path) Switch() error {
	return p.error(p.LocalAddr(), p.conn.onLoop(func() error {
		if p.closed {
			return ErrClosed
		}
		err := p.conn.face.Link.SwitchPath(p.socket)
		p.conn.refreshPath() // before anybody can look
		return err
	}))
}

// Close ends the use of the path, which must not be the one that packets are sent on: its
// connection ID is retired. The transport stays open.
func (p *Path) Close() error {
	return p.error(p.LocalAddr(), p.conn.onLoop(func() error {
		if p.closed {
			return nil
		}
		if err := p.conn.face.Link.LeavePath(p.socket); err != nil {
			return err
		}
		p.leave()
		p.settle()
		p.conn.mu.Lock()
		defer p.conn.mu.Unlock()
		s := p.conn.allPaths()
		s.list = slices.DeleteFunc(s.list, func(other *Path) bool { return other == p })
		return nil
	}))
}

// leave gives the path's socket up. On the loop's goroutine.
func (p *Path) leave() {
	if p.closed = true; p.transport != nil {
		p.conn.face.Link.RemoveSocket(p.socket)
		p.transport.live.Add(-1)
		p.transport.retire()
	}
}

// leavePaths gives up the sockets of all paths: the connection is forgotten. On the loop's
// goroutine.
func (c *Conn) leavePaths() {
	c.mu.Lock()
	var list []*Path
	if s := c.has().paths; s != nil {
		list = slices.Clone(s.list)
	}
	c.mu.Unlock()
	for _, p := range list {
		if !p.closed {
			p.leave()
		}
	}
}

// settlePaths tells all who wait for probes. On the loop's goroutine.
func (c *Conn) settlePaths() {
	c.mu.Lock()
	var list []*Path
	if s := c.has().paths; s != nil {
		list = slices.Clone(s.list)
	}
	c.mu.Unlock()
	for _, p := range list {
		p.settle()
	}
}

// LocalAddr returns the address of the path's socket, as Transport.LocalAddr does.
func (p *Path) LocalAddr() net.Addr {
	t := p.transport
	if t == nil {
		t = p.conn.transport
	}
	return t.LocalAddr()
}

// error returns a *PathError, or nil for nil.
func (p *Path) error(local net.Addr, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrMigrationDisabled):
		err = ErrMigrationDisabled
	case errors.Is(err, engine.ErrNoPeerID):
		err = ErrNoConnectionID
	case errors.Is(err, engine.ErrClosed):
		err = cmp.Or(p.conn.Err(), ErrClosed)
	}
	return &PathError{Local: local, Remote: p.conn.RemoteAddr(), Err: err}
}

// onLoop calls f on the connection's loop, and returns what it returns, or why it was not
// called.
func (c *Conn) onLoop(f func() error) error {
	done := make(chan error, 1)
	if !c.face.Link.Do(func() { done <- f() }) {
		return cmp.Or(c.Err(), ErrClosed)
	}
	select {
	case err := <-done:
		return err
	case <-c.Done():
		select {
		case err := <-done:
			return err
		default:
			return c.Err()
		}
	}
}
