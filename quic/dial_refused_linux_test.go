package quic

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/leak"
)

// nobody returns addresses at whose port nobody listens, of each family that this
// machine has.
func nobody(t *testing.T) (addrs []string) {
	t.Helper()
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		p, err := net.ListenPacket("udp", host)
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		addrs = append(addrs, p.LocalAddr().String())
	}
	return addrs
}

// Where nobody listens, dialling fails with the system's error, and others on the same
// transport go on.
func TestDialRefused(t *testing.T) {
	leak.Check(t)
	e := newEnv(t, nil, nil)
	e.serveEcho()
	c := e.dial()
	for range 3 {
		for _, addr := range nobody(t) {
			refused(t, addr, addr, func() (*Conn, error) { return Dial(e.ctx, addr, e.clientTLS, nil) })
			if strings.HasPrefix(addr, "127.") { // like the transport's own
				refused(t, addr, addr, func() (*Conn, error) { return e.transport.Dial(e.ctx, addr, e.clientTLS, nil) })
			}
		}
		if err := e.echo(c, 1, 10_000); err != nil {
			t.Error(err)
		}
	}
	if err := e.echo(e.dial(), 2, 1000); err != nil {
		t.Error(err)
	}
}

// refused checks that dialling addr fails, as nobody listens at the address udp.
func refused(t *testing.T, addr, udp string, dial func() (*Conn, error)) {
	t.Helper()
	_, err := dial()
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "dial "+addr+": dial udp "+udp) {
		t.Errorf("dialling %s: %v", addr, err)
	}
}

// Of a host's addresses all may refuse, which makes one error, or one may not.
func TestDialRefusedHost(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.serveEcho()
	dead := nobody(t)
	_, port, _ := net.SplitHostPort(dead[0])
	_, err := Dial(e.ctx, "localhost:"+port, e.clientTLS, nil)
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "dial localhost:"+port+": dial udp ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("localhost: %v", err)
	}
	tr, err := NewTransport("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	live := e.listener.Addr().(*net.UDPAddr).AddrPort()
	for _, addr := range dead {
		for _, remotes := range [][]netip.AddrPort{{netip.MustParseAddrPort(addr), live}, {live, netip.MustParseAddrPort(addr)}} {
			c, err := race(e.ctx, remotes, tr.attempt("localhost", true, e.clientTLS, tr.engineConfig(new(Config)), func(context.Context) ([]byte, error) { return nil, nil }, nil))
			if err != nil {
				t.Errorf("%v: %v", remotes, err)
				continue
			}
			if err := e.echo(c, 1, 1000); err != nil {
				t.Errorf("%v: %v", remotes, err)
			}
		}
	}
}
