package quictest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/quictest"
)

// echo is a server on a network that sends back what it gets, and a client.
type echo struct {
	network  *quictest.Network
	listener *quic.Listener
	client   *quic.Transport
	tls      *tls.Config
}

func newEcho(t *testing.T, link quictest.Link) *echo {
	t.Helper()
	serverTLS, clientTLS := peertest.TLS(t, "test")
	e := &echo{network: quictest.NewNetwork(link), tls: clientTLS}
	var err error
	e.listener, err = on(e.network.Listen("192.0.2.1:443")).Listen("", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.client, err = quic.NewTransport("", on(e.network.Listen("192.0.2.2:5000"))); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := e.listener.Accept(context.Background())
			if err != nil {
				return
			}
			go echoAll(conn)
		}
	}()
	return e
}

func on(s net.PacketConn) *quic.TransportConfig {
	return &quic.TransportConfig{Sockets: []net.PacketConn{s}}
}

func echoAll(conn *quic.Conn) {
	for {
		s, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(s, s)
			_ = s.Close()
		}()
	}
}

func (e *echo) close() {
	e.client.Close()
	e.listener.Transport().Close()
}

// exchange sends content over a new connection, and wants it back.
func (e *echo) exchange(t *testing.T, content []byte) {
	t.Helper()
	conn, err := e.client.Dial(context.Background(), "192.0.2.1:443", e.tls, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	s, err := conn.OpenStream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = s.Write(content)
		_ = s.Close()
	}()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(content), err)
	}
}

// TestLinks: whatever a link does, what is sent arrives, and in the time that it takes.
func TestLinks(t *testing.T) {
	const size = 256 << 10
	ms := time.Millisecond
	for name, tt := range map[string]struct {
		link        quictest.Link
		least, most time.Duration
	}{
		"nothing":   {quictest.Link{}, 0, 100 * ms},
		"delay":     {quictest.Link{Delay: 50 * ms}, 300 * ms, 2 * time.Second},
		"jitter":    {quictest.Link{Delay: 10 * ms, Jitter: 5 * ms}, 50 * ms, 10 * time.Second},
		"loss":      {quictest.Link{Delay: 10 * ms, Loss: 0.05}, 50 * ms, 20 * time.Second},
		"duplicate": {quictest.Link{Delay: 10 * ms, Duplicate: 0.3}, 50 * ms, 10 * time.Second},
		"reorder":   {quictest.Link{Delay: 10 * ms, Reorder: 0.1}, 50 * ms, 10 * time.Second},
		"all":       {quictest.Link{Delay: 10 * ms, Jitter: ms, Loss: 0.03, Duplicate: 0.03, Reorder: 0.03}, 50 * ms, 30 * time.Second},
		"bandwidth": {quictest.Link{Delay: 10 * ms, Bandwidth: 256 << 10}, time.Second, 3 * time.Second},
		"shallow":   {quictest.Link{Delay: 10 * ms, Bandwidth: 256 << 10, Queue: 4 << 10}, time.Second, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				tt.link.Seed = seed
				synctest.Test(t, func(t *testing.T) {
					e := newEcho(t, tt.link)
					defer e.close()
					start := time.Now()
					e.exchange(t, peertest.Content(size))
					if took := time.Since(start); took < tt.least || took > tt.most {
						t.Errorf("seed %d: took %v, want %v to %v", seed, took, tt.least, tt.most)
					}
				})
			}
		})
	}
}

// TestSilence: a network that carries nothing any more ends connections after the idle
// timeout, which takes no time in a bubble.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho(t, quictest.Link{Delay: 10 * time.Millisecond})
		defer e.close()
		conn, err := e.client.Dial(t.Context(), "192.0.2.1:443", e.tls, &quic.Config{MaxIdleTimeout: 10 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		e.network.Filter(func(_, _ net.Addr, _ []byte) bool { return false })
		start := time.Now()
		<-conn.Done()
		var idle *quic.IdleTimeoutError
		if !errors.As(conn.Err(), &idle) {
			t.Errorf("%v", conn.Err())
		}
		if took := time.Since(start); took < 29*time.Second || took > 31*time.Second {
			t.Errorf("ended after %v, the server's timeout is 30 s", took)
		}
	})
}

// TestRebind: a client whose NAT forgets it is still served, at its new address.
func TestRebind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho(t, quictest.Link{Delay: 10 * time.Millisecond})
		defer e.close()
		conn, err := e.client.Dial(t.Context(), "192.0.2.1:443", e.tls, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, addr := range []string{"192.0.2.2:6000", "192.0.2.3:5000"} {
			from := map[string]string{"192.0.2.2:6000": "192.0.2.2:5000", "192.0.2.3:5000": "192.0.2.2:6000"}[addr]
			e.network.Rebind(from, addr)
			s, err := conn.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			peertest.EchoThrough(t, s, peertest.Content(10<<10))
		}
	})
}

// TestRebindTaken: an address has one socket.
func TestRebindTaken(t *testing.T) {
	network := quictest.NewNetwork(quictest.Link{})
	defer network.Listen("192.0.2.1:1").Close()
	defer network.Listen("192.0.2.2:2").Close()
	for _, old := range []string{"192.0.2.1:1", "192.0.2.3:3"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is at 192.0.2.2:2 now, which is another one's", old)
				}
			}()
			network.Rebind(old, "192.0.2.2:2")
		}()
	}
}

// TestPacketConn: a socket is a net.PacketConn as package net has them.
func TestPacketConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := quictest.NewNetwork(quictest.Link{Delay: time.Second})
		a, b := network.Listen("192.0.2.1:1"), network.Listen("192.0.2.2:2")
		buf := make([]byte, 4)
		read := func(want string, wantErr error, after time.Duration) {
			t.Helper()
			start := time.Now()
			n, from, err := b.ReadFrom(buf)
			if string(buf[:n]) != want || !errors.Is(err, wantErr) || time.Since(start) != after {
				t.Errorf("%q, %v after %v, want %q, %v after %v", buf[:n], err, time.Since(start), want, wantErr, after)
			}
			if err == nil && from.String() != "192.0.2.1:1" {
				t.Errorf("from %v", from)
			}
		}
		for _, text := range []string{"one", "three"} {
			if n, err := a.WriteTo([]byte(text), b.LocalAddr()); n != len(text) || err != nil {
				t.Error(n, err)
			}
		}
		read("one", nil, time.Second)
		read("thre", nil, 0) // the rest is lost
		b.SetReadDeadline(time.Now().Add(time.Minute))
		read("", os.ErrDeadlineExceeded, time.Minute)
		b.SetDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { b.SetReadDeadline(time.Now()) })
		read("", os.ErrDeadlineExceeded, time.Hour)
		b.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { b.Close() })
		read("", net.ErrClosed, time.Hour)
		if _, err := b.WriteTo(buf, a.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := a.WriteTo(buf, &net.UnixAddr{Name: "nowhere"}); err == nil {
			t.Error("sent to an address of another kind")
		}
		a.Close()
	})
}
