// Package client sends HTTP requests as curl does: over HTTP/3 where that is to be had,
// over TCP otherwise, to where --resolve and --connect-to say:
//
//	t, err := client.New(client.Config{TLS: conf})
//	resp, err := t.RoundTrip(req)
//	err = t.Close()
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// Versions says which versions of HTTP are spoken.
type Versions int

// The choices. Requests for http: go over HTTP/1.1 in any case but Only3.
const (
	Any   Versions = iota // HTTP/3, or HTTP/2 or 1.1 where there is none
	Only1                 // HTTP/1.1
	Only2
	Only3
)

// Config says how requests are sent.
type Config struct {
	TLS     *tls.Config
	QUIC    *quic.Config          // nil stands for its defaults
	Socket  *quic.TransportConfig // of the one for HTTP/3
	Dialing Dialing
	// Versions are those that may be used.
	Versions Versions
	// ConnectTimeout is how long it may take until there is a connection, 0 for no limit of
	// its own.
	ConnectTimeout time.Duration
	// HeadStart is how long HTTP/3 is tried alone; 0 stands for curl's 200 ms.
	HeadStart time.Duration
	// EnableDatagrams is as http3.Transport has it.
	EnableDatagrams bool
	// FellBack, if set, is told that an origin, "host:port", is used over TCP, and why not
	// over HTTP/3. It may be called by several goroutines.
	FellBack func(origin string, why error)
}

// defaultHeadStart is curl's: longer than a handshake takes with most servers, and too
// short to bother anybody.
const defaultHeadStart = 200 * time.Millisecond

// ConnectTimeoutError is the error of a request that got no connection in time.
type ConnectTimeoutError time.Duration

func (e ConnectTimeoutError) Error() string {
	return fmt.Sprintf("no connection after %v", time.Duration(e))
}

// Timeout is for net.Error.
func (e ConnectTimeoutError) Timeout() bool { return true }

// Temporary is for net.Error.
func (e ConnectTimeoutError) Temporary() bool { return true }

// Transport is an http.RoundTripper, for any goroutine. It has to be closed.
type Transport struct {
	// HTTP3 is what sends requests over HTTP/3, nil where that is not wanted.
	HTTP3 *http3.Transport

	conf   Config
	socket *quic.Transport
	tcp    *http.Transport
	races  races
}

// New returns a Transport, with a socket for HTTP/3 unless that is not wanted.
func New(conf Config) (*Transport, error) {
	if conf.HeadStart == 0 {
		conf.HeadStart = defaultHeadStart
	}
	if conf.TLS == nil {
		conf.TLS = new(tls.Config)
	}
	t := &Transport{conf: conf}
	t.tcp = t.newTCP()
	if conf.Versions != Any && conf.Versions != Only3 {
		return t, nil
	}
	socket, err := quic.NewTransport("", conf.Socket)
	if err != nil {
		return nil, err
	}
	quicConf := new(quic.Config)
	if conf.QUIC != nil {
		*quicConf = *conf.QUIC
	}
	if conf.Dialing.Family != 0 {
		quicConf.LookupHost = t.conf.Dialing.lookupHost
	}
	t.socket = socket
	t.HTTP3 = &http3.Transport{
		TLSClientConfig: conf.TLS, QUICConfig: quicConf, QUICTransport: socket, DisableCompression: true,
		EnableDatagrams: conf.EnableDatagrams,
	}
	if !conf.Dialing.Plain() {
		t.HTTP3.Route = func(_ context.Context, origin string) (*quic.Transport, string, error) {
			addr, err := t.conf.Dialing.Route(origin)
			return nil, addr, err
		}
	}
	return t, nil
}

// newTCP returns what sends requests over TCP.
func (t *Transport) newTCP() *http.Transport {
	tcp := &http.Transport{
		DisableCompression: true, Protocols: new(http.Protocols), TLSClientConfig: t.conf.TLS.Clone(),
		DialContext:    func(ctx context.Context, _, addr string) (net.Conn, error) { return t.conf.Dialing.DialTCP(ctx, addr) },
		DialTLSContext: t.dialTLS, ForceAttemptHTTP2: true,
	}
	tcp.Protocols.SetHTTP1(t.conf.Versions != Only2)
	tcp.Protocols.SetHTTP2(t.conf.Versions != Only1)
	return tcp
}

// dialTLS connects over TCP, unless HTTP/3 was there first.
func (t *Transport) dialTLS(ctx context.Context, _, addr string) (net.Conn, error) {
	c, err := t.conf.Dialing.DialTCP(ctx, addr)
	if err != nil {
		return nil, err
	}
	conf := t.conf.TLS.Clone()
	if conf.ServerName == "" {
		conf.ServerName, _, _ = net.SplitHostPort(addr) // net/http's addresses are well-formed
	}
	switch t.conf.Versions {
	case Only1:
		conf.NextProtos = []string{"http/1.1"}
	case Only2:
		conf.NextProtos = []string{"h2"}
	default:
		conf.NextProtos = []string{"h2", "http/1.1"}
	}
	secured := tls.Client(c, conf)
	if err = secured.HandshakeContext(ctx); err == nil {
		err = claimTCP(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return secured, nil
}

// errPlain is why a request for http: fails where only HTTP/3 is wanted.
var errPlain = errors.New("HTTP/3 is for https only")

// RoundTrip sends a request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	over := t.conf.Versions
	if req.URL.Scheme == "http" && over == Any {
		over = Only1
	}
	switch over {
	case Any:
		return t.race(req)
	case Only3:
		if req.URL.Scheme == "http" {
			closeBody(req)
			return nil, errPlain
		}
		return t.within(req, t.HTTP3)
	}
	return t.within(req, t.tcp)
}

// Close closes all connections; the servers have been told when it returns.
func (t *Transport) Close() error {
	t.tcp.CloseIdleConnections()
	if t.HTTP3 == nil {
		return nil
	}
	return errors.Join(t.HTTP3.Close(), t.socket.Close())
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read from it
	}
}
