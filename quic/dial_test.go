package quic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Nobody answers: the error comes on time and says what to look at.
func TestDialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, &Config{HandshakeTimeout: 7 * time.Second})
		defer closeAll()
		start := time.Now()
		_, err := e.transport.Dial(e.ctx, "127.0.0.1:4433", e.clientTLS, e.conf)
		timeout := wantError[*HandshakeTimeoutError](t, "Dial", err)
		if timeout.After != 7*time.Second || timeout.Answered || time.Since(start) != 7*time.Second {
			t.Errorf("after %v: %+v", time.Since(start), timeout)
		}
		if netErr := wantError[net.Error](t, "Dial", err); !netErr.Timeout() {
			t.Error("is no timeout")
		}
		if s := err.Error(); !strings.Contains(s, "dial 127.0.0.1:4433") || !strings.Contains(s, "within 7s") {
			t.Errorf("message: %s", s)
		}
		synctest.Wait()
		if n := e.transport.Stats().Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

func TestDialCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		ctx, cancel := context.WithCancelCause(e.ctx)
		changed := errors.New("changed my mind")
		time.AfterFunc(time.Second, func() { cancel(changed) })
		if _, err := e.transport.Dial(ctx, "127.0.0.1:4433", e.clientTLS, nil); !errors.Is(err, changed) {
			t.Errorf("Dial: %v, want the cause of the cancellation", err)
		}
		time.Sleep(10 * time.Second) // the closing period
		synctest.Wait()
		if n := e.transport.Stats().Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// A Dial with its own socket leaves nothing either.
func TestDialCancelledOwnSocket(t *testing.T) {
	leak.Check(t)
	hole, err := net.ListenPacket("udp", "127.0.0.1:0") // never answers
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	_, clientTLS := peertest.TLS(t, "test")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, hole.LocalAddr().String(), clientTLS, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Dial: %v", err)
	}
}

// A Dial's own socket goes with its connection.
func TestDialOwnSocket(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.serveEcho()
	c, err := Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.echo(c, 1, 1000); err != nil {
		t.Error(err)
	}
	c.CloseWithError(0, "")
	<-c.face.Link.Loop().Done()
}

// "localhost" is two addresses, of which the server has one.
func TestDialLocalhost(t *testing.T) {
	e := newEnv(t, nil, nil)
	_, port, _ := net.SplitHostPort(e.listener.Addr().String())
	c, err := Dial(e.ctx, "localhost:"+port, e.clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.RemoteAddr().String(); got != "127.0.0.1:"+port {
		t.Errorf("connected to %s", got)
	}
	if got := c.ConnectionState().ServerName; got != "localhost" {
		t.Errorf("server name %q", got)
	}
	c.CloseWithError(0, "")
	<-c.face.Link.Loop().Done()
}

func TestDialRefusesEarly(t *testing.T) {
	leak.Check(t)
	_, clientTLS := peertest.TLS(t, "test")
	tests := []struct {
		name, addr string
		tls        *tls.Config
		conf       *Config
		want       string
	}{
		{"no port", "localhost", clientTLS, nil, "missing port"},
		{"bad port", "localhost:x y", clientTLS, nil, "x y"},
		{"no TLS", "localhost:1", nil, nil, "NextProtos"},
		{"no protocol", "localhost:1", &tls.Config{}, nil, "NextProtos"},
		{"old TLS", "localhost:1", &tls.Config{NextProtos: []string{"x"}, MaxVersion: tls.VersionTLS12}, nil, "TLS 1.3"},
		{"negative timeout", "localhost:1", clientTLS, &Config{MaxIdleTimeout: -1}, "MaxIdleTimeout"},
		{"tiny window", "localhost:1", clientTLS, &Config{MaxStreamWindow: 3}, "MaxStreamWindow"},
		{"small initial window", "localhost:1", clientTLS, &Config{InitialCongestionWindow: 1}, "InitialCongestionWindow"},
		{"huge initial window", "localhost:1", clientTLS, &Config{InitialCongestionWindow: 1001}, "InitialCongestionWindow"},
		{"small UDP payload", "localhost:1", clientTLS, &Config{MaxUDPPayload: 1199}, "MaxUDPPayload"},
		{"huge UDP payload", "localhost:1", clientTLS, &Config{MaxUDPPayload: 65508}, "MaxUDPPayload"},
		{"small congestion window", "localhost:1", clientTLS, &Config{MaxCongestionWindow: 32<<10 - 1}, "MaxCongestionWindow"},
		{"huge congestion window", "localhost:1", clientTLS, &Config{MaxCongestionWindow: 1<<30 + 1}, "MaxCongestionWindow"},
	}
	for _, tt := range tests {
		_, err := Dial(context.Background(), tt.addr, tt.tls, tt.conf)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want something about %q", tt.name, err, tt.want)
		}
	}
}

// The reasons why TLS fails are found in the error.
func TestDialTLSErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		addr := e.listener.Addr().String()

		_, err := e.transport.Dial(e.ctx, addr, &tls.Config{NextProtos: []string{"test"}}, nil)
		transport := wantError[*TransportError](t, "unknown authority", err)
		if !errors.As(err, new(*tls.CertificateVerificationError)) || transport.Remote {
			t.Errorf("unknown authority: %v", err)
		}
		if !strings.Contains(err.Error(), "x509: certificate signed by unknown authority") {
			t.Errorf("message: %v", err)
		}

		wrong := e.clientTLS.Clone()
		wrong.ServerName = "example.com"
		_, err = e.transport.Dial(e.ctx, addr, wrong, nil)
		if !errors.As(err, new(x509.HostnameError)) {
			t.Errorf("wrong name: %v", err)
		}

		other := e.clientTLS.Clone()
		other.NextProtos = []string{"other"}
		_, err = e.transport.Dial(e.ctx, addr, other, nil)
		const noApplicationProtocol = uint64(wire.CryptoErrorBase) + 120
		if e := wantError[*TransportError](t, "other protocol", err); e.Code != noApplicationProtocol || !e.Remote {
			t.Errorf("other protocol: %+v", e)
		}
	})
}

// Without a way to the peer, waiting is no use.
func TestDialUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		sock := e.network.Listen(netip.MustParseAddrPort("127.0.0.1:6000"))
		sock.FailSends(udp.ErrUnreachable)
		tr := newTransport([]loop.Socket{sock}, &TransportConfig{})
		defer tr.Close()
		start := time.Now()
		_, err := tr.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, nil)
		if !errors.Is(err, udp.ErrUnreachable) || time.Since(start) > 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestDialClosedTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		serverTLS, _ := peertest.TLS(t, "test")
		closeAll()
		if _, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf); !errors.Is(err, ErrClosed) {
			t.Errorf("Dial: %v", err)
		}
		if _, err := e.transport.Listen(serverTLS, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Listen: %v", err)
		}
	})
}

// A server that asks for proof of the address gets it.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnvWith(t, nil, nil, setup{serverOn: &TransportConfig{RequireAddressValidation: true}})
		defer closeAll()
		e.pair()
		if n := e.listener.Transport().Stats().RetriesSent; n == 0 {
			t.Error("no Retry packet was sent")
		}
	})
}

// A server that was restarted tells its old clients, if it has its key.
func TestStatelessReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := &TransportConfig{StatelessResetKey: &[32]byte{1, 2, 3}}
		e, closeAll := newMemEnvWith(t, nil, nil, setup{serverOn: conf})
		defer closeAll()
		client, _ := e.pair()
		time.Sleep(time.Second)
		e.network.Drop(func(from, _ netip.AddrPort, _ []byte) bool { return from == memServer })
		e.listener.Transport().Close() // nobody hears of it
		e.network.Drop(nil)

		again := newTransport([]loop.Socket{e.network.Listen(memServer)}, conf)
		defer again.Close()
		serverTLS, _ := peertest.TLS(t, "test")
		if _, err := again.Listen(serverTLS, nil); err != nil {
			t.Fatal(err)
		}
		s, err := client.OpenStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.Write(make([]byte, 1000)) // reset packets are shorter than what they answer
		<-client.Done()
		if err := client.Err(); err != ErrStatelessReset {
			t.Errorf("Err: %v", err)
		}
	})
}

// A socket of one connection is closed soon after it, however long the path is.
func TestSoleSocketCloses(t *testing.T) {
	for _, clientCloses := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e, closeAll := newMemEnv(t, nil, nil)
			defer closeAll()
			e.network.Delay(time.Second)
			e.transport.sole = true
			client, server := e.pair()
			e.transport.setTemporary()
			closing := server
			if clientCloses {
				closing = client
			}
			closing.CloseWithError(0, "")
			<-client.Done()
			start := time.Now()
			<-e.transport.workers[0].Done()
			if after := time.Since(start); after > maxSoleClosing {
				t.Errorf("the socket was closed %v after the connection, want %v at most", after, maxSoleClosing)
			}
		})
	}
}
