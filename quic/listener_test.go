package quic

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
)

func TestAcceptContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		ctx, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		if _, err := e.listener.Accept(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Accept: %v", err)
		}
	})
}

// Accept waits at several places at once, and leaves out connections that have
// ended in the meantime.
func TestAcceptSkipsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		gone := e.dial()
		gone.CloseWithError(0, "")
		time.Sleep(time.Second)
		accepted := make(chan *Conn)
		for range 2 {
			go func() {
				c, err := e.listener.Accept(e.ctx)
				if err != nil {
					t.Error(err)
				}
				accepted <- c
			}()
		}
		for range 2 {
			e.dial()
			if c := <-accepted; c == nil || c.Err() != nil {
				t.Errorf("accepted %v", c)
			}
		}
	})
}

// When connections are not accepted, the excess is told so.
func TestBacklogFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		e.listener.maxBacklog = 2
		first, second, third := e.dial(), e.dial(), e.dial()
		<-third.Done()
		refused := wantError[*TransportError](t, "third connection", third.Err())
		if refused.Code != uint64(wire.ConnectionRefused) || !refused.Remote {
			t.Errorf("third connection: %+v", refused)
		}
		for range 2 {
			if _, err := e.listener.Accept(e.ctx); err != nil {
				t.Error(err)
			}
		}
		if first.Err() != nil || second.Err() != nil {
			t.Errorf("the first two: %v, %v", first.Err(), second.Err())
		}
	})
}

// Closing a listener ends Accept, refuses what was not accepted, and lets what
// was accepted live.
func TestListenerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, &Config{HandshakeTimeout: time.Second})
		defer closeAll()
		client, server := e.pair()
		waiting := e.dial()
		for range 2 {
			if err := e.listener.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := e.listener.Accept(e.ctx); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		<-waiting.Done()
		wantError[*TransportError](t, "not accepted", waiting.Err())
		_, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
		wantError[*HandshakeTimeoutError](t, "Dial", err)
		e.streams(client, server)

		// The transport may listen again.
		serverTLS, clientTLS := peertest.TLS(t, "test")
		again, err := e.listener.Transport().Listen(serverTLS, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.listener.Transport().Listen(serverTLS, nil); err == nil {
			t.Error("a second listener at the same time")
		}
		e.clientTLS = clientTLS
		e.dial()
		if _, err := again.Accept(e.ctx); err != nil {
			t.Error(err)
		}
	})
}

// A listener's own transport goes when it is not needed any more.
func TestListenerTransportEnds(t *testing.T) {
	e := newEnv(t, nil, nil)
	client, server := e.pair()
	e.listener.Close()
	for range 3 {
		e.streams(client, server) // the connection lives on
	}
	client.CloseWithError(0, "")
	<-e.listener.Transport().workers[0].Done()
}

func TestListenRefusesEarly(t *testing.T) {
	leak.Check(t)
	serverTLS, clientTLS := peertest.TLS(t, "test")
	tests := []struct {
		name, addr string
		tls        *tls.Config
		conf       *Config
		want       string
	}{
		{"no TLS", "127.0.0.1:0", nil, nil, "certificate"},
		{"no certificate", "127.0.0.1:0", clientTLS, nil, "Certificates"},
		{"no protocol", "127.0.0.1:0", &tls.Config{Certificates: serverTLS.Certificates}, nil, "NextProtos"},
		{"bad address", "127.0.0.1:x", serverTLS, nil, "127.0.0.1:x"},
		{"bad config", "127.0.0.1:0", serverTLS, &Config{HandshakeTimeout: -1}, "HandshakeTimeout"},
	}
	for _, tt := range tests {
		if _, err := Listen(tt.addr, tt.tls, tt.conf); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want something about %q", tt.name, err, tt.want)
		}
	}
	l, err := Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Transport().Close()
	if _, err := Listen(l.Addr().String(), serverTLS, nil); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a port that is taken: %v", err)
	}
}

// GetConfigForClient may bring all that a server needs.
func TestGetConfigForClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		e.listener.Close()
		serverTLS, clientTLS := peertest.TLS(t, "test")
		late := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return serverTLS, nil }}
		l, err := e.listener.Transport().Listen(late, nil)
		if err != nil {
			t.Fatal(err)
		}
		e.listener, e.clientTLS = l, clientTLS
		e.pair()
	})
}

// Closing a busy transport ends everything at once.
func TestTransportCloseWhileBusy(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.serveEcho()
	var wg sync.WaitGroup
	var conns []*Conn
	for range 5 {
		c := e.dial()
		conns = append(conns, c)
		if err := e.echo(c, 1, 1000); err != nil { // the server's handshake is complete, too
			t.Fatal(err)
		}
		for range 5 {
			s, err := c.OpenStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				buf := make([]byte, 100_000)
				for {
					if _, err := s.Write(buf); err != nil {
						return
					}
				}
			})
			wg.Go(func() { io.Copy(io.Discard, s) })
		}
	}
	for e.listener.Transport().Stats().ReceivedBytes < 1<<20 {
		if err := e.echo(conns[0], 1, 1000); err != nil {
			t.Fatal(err)
		}
	}
	e.listener.Transport().Close()
	wg.Wait() // all streams failed
	for _, c := range conns {
		if e := wantError[*ApplicationError](t, "client's Err", c.Err()); !e.Remote || e.Code != 0 {
			t.Errorf("client's Err: %+v", e)
		}
	}
	if _, err := e.listener.Accept(e.ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

func TestTransportStats(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.pair()
	s := e.listener.Transport().Stats()
	if s.Accepted != 1 || s.Connections != 1 || s.ReceivedDatagrams == 0 || s.SentBytes == 0 || s.ReadBuffer == 0 {
		t.Errorf("%+v", s)
	}
	if got, want := e.listener.Transport().LocalAddr().String(), e.listener.Addr().String(); got != want {
		t.Errorf("addresses %s and %s", got, want)
	}
}
