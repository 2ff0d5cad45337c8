package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/quic"
)

// notFound resets a stream whose file there is none of. HTTP/0.9 has no codes.
const notFound = 1

// serveHQ serves files over HTTP/0.9.
func serveHQ(ctx context.Context, e *contract.Environment, tc *quic.TransportConfig, conf *quic.Config) error {
	tlsConf, err := e.ServerTLS(contract.HQ)
	if err != nil {
		return err
	}
	ln, err := tc.Listen(e.Address, tlsConf, conf)
	if err != nil {
		return err
	}
	defer ln.Close()
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
			_ = conn.CloseWithError(0, "") // does nothing if the client has closed it
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

// fetchOnce fetches files over one connection. begun, if not nil, is called when there is
// one.
func fetchOnce(ctx context.Context, e *contract.Environment, conf *quic.Config, urls []*url.URL, begun func(context.Context, *quic.Conn) error) error {
	c, err := newClient(e, conf)
	if err != nil {
		return err
	}
	return c.fetch(ctx, urls, begun)
}

// fetchEach fetches each file over a connection of its own.
func fetchEach(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	c, err := newClient(e, conf)
	if err != nil {
		return err
	}
	for i, u := range e.Requests {
		if err := c.fetch(ctx, []*url.URL{u}, nil); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// fetchTwice fetches the first file over one connection, and the others over a second one
// that resumes its session.
func fetchTwice(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	c, err := newClient(e, conf)
	if err != nil {
		return err
	}
	sessions := contract.NewSessions()
	c.tls.ClientSessionCache = sessions
	if err := c.fetch(ctx, e.Requests[:1], func(ctx context.Context, conn *quic.Conn) error {
		return sessions.Await(ctx)
	}); err != nil {
		return err
	}
	return c.fetch(ctx, e.Requests[1:], func(ctx context.Context, conn *quic.Conn) error {
		early, err := conn.AwaitHandshake(ctx)
		switch {
		case err != nil:
			return err
		case !conn.ConnectionState().DidResume:
			return errors.New("the server has not resumed the session")
		case conf.Allow0RTT && !early:
			return errors.New("there was no early data, or the server has rejected it")
		}
		return nil
	})
}
