package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/url"

	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/quic"
)

// client is a client of HTTP/0.9.
type client struct {
	env  *contract.Environment
	conf *quic.Config
	tls  *tls.Config
}

func newClient(e *contract.Environment, conf *quic.Config) (*client, error) {
	tlsConf, err := e.ClientTLS(contract.HQ)
	if err != nil {
		return nil, err
	}
	return &client{env: e, conf: conf, tls: tlsConf}, nil
}

// fetch fetches files over a connection, all at once, while begun is called if it is
// not nil, and waits for both.
func (c *client) fetch(ctx context.Context, urls []*url.URL, begun func(context.Context, *quic.Conn) error) error {
	conn, err := quic.Dial(ctx, hostPort(urls[0]), c.tls, c.conf)
	if err != nil {
		return err
	}
	defer conn.CloseWithError(0, "")
	ended := make(chan error, 1)
	go func() {
		if begun == nil {
			ended <- nil
			return
		}
		ended <- begun(ctx, conn)
	}()
	var asked map[*url.URL]*quic.Stream
	if c.conf.Allow0RTT {
		asked = askAtOnce(ctx, conn, urls)
	}
	fetched := contract.Each(ctx, urls, func(ctx context.Context, u *url.URL) error {
		if s := asked[u]; s != nil {
			return c.env.Save(s, u)
		}
		s, err := conn.OpenStream(ctx)
		if err != nil {
			return err
		}
		if err := contract.Ask(s, u); err != nil {
			return err
		}
		return c.env.Save(s, u)
	})
	if fetched != nil {
		return fetched
	}
	return <-ended
}

func hostPort(u *url.URL) string {
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))
}
