package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/webtransport"
)

// session opens a WebTransport session and has streams and datagrams come back.
func session(ctx context.Context, l *load, c *client) error {
	d := webtransport.Dialer{TLSClientConfig: tlsConfig, QUICTransport: c.socket}
	defer d.Close()
	s, _, err := d.Dial(ctx, "https://"+l.addr+"/wt/echo", nil)
	if err != nil {
		return err
	}
	defer s.CloseWithError(0, "")
	for i := range 5 {
		if err := echoStream(ctx, s, noise[i:][:1+size(100_000)]); err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
	}
	return echoDatagrams(ctx, s)
}

func echoStream(ctx context.Context, s *webtransport.Session, message []byte) error {
	st, err := s.OpenStream(ctx)
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	_ = st.SetDeadline(deadline) // never fails
	if err := echo(st, st, message); err != nil {
		st.CancelRead(0)
		st.CancelWrite(0)
		return err
	}
	if err := st.Close(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, st)
	return err
}

// datagrams is a session or a tunnel.
type datagrams interface {
	SendDatagram(p []byte) error
	ReceiveDatagram(ctx context.Context) ([]byte, error)
}

// echoDatagrams has datagrams come back: of many, some.
func echoDatagrams(ctx context.Context, d datagrams) error {
	const (
		rounds  = 20
		atOnce  = 5
		between = 20 * time.Millisecond
		atLeast = rounds * atOnce / 10 // loopback loses few, and what waits too long is dropped
	)
	back := 0
	for i := range rounds {
		for range atOnce {
			if err := d.SendDatagram(noise[:1+i*50]); err != nil {
				return fmt.Errorf("sending a datagram of %d bytes: %w", 1+i*50, err)
			}
		}
		for until := time.Now().Add(between); ; back++ {
			limited, cancel := context.WithDeadline(ctx, until)
			_, err := d.ReceiveDatagram(limited)
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if err != nil {
				return fmt.Errorf("receiving a datagram: %w", err)
			}
		}
	}
	if back < atLeast {
		return fmt.Errorf("%d of %d datagrams came back", back, rounds*atOnce)
	}
	return nil
}

// tunnel sends HTTP datagrams (RFC 9297).
func tunnel(ctx context.Context, _ *load, c *client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodConnect, "https://"+c.addr+"/echo", nil)
	if err != nil {
		return err
	}
	req.Header[":protocol"] = []string{"datagram-echo"}
	t, resp, err := c.transport.Connect(ctx, req)
	if err != nil {
		return err
	}
	if t == nil {
		resp.Body.Close()
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	if err := echoDatagrams(ctx, t); err != nil {
		t.Abort(0)
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, t)
	return err
}
