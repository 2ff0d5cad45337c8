package quic

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/dialtrace"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
)

// Dial connects to the server at addr, "host:port", and returns when the
// handshake is complete. tlsConf needs NextProtos; unless it has a ServerName,
// the certificate must be good for the host. A nil conf means the defaults.
//
// A host with several addresses is tried at all of them, one after the other
// without waiting long for each (RFC 8305). When ctx ends first, the attempt is
// given up and leaves nothing behind.
//
// The error names addr. Within it is the cause of ctx's end, an error of package
// net when there is no such host, syscall.ECONNREFUSED when the host says at once that
// nobody listens at the port (on Linux; elsewhere that takes as long as silence), a
// *HandshakeTimeoutError when nobody answered in time, a *TransportError when the
// handshake failed, with an error of crypto/x509 in it for a certificate that was not
// accepted, a *VersionNegotiationError, or an *ApplicationError when the server has closed
// the connection at once.
//
// With Config.Allow0RTT, and a session in tlsConf.ClientSessionCache that permits it, Dial
// returns before the handshake is complete: see there.
//
// The connection has a socket of its own, which is closed with it. Transport.Dial
// shares one.
func Dial(ctx context.Context, addr string, tlsConf *tls.Config, conf *Config) (*Conn, error) {
	return new(TransportConfig).Dial(ctx, addr, tlsConf, conf)
}

// Dial is the function Dial, with a socket like that.
func (tc *TransportConfig) Dial(ctx context.Context, addr string, tlsConf *tls.Config, conf *Config) (*Conn, error) {
	return tc.dial(ctx, addr, tlsConf, conf, nil)
}

// dial is Dial for a connection with handlers, if newHandler is not nil.
func (tc *TransportConfig) dial(ctx context.Context, addr string, tlsConf *tls.Config, conf *Config, newHandler any) (*Conn, error) {
	if err := cmp.Or(checkClientTLS(tlsConf), conf.orDefault().validate()); err != nil {
		return nil, tc.giveUp(err) // before a socket is opened
	}
	t, err := NewTransport("", tc)
	if err != nil {
		return nil, err
	}
	t.sole, t.tokens = true, nil
	c, err := t.dial(ctx, addr, tlsConf, conf, newHandler)
	if err != nil {
		t.Close()
		return nil, err
	}
	t.setTemporary()
	return c, nil
}

// maxSoleClosing is for how long a socket is kept at most after its only connection has
// ended, to tell a peer that has not heard of it (RFC 9000, Section 10.2.1). Three probe
// timeouts would be seconds on a path that was busy during the handshake.
const maxSoleClosing = 200 * time.Millisecond

// Dial is the function Dial on the transport's socket.
func (t *Transport) Dial(ctx context.Context, addr string, tlsConf *tls.Config, conf *Config) (*Conn, error) {
	return t.dial(ctx, addr, tlsConf, conf, nil)
}

// dial is Dial for a connection with handlers, if newHandler is not nil.
func (t *Transport) dial(ctx context.Context, addr string, tlsConf *tls.Config, conf *Config, newHandler any) (*Conn, error) {
	conf = conf.orDefault()
	if err := cmp.Or(checkClientTLS(tlsConf), conf.validate()); err != nil {
		return nil, err
	}
	host, remotes, err := t.resolve(ctx, addr, conf)
	if err != nil {
		return nil, fmt.Errorf("quic: dial %s: %w", addr, err)
	}
	e := t.engineConfig(conf)
	token := t.keepTokens(conf, e, tlsConf, host, remotes)
	c, err := race(ctx, remotes, t.attempt(host, len(remotes) > 1, tlsConf, e, token, newHandler))
	if err != nil {
		return nil, fmt.Errorf("quic: dial %s: %w", addr, err)
	}
	return c, nil
}

// dialling is a handshake that this end has begun.
type dialling struct {
	newHandler  any           // as events.newHandler returns it
	ended       chan struct{} // closed when it is complete or has failed
	failed      error         // why it has failed; set before ended is closed
	unreachable error         // why nothing can reach the peer
	refused     error         // why there is no connection at all
	slow        func()        // is told when it has taken long; nil for nobody
	timer       loop.Timer    // for that
}

// Fire implements loop.Timed.
func (d *dialling) Fire() { d.slow() }

// attempt returns what race calls, for a host that has several addresses or one.
func (t *Transport) attempt(host string, several bool, tlsConf *tls.Config, conf *engine.Config, token func(context.Context) ([]byte, error), newHandler any) func(context.Context, netip.AddrPort, func()) (*Conn, error) {
	return func(ctx context.Context, remote netip.AddrPort, slow func()) (*Conn, error) {
		shown, err := token(ctx)
		if err != nil {
			return nil, err
		}
		tls, err := handshake.NewClient(tlsConf, host, conf.EarlyData)
		if err != nil {
			return nil, err
		}
		tls.DialledAt(remote, several)
		c := t.newConn(conf)
		c.face.TLS = tls
		return c.connect(ctx, remote, shown, slow, newHandler)
	}
}

// connect makes one attempt at one address, on the loop whose turn it is, with a token unless
// that is nil. slow is as in race.
func (c *Conn) connect(ctx context.Context, remote netip.AddrPort, token []byte, slow func(), newHandler any) (*Conn, error) {
	t := c.transport
	worker := t.workers[int(t.turn.Add(1))%len(t.workers)]
	dialtrace.Attempt(ctx, remote)
	d := &dialling{newHandler: newHandler, ended: make(chan struct{}), slow: slow}
	c.dialling = d
	t.live.Add(1)
	ok := worker.Do(func() {
		path := path.Addrs{Remote: remote}
		link, err := worker.Dial(path, c.conf, c.face.TLS, events{c})
		if err != nil {
			d.refused = fmt.Errorf("quic: %w", err)
			t.live.Add(-1)
			close(d.ended)
			return
		}
		link.SetToken(c.conf.OriginalVersion, token)
		c.attach(link, c.face.TLS)
		if slow != nil {
			link.SetTimer(&d.timer, link.Now().Add(delayAfter(remote)), d)
		}
	})
	if !ok {
		t.live.Add(-1)
		return nil, ErrClosed
	}
	select {
	case <-d.ended:
		if err := cmp.Or(d.refused, c.Err()); err != nil {
			return nil, err
		}
		return c, nil
	case <-ctx.Done():
		worker.Do(func() {
			if d.refused == nil {
				c.face.Link.Close(0, "")
			}
		})
		return nil, context.Cause(ctx)
	}
}
