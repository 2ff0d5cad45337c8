package quic

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/bounded"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/queue"
)

// Conn is a QUIC connection. Its methods may be called from any goroutine,
// unless they say otherwise.
type Conn struct {
	transport *Transport
	face      face.Conn
	conf      *engine.Config
	listener  *Listener // that the connection came in by, nil if it was dialled

	accepts   *acceptQueues        // nil on an event-driven connection, and before the handshake
	accepted  atomic.Bool          // somebody has it: by Accept, or its Handler
	shaking   bool                 // it came in, and its handshake is not over; of the loop's goroutine, and here as it takes no room
	datagrams *queue.Queue[[]byte] // to be received; nil when they are off

	mu     sync.Mutex
	err    error         // why the connection ended
	ending error         // the same, before it is told
	done   chan struct{} // closed then; made when asked for
	local  netip.AddrPort
	remote netip.AddrPort
	extra  *extra        // made when asked for
	opens  *[2]list.List // of *openRequest: those who wait for a stream, and for a unidirectional one; nil before the first

	// Of the loop's goroutine alone:
	dialling *dialling // nil if it came in, or is complete or has failed
	released func()    // tells those who wait until it is forgotten; nil for nobody
}

// extra is what few connections are asked for.
type extra struct {
	paths *paths    // made when asked for
	life  *lifetime // made when asked for
}

// has returns what the connection has of it. Conn.mu is held.
func (c *Conn) has() extra {
	if c.extra == nil {
		return extra{}
	}
	return *c.extra
}

// mayHave returns it to be changed. Conn.mu is held.
func (c *Conn) mayHave() *extra {
	if c.extra == nil {
		c.extra = new(extra)
	}
	return c.extra
}

func (t *Transport) newConn(conf *engine.Config) *Conn {
	c := &Conn{transport: t, conf: conf}
	c.face.Owner = events{c}
	return c
}

// attach joins c to the loop's connection. On the loop's goroutine.
func (c *Conn) attach(link *loop.Conn, tls *handshake.Conn) {
	c.face.Link, c.face.TLS = link, tls
	if link.Datagrams() != nil {
		c.queueDatagrams()
	}
	c.refreshPath()
}

// refreshPath notes the addresses in use. On the loop's goroutine.
func (c *Conn) refreshPath() {
	path := c.face.Link.Path()
	local := c.face.Link.SocketAddr(path.Socket)
	if path.Local.IsValid() {
		local = netip.AddrPortFrom(path.Local, local.Port())
	}
	c.mu.Lock()
	c.local, c.remote = local, path.Remote
	if path.Socket != 0 || c.has().paths != nil {
		c.allPaths().socket = path.Socket
	}
	c.mu.Unlock()
}

// maxCloseWait is how long CloseWithError and Flush wait at most: a turn of an event
// loop takes milliseconds.
const maxCloseWait = time.Second

// CloseWithError closes the connection. The peer is told the application's code
// and the reason, of which up to 512 bytes are sent. A code of 1<<62 or more does
// not fit into a packet: it is a bug of the caller, and makes CloseWithError panic.
//
// What was written before leaves first, as far as flow control and the congestion
// window let it at once, up to 256 KiB. It is not sent again if it gets lost, so a
// protocol that cares waits before it closes: for an answer of the peer, or until everything
// has been acknowledged, which SendStream.Context tells. A connection that is closed right
// after Dial may never have been seen by the server.
//
// When CloseWithError returns, the connection has ended and CONNECTION_CLOSE has been
// handed to the network, so that a program may exit. That takes a turn of the event
// loop, for which it waits, up to a second: it is not for callbacks, which have
// event.Turn.Close, and a lock that HandleClose takes must not be held. The error is always
// nil.
func (c *Conn) CloseWithError(code uint64, reason string) error {
	face.CheckCode(code)
	c.face.Link.Do(func() { c.face.Link.Close(code, reason) })
	bounded.Wait(maxCloseWait, c.Done(), nil)
	return nil
}

// Flush waits until what was written to the connection's streams before has been
// handed to the network, as far as flow control and the congestion window let it at
// once: a turn of the event loop, a second at most. Like CloseWithError, it is not for
// callbacks.
func (c *Conn) Flush() {
	flushed := make(chan struct{})
	// The turn that calls the first function ends with sending.
	c.face.Link.Do(func() { c.face.Link.Do(func() { close(flushed) }) })
	bounded.Wait(maxCloseWait, flushed, c.Done())
}

// Context returns a context that is cancelled when the connection ends, with
// Err as its cause.
func (c *Conn) Context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.mayHave()
	if x.life == nil {
		x.life = new(lifetime)
		x.life.ctx, x.life.cancel = context.WithCancelCause(context.Background())
		if c.err != nil {
			x.life.cancel(c.err)
		}
	}
	return x.life.ctx
}

// lifetime is a context that lasts as long as the connection.
type lifetime struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Done returns a channel that is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err returns nil while the connection lives, and then why it ended: an
// *ApplicationError, *TransportError, *IdleTimeoutError, ErrStatelessReset
// and, if dialling failed, the other errors of this package.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// LocalAddr returns this side's address, a *net.UDPAddr unless TransportConfig.Sockets
// have others. Its IP address is
// unspecified if the socket was not bound to one and the system does not tell. A client that
// moves has another one then: see Path.Switch.
func (c *Conn) LocalAddr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.face.Link.Loop().NetAddr(c.local)
}

// RemoteAddr returns the peer's address at present, of the same kind as LocalAddr. A client
// may move to another one, and a server have a preferred one; Config.AddrChanged tells.
func (c *Conn) RemoteAddr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.face.Link.Loop().NetAddr(c.remote)
}

// ConnectionState returns what the TLS handshake agreed on. Where there is early data, it
// does not have all of it before the handshake is complete, which HandshakeComplete tells.
func (c *Conn) ConnectionState() tls.ConnectionState {
	if e := c.face.TLS.Early(); !e.IsComplete() {
		return *e.First
	}
	return c.face.TLS.ConnectionState()
}

// Stats are a connection's figures at one moment.
type Stats struct {
	Version Version // of QUIC, as far as the handshake has come

	MinRTT, SmoothedRTT, LatestRTT, RTTVar time.Duration // RFC 9002, Section 5

	CongestionWindow, BytesInFlight int // bytes

	SentBytes, ReceivedBytes     uint64 // UDP payload
	SentPackets, ReceivedPackets uint64
	LostPackets, LostBytes       uint64 // declared lost; some may have arrived late

	// Datagrams (RFC 9221) dropped because the queue was full: before they were
	// sent, and before they were received here.
	SendDatagramsDropped, ReceiveDatagramsDropped uint64
}

// Stats returns the connection's figures: those of the event loop's last turn
// that had to do with it.
func (c *Conn) Stats() Stats {
	s := c.face.Link.Stats()
	stats := Stats{
		Version: Version(s.Version),
		MinRTT:  s.MinRTT, SmoothedRTT: s.SmoothedRTT, LatestRTT: s.LatestRTT, RTTVar: s.RTTVar,
		CongestionWindow: s.CongestionWindow, BytesInFlight: s.BytesInFlight,
		SentBytes: s.SentBytes, ReceivedBytes: s.ReceivedBytes,
		SentPackets: s.SentPackets, ReceivedPackets: s.ReceivedPackets,
		LostPackets: s.LostPackets, LostBytes: s.LostBytes,
	}
	if d := c.face.Link.Datagrams(); d != nil {
		stats.SendDatagramsDropped, stats.ReceiveDatagramsDropped = d.Out.Dropped(), c.datagrams.Dropped()
	}
	return stats
}
