package http3

import (
	"context"
	"crypto/tls"
	"net"
)

// origin is what a Transport keeps for one "host:port".
type origin struct {
	conn *clientConn // nil when there is none to send requests on
	dial *dialing    // the connection being made, if any
}

// dialing is a connection being made for whoever waits for it.
type dialing struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int // with none left it is given up
	err     error
}

// acquired says how a request got its connection.
type acquired struct {
	reused bool // it had been there before
	idle   bool // and no other request was running on it
}

// acquire returns a connection to an origin on which one more request is
// counted. It makes one when there is none; concurrent requests share the
// attempt.
func (t *Transport) acquire(ctx context.Context, addr string) (cc *clientConn, how acquired, err error) {
	for reused := true; ; reused = false {
		t.mu.Lock()
		if t.closed {
			t.mu.Unlock()
			return nil, acquired{}, errTransportClosed
		}
		o := t.origin(addr)
		if cc = o.conn; cc != nil {
			reused = reused || cc.addr != addr
			how = acquired{reused, reused && cc.requests == 0}
			cc.requests++
			t.mu.Unlock()
			return cc, how, nil
		}
		if o.dial == nil {
			t.startDial(ctx, o, addr)
		}
		d := o.dial
		d.waiters++
		t.mu.Unlock()
		select {
		case <-d.done:
			if d.err != nil {
				return nil, acquired{}, d.err
			}
		case <-ctx.Done():
			t.leave(addr, d)
			return nil, acquired{}, context.Cause(ctx)
		}
	}
}

// has reports whether there is a connection to an origin.
func (t *Transport) has(addr string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.pool[addr]
	return o != nil && o.conn != nil
}

// origin returns the entry of the pool for an address. The lock is held.
func (t *Transport) origin(addr string) *origin {
	o := t.pool[addr]
	if o == nil {
		if t.pool == nil {
			t.pool = make(map[string]*origin)
		}
		o = new(origin)
		t.pool[addr] = o
	}
	return o
}

// startDial connects to an origin in a goroutine. It does not end with the
// request that caused it, whose context has a trace perhaps, as others may wait.
// The lock is held.
func (t *Transport) startDial(ctx context.Context, o *origin, addr string) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d := &dialing{done: make(chan struct{}), cancel: cancel}
	o.dial = d
	go func() {
		defer cancel()
		var (
			cc     *clientConn
			err    error
			shared = t.coalesce(ctx, addr)
		)
		if !shared {
			cc, err = t.dialQUIC(ctx, addr)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if o := t.origin(addr); o.dial == d {
			o.dial = nil
		}
		if !shared && err == nil {
			err = t.add(cc)
		}
		t.tidy(addr)
		d.err = err
		close(d.done)
	}()
}

// leave is called by who does not wait for a connection any more. With nobody
// left the attempt is given up; whoever comes next makes another.
func (t *Transport) leave(addr string, d *dialing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.waiters--; d.waiters > 0 {
		return
	}
	d.cancel()
	if o := t.pool[addr]; o != nil && o.dial == d {
		o.dial = nil
		t.tidy(addr)
	}
}

// add puts a new connection into the pool. The lock is held.
func (t *Transport) add(cc *clientConn) error {
	switch o := t.origin(cc.addr); {
	case cc.ended:
		return describe(cc.qc.Err())
	case t.closed || cc.gone || o.conn != nil:
		// Nobody waits, the server wants no requests, or an earlier attempt
		// that was given up has succeeded after all.
		_ = cc.qc.CloseWithError(uint64(ErrCodeNoError), "")
		cc.gone = true
	default:
		o.conn = cc
	}
	if t.live == nil {
		t.live = make(map[*clientConn]struct{})
	}
	t.live[cc] = struct{}{}
	return nil
}

// tidy drops an origin without a connection. The lock is held.
func (t *Transport) tidy(addr string) {
	if o := t.pool[addr]; o != nil && o.conn == nil && o.dial == nil {
		delete(t.pool, addr)
	}
}

// retire takes a connection out of the pool: it is closed, or its server wants
// no more requests. It reports whether requests are running on it.
func (t *Transport) retire(cc *clientConn) (busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(cc)
	return cc.requests > 0
}

// remove is retire for those who hold the lock.
func (t *Transport) remove(cc *clientConn) {
	cc.gone = true
	for _, addr := range cc.origins {
		if o := t.pool[addr]; o != nil && o.conn == cc {
			o.conn = nil
			t.tidy(addr)
		}
	}
}

// forget drops a connection that has ended.
func (t *Transport) forget(cc *clientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(cc)
	cc.ended = true
	delete(t.live, cc)
}

// release counts a request as done. A connection that was retired is closed
// after its last request.
func (t *Transport) release(cc *clientConn) {
	t.mu.Lock()
	cc.requests--
	last := cc.requests == 0 && cc.gone
	t.mu.Unlock()
	if last {
		_ = cc.qc.CloseWithError(uint64(ErrCodeNoError), "")
	}
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
		conf.ServerName = host
	}
	conf.NextProtos = []string{NextProto}
	conf.MinVersion = tls.VersionTLS13
	return conf, nil
}
