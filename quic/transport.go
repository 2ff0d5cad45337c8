package quic

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/admission"
	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/internal/bounded"
	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/hosted"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// Transport is a UDP address and the event loops that serve it, shared by any
// number of connections dialled from it and by at most one Listener. Its
// methods may be called from any goroutine.
//
// Listen and Dial make one of their own, which ends by itself.
type Transport struct {
	ids     connid.Generator
	retry   bool // every client has to prove its address
	log     *asynclog.Handler
	workers []*worker
	turn    atomic.Uint32        // picks the worker for the next dialled connection
	adjust  func(*engine.Config) // by a test; nil otherwise
	gate    *admission.Gate      // for clients
	memory  *streambuf.Memory    // for buffers; nil without limit
	nonQUIC nonQUIC              // what others do with the socket
	tokens  TokenStore           // of connections that have no other; nil for none

	heritage     *heritage
	links        links                        // to neighbors
	predecessor  atomic.Pointer[net.UnixConn] // that is to be told when it listens; nil otherwise
	predecessors atomic.Int32                 // loops of it that still have connections
	successors   atomic.Int32                 // loops of one that there is, or is about to be

	listener  atomic.Pointer[Listener] // the one that was not closed, or nil
	live      atomic.Int64             // connections not yet released
	temporary atomic.Bool              // ends when no listener and no connection is left
	sole      bool                     // the socket is that of one connection, which was dialled
}

// worker is one of a transport's event loops. Each has a socket of its own.
type worker struct {
	*loop.Loop
	transport *Transport
	accepting *Listener // new connections are this one's; of the loop's goroutine
}

// NewTransport opens a socket on addr, "host:port" as for net.ListenPacket; ""
// and ":0" are every address of the machine and a free port, which suits a
// client. A nil conf means the defaults. With TransportConfig.Sockets, addr must be "".
//
// Programs that only listen, or have one connection, need none: Listen and Dial make it,
// and so do TransportConfig.Listen and TransportConfig.Dial.
func NewTransport(addr string, conf *TransportConfig) (*Transport, error) {
	return openTransport(addr, conf, nil)
}

// openTransport is NewTransport. host, if not nil, has a part in its loop, of which there
// is one.
func openTransport(addr string, conf *TransportConfig, host *hosted.Loop) (*Transport, error) {
	conf = conf.orDefault()
	if err := conf.validate(); err != nil {
		return nil, conf.giveUp(err)
	}
	group, h, err := conf.openSockets(addr, host)
	if err != nil {
		return nil, conf.giveUp(err)
	}
	socks := make([]loop.Socket, len(group.Sockets))
	for i, s := range group.Sockets {
		socks[i] = s
	}
	return startTransport(socks, conf, h, host), nil
}

// newTransport starts a loop on each socket.
func newTransport(socks []loop.Socket, conf *TransportConfig) *Transport {
	return startTransport(socks, conf, conf.newHeritage(), nil)
}

// startTransport is newTransport, with a heritage, and a host as openTransport has it.
func startTransport(socks []loop.Socket, conf *TransportConfig, h *heritage, host *hosted.Loop) *Transport {
	t := &Transport{
		ids: conf.connectionIDs(), retry: conf.RequireAddressValidation,
		log: conf.logHandler(), gate: admission.New(conf.admission()), memory: conf.memory(),
		heritage: h, tokens: NewTokenStore(0, 0),
	}
	t.predecessor.Store(conf.Predecessor)
	t.links.add(h.links)
	ep := engine.EndpointConfig{
		ResetKeys: h.ResetKeys, TokenSecrets: h.TokenSecrets, Gate: t.gate, Memory: t.memory, ConnectionIDs: t.ids,
		UsedTokens: new(admission.UsedTokens), WallTime: wallTime,
	}
	t.nonQUIC.init(t)
	for range socks {
		t.workers = append(t.workers, &worker{transport: t})
	}
	group := loop.StartGroup(socks, func(i int) loop.Config {
		rand.Read(ep.Seed[:])
		l := loop.Config{
			Endpoint: ep, Accept: t.workers[i].accept, Ended: t.ended,
			SendBatch: conf.SendBatch, ReceiveBatch: conf.ReceiveBatch, Foreign: t.nonQUIC.put,
		}
		t.host(&l, host)
		return l
	})
	for i, l := range group.Loops {
		t.workers[i].Loop = l
	}
	return t
}

// wallTime dates tokens: the loops' clocks stand still while the machine sleeps.
func wallTime(monotime.Time) time.Time { return time.Now() }

// ended is a loop's last word. One loop without its socket would leave the
// others with half of the clients, so all end.
func (t *Transport) ended(err error) {
	if err != nil {
		slog.New(t.log).Error("quic: the socket failed, all its connections are closed", "err", err)
		t.stop()
	}
	t.nonQUIC.ended()
	t.links.close()
	if l := t.listener.Load(); l != nil {
		l.backlog.Close(ErrClosed)
	}
}

// stop makes all loops end.
func (t *Transport) stop() {
	for _, w := range t.workers {
		w.Stop()
	}
}

// accept makes the Conn for a connection that a client opens.
func (w *worker) accept(link *loop.Conn) loop.Handler {
	t := w.transport
	t.live.Add(1)
	c := t.newConn(w.accepting.conf)
	c.listener = w.accepting
	c.listener.begun(c)
	c.attach(link, link.TLS().(*handshake.Conn))
	if h := c.hooks(); h != nil && h.preferred != nil {
		there := h.preferred.workers
		_, _ = link.AddSocket(there[w.Index()%len(there)].Loop) // without, clients get no answer, and stay
	}
	return events{c}
}

// Listen makes the transport accept connections, until the Listener is closed. tlsConf
// and conf are as with the function Listen.
func (t *Transport) Listen(tlsConf *tls.Config, conf *Config) (*Listener, error) {
	return t.listen(tlsConf, conf, nil)
}

// listen is Listen for connections with handlers, if newHandler is not nil.
func (t *Transport) listen(tlsConf *tls.Config, conf *Config, newHandler any) (*Listener, error) {
	conf = conf.orDefault()
	if err := cmp.Or(checkServerTLS(tlsConf), conf.validate()); err != nil {
		return nil, err
	}
	if connid.Empty(t.ids) {
		return nil, errors.New("quic: empty connection IDs are for clients: they lead to one connection only")
	}
	server, err := handshake.NewServer(tlsConf, conf.earlyConfig())
	if err != nil {
		return nil, err
	}
	l := &Listener{transport: t, conf: t.engineConfig(conf), newHandler: newHandler, maxBacklog: maxBacklog}
	l.ending.over = make(chan struct{})
	l.server = engine.Server{
		Config:       l.conf,
		NewTLS:       func() engine.TLS { return server.NewConn() },
		RequireRetry: t.retry,
	}
	if !t.listener.CompareAndSwap(nil, l) {
		return nil, errors.New("quic: the transport has a listener already")
	}
	for _, w := range t.workers {
		if !w.serve(l) {
			return nil, ErrClosed
		}
	}
	if p := t.predecessor.Load(); p != nil {
		if err := t.takeOver(p); err != nil {
			_ = l.Close()
			return nil, err
		}
	}
	return l, nil
}

// serve makes a worker accept connections for l, and waits until it does: a
// client may come at once. It returns false if the loop has ended.
func (w *worker) serve(l *Listener) bool {
	ready := make(chan struct{})
	w.Do(func() {
		w.accepting = l
		w.SetServer(&l.server)
		close(ready)
	})
	select {
	case <-ready:
		return true
	case <-w.Done():
		return false
	}
}

// engineConfig returns conf for the engine.
func (t *Transport) engineConfig(conf *Config) *engine.Config {
	e := conf.engineConfig()
	if t.sole {
		e.MaxClosingPeriod = maxSoleClosing
	}
	if t.adjust != nil {
		t.adjust(e)
	}
	return e
}

// LocalAddr returns the address listened on or dialled from, a *net.UDPAddr unless
// TransportConfig.Sockets have others.
func (t *Transport) LocalAddr() net.Addr { return t.workers[0].NetAddr(t.workers[0].LocalAddr()) }

// Close ends the transport: its connections are closed with an application
// error of 0, which their peers are told once, the listener is closed, and so
// is the socket. It waits until that is done, so it must not be called from a
// Handler (package event). Should a Handler hang, it returns after five seconds, and the
// rest is done when the Handler returns.
func (t *Transport) Close() error {
	t.stop()
	end := time.Now().Add(maxTransportClose)
	for _, w := range t.workers {
		if !bounded.Wait(time.Until(end), w.Done(), nil) {
			return errors.New("quic: Transport.Close waits no longer for a Handler to return")
		}
	}
	t.log.Flush()
	return nil
}

// maxTransportClose is how long Transport.Close waits at most: an event loop's last turn
// takes milliseconds, or some hundred where it closes many thousand connections.
const maxTransportClose = 5 * time.Second

// setTemporary makes the transport end once nobody uses it.
func (t *Transport) setTemporary() {
	t.temporary.Store(true)
	t.retire()
}

// retire ends a temporary transport that nobody uses.
func (t *Transport) retire() {
	if t.temporary.Load() && t.listener.Load() == nil && t.live.Load() == 0 && t.predecessors.Load() == 0 {
		t.stop()
	}
}
