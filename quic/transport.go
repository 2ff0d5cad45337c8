package quic

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/udp"
)

// Transport is a UDP socket and the event loop that serves it, shared by any
// number of connections dialled from it and by at most one Listener. Its
// methods may be called from any goroutine.
//
// Listen and Dial make one of their own, which ends by itself.
type Transport struct {
	conf *Config
	loop *loop.Loop

	listener atomic.Pointer[Listener] // the one that was not closed, or nil

	// Of the loop's goroutine alone:
	accepting *Listener // new connections are this one's, nil if none are accepted
	temporary bool      // ends when no listener and no connection is left
}

// NewTransport opens a socket on addr, "host:port" as for net.ListenPacket; ""
// and ":0" are every address of the machine and a free port, which suits a
// client. conf is also what connections get for which no other is given.
func NewTransport(addr string, conf *Config) (*Transport, error) {
	conf = conf.orDefault()
	if err := conf.validate(); err != nil {
		return nil, err
	}
	if addr == "" {
		addr = ":0"
	}
	sock, err := udp.Listen(addr, udp.Config{
		ReadBuffer:  conf.SocketBuffer,
		WriteBuffer: conf.SocketBuffer,
		DisableGSO:  conf.DisableGSO,
		DisableGRO:  conf.DisableGRO,
		Logger:      conf.Logger,
	})
	if err != nil {
		return nil, err
	}
	return newTransport(sock, conf), nil
}

// newTransport starts a loop on a socket.
func newTransport(sock loop.Socket, conf *Config) *Transport {
	var ep engine.EndpointConfig
	rand.Read(ep.Seed[:])
	rand.Read(ep.TokenSecret[:])
	rand.Read(ep.ResetKey[:])
	if conf.StatelessResetKey != nil {
		ep.ResetKey = *conf.StatelessResetKey
	}
	t := &Transport{conf: conf}
	t.loop = loop.Start(sock, loop.Config{Endpoint: ep, Accept: t.accept, Ended: t.ended})
	return t
}

// ended is the loop's last word.
func (t *Transport) ended(err error) {
	if err != nil {
		t.conf.logger().Error("quic: the socket failed, all its connections are closed", "err", err)
	}
	if l := t.listener.Load(); l != nil {
		l.backlog.close(ErrServerClosed)
	}
}

// accept makes the Conn for a connection that a client opens.
func (t *Transport) accept(link *loop.Conn) loop.Handler {
	c := t.newConn(t.accepting.conf)
	c.listener = t.accepting
	c.attach(link, link.TLS().(*handshake.Conn))
	return events{c}
}

// Listen makes the transport accept connections. tlsConf needs certificates
// and NextProtos. A nil conf is the transport's.
func (t *Transport) Listen(tlsConf *tls.Config, conf *Config) (*Listener, error) {
	if conf == nil {
		conf = t.conf
	}
	if err := conf.validate(); err != nil {
		return nil, err
	}
	if err := checkServerTLS(tlsConf); err != nil {
		return nil, err
	}
	server, err := handshake.NewServer(tlsConf)
	if err != nil {
		return nil, err
	}
	l := &Listener{transport: t, conf: conf, maxBacklog: maxBacklog}
	if !t.listener.CompareAndSwap(nil, l) {
		return nil, errors.New("quic: the transport has a listener already")
	}
	ok := t.loop.Do(func() {
		t.accepting = l
		t.loop.SetServer(&engine.Server{
			Config:       t.engineConfig(conf),
			NewTLS:       func() engine.TLS { return server.NewConn() },
			RequireRetry: conf.RequireAddressValidation,
		})
	})
	if !ok {
		return nil, ErrServerClosed
	}
	return l, nil
}

// engineConfig returns conf for the engine.
func (t *Transport) engineConfig(conf *Config) *engine.Config {
	e := conf.engineConfig()
	e.NewTracer = newTracer(conf)
	return e
}

// LocalAddr returns the socket's address, a *net.UDPAddr.
func (t *Transport) LocalAddr() net.Addr { return udpAddr(t.loop.LocalAddr()) }

// Close ends the transport: its connections are closed with an application
// error of 0, which their peers are told once, the listener is closed, and so
// is the socket. It waits until that is done, so it must not be called from a
// Handler.
func (t *Transport) Close() error {
	t.loop.Close()
	return nil
}

// setTemporary makes the transport end once nobody uses it.
func (t *Transport) setTemporary() {
	t.loop.Do(func() {
		t.temporary = true
		t.retire()
	})
}

// retire ends a temporary transport that nobody uses. On the loop's goroutine.
func (t *Transport) retire() {
	if t.temporary && t.listener.Load() == nil && t.loop.Conns() == 0 {
		t.loop.Stop()
	}
}

func udpAddr(a netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(a) }
