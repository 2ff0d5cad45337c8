package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/godwit-quic/godwit/interop/contract"
)

// notFound resets a stream whose file there is none of.
const notFound = 1

func serveHQ(ctx context.Context, e *contract.Environment, conf *quic.Config, retry bool) error {
	tlsConf, err := e.ServerTLS(contract.HQ)
	if err != nil {
		return err
	}
	addr, err := net.ResolveUDPAddr("udp", e.Address)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", addr)
	if err != nil {
		return err
	}
	tr := &quic.Transport{Conn: socket, VerifySourceAddress: func(net.Addr) bool { return retry }}
	ln, err := tr.ListenEarly(tlsConf, conf)
	if err != nil {
		return err
	}
	defer tr.Close()
	for {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return err
		}
		go serveConn(ctx, e, conn)
	}
}

func serveConn(ctx context.Context, e *contract.Environment, conn *quic.Conn) {
	for {
		s, err := conn.AcceptStream(ctx)
		if err != nil {
			return
		}
		go func() {
			if err := e.Answer(s); err != nil {
				fmt.Fprintln(os.Stderr, err)
				s.CancelRead(notFound)
				s.CancelWrite(notFound)
			}
		}()
	}
}

// client is a client of HTTP/0.9.
type client struct {
	env  *contract.Environment
	conf *quic.Config
	tls  *tls.Config
}

// handshakeTimeout is long enough for a case of lost handshakes.
const handshakeTimeout = time.Minute

func newClient(e *contract.Environment, conf *quic.Config) (*client, error) {
	tlsConf, err := e.ClientTLS(contract.HQ)
	if err != nil {
		return nil, err
	}
	conf.HandshakeIdleTimeout = handshakeTimeout
	return &client{env: e, conf: conf, tls: tlsConf}, nil
}

func fetchOnce(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	c, err := newClient(e, conf)
	if err != nil {
		return err
	}
	return c.fetch(ctx, e.Requests, quic.DialAddr, nil)
}

func fetchEach(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	c, err := newClient(e, conf)
	if err != nil {
		return err
	}
	for i, u := range e.Requests {
		if err := c.fetch(ctx, []*url.URL{u}, quic.DialAddr, nil); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

func fetchTwice(ctx context.Context, e *contract.Environment, conf *quic.Config, early bool) error {
	c, err := newClient(e, conf)
	if err != nil {
		return err
	}
	sessions := contract.NewSessions()
	c.tls.ClientSessionCache = sessions
	if err := c.fetch(ctx, e.Requests[:1], quic.DialAddr, func(*quic.Conn) error { return sessions.Await(ctx) }); err != nil {
		return err
	}
	dial := quic.DialAddr
	if early {
		dial = quic.DialAddrEarly
	}
	return c.fetch(ctx, e.Requests[1:], dial, func(conn *quic.Conn) error {
		switch state := conn.ConnectionState(); {
		case !state.TLS.DidResume:
			return errors.New("the server has not resumed the session")
		case early && !state.Used0RTT:
			return errors.New("the server has rejected early data")
		}
		return nil
	})
}

type dial func(ctx context.Context, addr string, tlsConf *tls.Config, conf *quic.Config) (*quic.Conn, error)

// fetch fetches files over a connection; ended, if not nil, is called when they are
// there.
func (c *client) fetch(ctx context.Context, urls []*url.URL, by dial, ended func(*quic.Conn) error) error {
	conn, err := by(ctx, net.JoinHostPort(urls[0].Hostname(), cmp.Or(urls[0].Port(), "443")), c.tls, c.conf)
	if err != nil {
		return err
	}
	defer conn.CloseWithError(0, "")
	if err := contract.Each(ctx, urls, func(ctx context.Context, u *url.URL) error {
		s, err := conn.OpenStreamSync(ctx)
		if err != nil {
			return err
		}
		if err := contract.Ask(s, u); err != nil {
			return err
		}
		return c.env.Save(s, u)
	}); err != nil || ended == nil {
		return err
	}
	return ended(conn)
}
