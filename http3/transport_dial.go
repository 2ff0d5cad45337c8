package http3

import (
	"container/list"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// dialing is a connection being made.
type dialing struct {
	cancel  context.CancelFunc
	alone   bool // for a request that wants one of its own
	givenUp bool // nobody waits for it
}

// dialPause is how long nothing is tried, after a further connection beside those that
// are full was not to be had.
const dialPause = time.Second

// dial makes connections for those who wait: one for each that wants one of its own,
// and one at a time for those who share. ctx is that of one of them, whose trace is
// told. The lock is held.
func (t *Transport) dial(o *origin, ctx context.Context) {
	for t.mayDial(o) {
		alone := 0
		for _, d := range o.dials {
			if d.alone {
				alone++
			}
		}
		switch {
		case alone < o.alone:
			t.startDial(o, ctx, true)
		case alone < len(o.dials) || o.alone == o.wants.Len():
			return
		case len(o.conns) > 0 && time.Now().Before(o.pause):
			t.awaitPause(o)
			return
		default:
			t.startDial(o, ctx, false)
		}
	}
}

// dialMore is dial when something has changed. The lock is held.
func (t *Transport) dialMore(o *origin) {
	if first := o.wants.Front(); first != nil {
		t.dial(o, first.Value.(*want).ctx)
	}
}

// mayDial reports whether an origin may have a further connection. A server that allows
// no request yet on one that it has would not allow any on another. The lock is held.
func (t *Transport) mayDial(o *origin) bool {
	if t.closed || slices.ContainsFunc(o.conns, func(cc *clientConn) bool { return cc.limit == 0 }) {
		return false
	}
	if t.MaxConnsPerHost <= 0 {
		return true
	}
	n := len(o.dials)
	for cc := range t.live {
		if cc.addr == o.addr {
			n++
		}
	}
	return n < t.MaxConnsPerHost
}

// startDial connects to an origin in a goroutine. It does not end with the
// request that caused it, whose context has a trace perhaps, as others may wait.
// The lock is held.
func (t *Transport) startDial(o *origin, ctx context.Context, alone bool) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d := &dialing{cancel: cancel, alone: alone}
	first := len(o.conns) == 0
	o.dials = append(o.dials, d)
	go func() {
		defer cancel()
		if first && t.coalesce(ctx, o.addr) {
			t.dialled(o, d, nil, nil)
			return
		}
		cc, err := t.dialQUIC(ctx, o.addr)
		t.dialled(o, d, cc, err)
	}()
}

// dialled puts a new connection into the pool, if there is one, and serves those who
// wait.
func (t *Transport) dialled(o *origin, d *dialing, cc *clientConn, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o.dials = slices.DeleteFunc(o.dials, func(other *dialing) bool { return other == d })
	if cc != nil {
		err = t.add(cc, d)
	}
	switch {
	case t.closed:
		o.refuseAll(errTransportClosed)
	case d.givenUp:
	case err != nil:
		t.dialFailed(o, d, err)
	}
	if o = t.pool[o.addr]; o != nil {
		t.serve(o)
		t.dialMore(o)
		t.tidy(o)
	}
}

// dialFailed tells those who have waited for a connection. Who can be served by the
// ones that there are waits on. The lock is held.
func (t *Transport) dialFailed(o *origin, d *dialing, err error) {
	if !d.alone && len(o.conns) > 0 {
		o.pause = time.Now().Add(dialPause)
		return // dialMore follows
	}
	var next *list.Element
	for e := o.wants.Front(); e != nil; e = next {
		next = e.Next()
		if w := e.Value.(*want); w.alone == d.alone {
			o.refuse(w, err)
			if d.alone {
				return
			}
		}
	}
}

// awaitPause has the next connection dialled after the pause, by an entry in the table of
// one that there is. If that ends before, dialMore finds another one. The lock is held.
func (t *Transport) awaitPause(o *origin) {
	cc := o.conns[0]
	if o.pausing == cc {
		return
	}
	o.pausing = cc
	left := time.Until(o.pause)
	event.Run(cc.qc, func(turn event.Turn) {
		turn.SetTimer(new(event.Timer), turn.Now()+left, event.TimerFunc(func(event.Turn) {
			t.mu.Lock()
			defer t.mu.Unlock()
			if o.pausing == cc {
				o.pausing = nil
				t.dialMore(o)
			}
		}))
	})
}

// add puts a new connection into the pool. The lock is held.
func (t *Transport) add(cc *clientConn, d *dialing) error {
	if cc.ended {
		return cc.dialError(cc.qc.Err())
	}
	if t.live == nil {
		t.live = make(map[*clientConn]struct{})
	}
	t.live[cc] = struct{}{}
	t.made++
	cc.number = t.made
	if cc.gone || t.closed || d.givenUp {
		cc.gone = true
		cc.close()
		return errLeaves
	}
	o := t.origin(cc.addr)
	o.conns = append(o.conns, cc)
	if o.wants.Len() == 0 {
		t.idle(cc)
	}
	return nil
}

// dialQUIC connects to an origin.
func (t *Transport) dialQUIC(ctx context.Context, addr string) (*clientConn, error) {
	if err := notNegative("Transport.MaxResponseHeaderBytes", t.MaxResponseHeaderBytes); err != nil {
		return nil, err
	}
	tlsConf, err := t.tlsConfig(addr)
	if err != nil {
		return nil, err
	}
	conf := cloneQUIC(t.QUICConfig)
	if t.extension == nil {
		conf.MaxIncomingStreams = -1 // servers have no use for them (RFC 9114, Section 6.1)
	}
	conf.EnableDatagrams = conf.EnableDatagrams || t.datagrams()
	if conf.TokenStore == nil {
		conf.TokenStore = t.tokenStore()
	}
	var made atomic.Pointer[clientConn]
	newHandler := func(turn event.Turn) event.Handler {
		cc := newClientConn(t, turn, addr)
		made.Store(cc)
		return cc
	}
	on, to, err := t.destination(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("http3: dial %s: %w", addr, err)
	}
	qc, err := traceDial(ctx, func(ctx context.Context) (*quic.Conn, error) {
		if on != nil {
			return event.DialOn(ctx, on, to, tlsConf, conf, newHandler)
		}
		return event.Dial(ctx, to, tlsConf, conf, newHandler)
	})
	if err != nil {
		return nil, made.Load().dialError(err) // which says where to, or that one end closed the connection at once
	}
	return event.HandlerOf(qc).(*clientConn), nil
}

// tokenStore returns that of all connections, whatever sockets they have.
func (t *Transport) tokenStore() quic.TokenStore {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tokens == nil {
		t.tokens = quic.NewTokenStore(0, 0)
	}
	return t.tokens
}

// dialError returns why there is no connection, though c was there for a moment if it is
// not nil.
func (c *clientConn) dialError(err error) error {
	if c != nil && c.goAway.Load() != noGoAway {
		return errLeaves
	}
	return describe(err)
}

// destination returns where to dial for an origin: on a socket, nil for one of its own, and
// at an address.
func (t *Transport) destination(ctx context.Context, origin string) (on *quic.Transport, addr string, err error) {
	addr = t.routed(origin)
	if t.Route != nil {
		on, addr, err = t.Route(ctx, addr)
	}
	if on == nil {
		on = t.QUICTransport
	}
	return on, addr, err
}

// routed returns the address to dial for an origin. TLS makes sure that its server
// is the origin's.
func (t *Transport) routed(origin string) string {
	if t.alternative != nil {
		if addr, ok := t.alternative(origin); ok {
			return addr
		}
	}
	return origin
}

// tlsConfig is the user's configuration for one origin.
func (t *Transport) tlsConfig(addr string) (*tls.Config, error) {
	conf := &tls.Config{}
	if t.TLSClientConfig != nil {
		conf = t.TLSClientConfig.Clone()
	}
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		conf.ServerName = withoutZone(host)
	}
	conf.NextProtos = []string{h3.NextProto}
	conf.MinVersion = tls.VersionTLS13
	return conf, nil
}
