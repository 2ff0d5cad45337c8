package quic

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
)

// Linux has all addresses from 127.0.0.1 to 127.255.255.254.

// at opens a client's transport at an address.
func (e *env) at(addr string, conf *TransportConfig) *Transport {
	e.t.Helper()
	tr, err := NewTransport(addr, conf)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { tr.Close(); checkLoop(e.t, tr) })
	return tr
}

// move has a client's connection go on by a path.
func (e *env) move(p *Path) {
	e.t.Helper()
	if err := errors.Join(p.Probe(e.ctx), p.Switch()); err != nil {
		e.t.Fatal(err)
	}
}

// transferred is how much goes each way while a client moves, in bytes.
var transferred = flag.Int64("quic.transferred", 16<<20, "bytes that go each way while a client moves")

// A client moves to another address and back, five times, while much is sent both ways:
// it arrives whole. The server sees where the client is.
func TestMoves(t *testing.T) {
	for name, conf := range map[string]*TransportConfig{"one loop": nil, "two loops": {Loops: 2}, "packets": {DisableGSO: true, DisableGRO: true}} {
		t.Run(name, func(t *testing.T) {
			changed := make(chan string, 100)
			e := newEnvWith(t, &Config{AddrChanged: func(c *Conn) { changed <- c.RemoteAddr().String() }}, nil, setup{clientOn: conf})
			other := e.at("127.0.0.2:0", conf)
			client, server := e.pair()
			cs, ss := e.streams(client, server)
			up, down := e.pump(cs, ss, 1), e.pump(ss, cs, 2)
			first := client.Path()
			second, err := client.AddPath(other)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				p := []*Path{second, first}[i%2]
				e.move(p)
				if client.Path() != p || client.LocalAddr().String() != p.LocalAddr().String() {
					t.Fatalf("on %v, want %v", client.LocalAddr(), p.LocalAddr())
				}
				for want := p.LocalAddr().String(); server.RemoteAddr().String() != want; {
					select {
					case <-changed:
					case <-e.ctx.Done():
						t.Fatalf("the server sees %v, not %v", server.RemoteAddr(), want)
					}
				}
			}
			for _, result := range []<-chan error{up, down} {
				if err := <-result; err != nil {
					t.Error(err)
				}
			}
			if err := first.Close(); err != nil {
				t.Error(err)
			}
			if err := client.Path().Close(); !errors.Is(err, engine.ErrPathInUse) {
				t.Errorf("closing the path in use: %v", err)
			}
			client.CloseWithError(0, "")
			if _, err := client.AddPath(other); err == nil {
				t.Error("a path of a connection that has ended")
			}
		})
	}
}

// pump sends much from one end of a stream to the other, and tells whether it arrived whole.
func (e *env) pump(from, to *Stream, seed uint64) <-chan error {
	sent, result := make(chan []byte, 1), make(chan error, 2)
	go func() {
		h, r := sha256.New(), rand.NewChaCha8([32]byte{byte(seed)})
		_, err := io.CopyN(io.MultiWriter(from, h), r, *transferred)
		if err = errors.Join(err, from.Close()); err != nil {
			result <- err
		}
		sent <- h.Sum(nil)
	}()
	go func() {
		h := sha256.New()
		n, err := io.Copy(h, to)
		if want := <-sent; err == nil && (n != *transferred || string(want) != string(h.Sum(nil))) {
			err = errors.New("what arrived is not what was sent")
		}
		result <- err
	}()
	return result
}

// Why a path cannot be used is said: nobody answers, by an address from which no route leads
// there, or as the server wants clients to stay.
func TestPathErrors(t *testing.T) {
	e := newEnv(t, &Config{DisableActiveMigration: true}, nil)
	client, _ := e.pair()
	p, err := client.AddPath(e.at("127.0.0.2:0", nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Probe(e.ctx); !errors.Is(err, ErrMigrationDisabled) {
		t.Errorf("the server wants its clients to stay: %v", err)
	}
	if got := wantError[*PathError](t, "Probe", p.Probe(e.ctx)); got.Local.String() != p.LocalAddr().String() || got.Remote.String() != e.listener.Addr().String() || got.Timeout() {
		t.Errorf("%+v", got)
	}
	if _, err := client.AddPath(e.transport); err == nil {
		t.Error("the connection's own transport is added")
	}

	e = newEnv(t, nil, nil)
	client, server := e.pair()
	six := e.at("[::1]:0", nil)
	if p, err = client.AddPath(six); err != nil {
		t.Fatal(err)
	}
	if err := p.Probe(e.ctx); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("from an address of another family: %v", err)
	}
	if err := p.Switch(); !errors.Is(err, engine.ErrPathNotUsable) {
		t.Errorf("Switch before an answer: %v", err)
	}
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	if err := p.Probe(e.ctx); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Probe after Close: %v", err)
	}
	ctx, cancel := context.WithCancelCause(e.ctx)
	cancel(io.ErrNoProgress)
	if _, err := client.AddPath(six); err != nil {
		t.Fatal(err)
	}
	if _, err := server.AddPath(six); err != nil {
		t.Fatal(err)
	}
	if err := client.Path().Probe(ctx); err != nil && !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// A transport that is closed is a network that is gone: the connection asks for another one,
// and moves there.
func TestNetworkLost(t *testing.T) {
	var e *env
	asked := make(chan error, 10)
	e = newEnv(t, nil, &Config{NetworkLost: func(c *Conn, err error) (*Transport, error) {
		asked <- err
		return e.at("127.0.0.3:0", nil), nil
	}})
	client, server := e.pair()
	cs, ss := e.streams(client, server)
	second := e.at("127.0.0.2:0", nil)
	p, err := client.AddPath(second)
	if err != nil {
		t.Fatal(err)
	}
	e.move(p)
	second.Close()
	up, down := e.pump(cs, ss, 3), e.pump(ss, cs, 4)
	for _, result := range []<-chan error{up, down} {
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
	if err := <-asked; err == nil {
		t.Error("NetworkLost is not told why")
	}
	if a := client.LocalAddr().(*net.UDPAddr); !a.IP.Equal(net.IPv4(127, 0, 0, 3)) {
		t.Errorf("the client is at %v", a)
	}
	client.CloseWithError(0, "") // or it would look for another network when the test ends
}

// A client goes to its server's preferred address, at another socket or at the same one,
// unless it is told not to, and sends and receives there.
func TestPreferredAddress(t *testing.T) {
	further, err := NewTransport("127.0.0.2:0", &TransportConfig{Loops: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer further.Close()
	changed := make(chan string, 10)
	clientConf := &Config{AddrChanged: func(c *Conn) { changed <- c.RemoteAddr().String() }}
	e := newEnvWith(t, &Config{PreferredAddress: &PreferredAddress{Transport: further}}, clientConf, setup{serverOn: &TransportConfig{Loops: 2}})
	for range 3 {
		client, server := e.pair()
		cs, ss := e.streams(client, server)
		for want := further.LocalAddr().String(); client.RemoteAddr().String() != want; {
			select {
			case <-changed:
			case <-time.After(10 * time.Second):
				t.Fatalf("the client sends to %v, not %v", client.RemoteAddr(), want)
			}
		}
		up, down := e.pump(cs, ss, 5), e.pump(ss, cs, 6)
		for _, result := range []<-chan error{up, down} {
			if err := <-result; err != nil {
				t.Error(err)
			}
		}
		if got := server.LocalAddr().String(); got != further.LocalAddr().String() {
			t.Errorf("the server is at %v", got)
		}
		client.CloseWithError(0, "")
	}
	conf := *clientConf
	conf.IgnorePreferredAddress = true
	c, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, &conf)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.OpenStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(make([]byte, 1<<10)); err != nil {
		t.Fatal(err)
	}
	if got := c.RemoteAddr().String(); got != e.listener.Addr().String() {
		t.Errorf("a client that is to stay sends to %v", got)
	}
	c.CloseWithError(0, "")
}
