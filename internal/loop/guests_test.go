package loop_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
)

// further returns a loop at another address than the client's.
func (p *pair) further(addr string) *loop.Loop {
	socket := p.network.Listen(netip.MustParseAddrPort(addr))
	return loop.Start(socket, loop.Config{Endpoint: engine.EndpointConfig{Seed: [32]byte{3}}})
}

// on calls f on the client's loop, and lets what follows happen.
func (p *pair) on(f func()) {
	p.clientLoop.Do(f)
	time.Sleep(time.Second)
	synctest.Wait()
}

// A connection sends and receives by the socket of another loop, which knows no connection;
// what is sent to it there when it has left is nobody's.
func TestFurtherSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		other := p.further("192.0.2.3:6000")
		p.dial()
		time.Sleep(time.Second)
		var n uint8
		var err error
		p.on(func() {
			if n, err = p.client.conn.AddSocket(other); err == nil {
				err = p.client.conn.ProbePath(n)
			}
		})
		if err != nil || n != 1 || p.client.conn.SocketAddr(n) != other.LocalAddr() {
			t.Fatalf("socket %d: %v", n, err)
		}
		if paths, _ := p.client.saw("paths"); paths == 0 || p.client.conn.PathStanding(n) != engine.PathUsable {
			t.Fatalf("standing %d", p.client.conn.PathStanding(n))
		}
		p.on(func() { err = p.client.conn.SwitchPath(n) })
		if got := p.server.conn.Path().Remote; err != nil || got != other.LocalAddr() {
			t.Fatalf("the server sees %v: %v", got, err)
		}
		if s := other.Stats(); s.Conns != 0 || s.Endpoint.UnknownID != 0 {
			t.Errorf("the other loop: %+v", s)
		}
		// Connection IDs that the client gives later are known there, too: the server uses
		// another one for each path.
		p.on(func() { err = p.client.conn.SwitchPath(0) })
		p.on(func() { err = p.client.conn.SwitchPath(n) })
		if got := p.server.conn.Path().Remote; err != nil || got != other.LocalAddr() {
			t.Fatalf("after coming back the server sees %v: %v", got, err)
		}
		// The other loop's end: the connection is told, and goes back.
		other.Close()
		p.on(func() {
			if err = p.client.conn.SwitchPath(0); err == nil {
				if err = p.client.conn.LeavePath(n); err == nil {
					p.client.conn.RemoveSocket(n)
				}
			}
		})
		if got := p.server.conn.Path().Remote; err != nil || got != clientAddr {
			t.Fatalf("the server sees %v: %v", got, err)
		}
		p.close()
	})
}

// What a connection cannot use is refused, and numbers are used again.
func TestFurtherSocketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		other := p.further("192.0.2.3:6000")
		p.dial()
		time.Sleep(time.Second)
		p.on(func() {
			c := p.client.conn
			if _, err := c.AddSocket(p.clientLoop); err != loop.ErrOwnSocket {
				t.Errorf("its own socket: %v", err)
			}
			for i := range uint8(loop.MaxFurther) {
				if n, err := c.AddSocket(other); n != i+1 || err != nil {
					t.Errorf("socket %d is number %d: %v", i+1, n, err)
				}
			}
			if _, err := c.AddSocket(other); err != loop.ErrManySockets {
				t.Errorf("too many: %v", err)
			}
			c.RemoveSocket(3)
			if n, err := c.AddSocket(other); n != 3 || err != nil {
				t.Errorf("number %d: %v", n, err)
			}
			c.RemoveSocket(99)
		})
		if n := other.GuestRoutes(); n == 0 {
			t.Error("the other loop knows no route")
		}
		p.close()
		if n := other.GuestRoutes(); n != 0 {
			t.Errorf("%d routes are left after the connection's end", n)
		}
		other.Close()
	})
}

// What comes by a further socket for a connection that its loop has no more is dropped there,
// and what is nobody's stays with the loop that received it.
func TestStrangersOfFurtherSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		other := p.further("192.0.2.3:6000")
		p.dial()
		time.Sleep(time.Second)
		p.on(func() {
			if _, err := p.client.conn.AddSocket(other); err != nil {
				t.Error(err)
			}
		})
		before := p.clientLoop.Stats().Endpoint.UnknownID
		stranger := p.network.Listen(netip.MustParseAddrPort("192.0.2.9:9"))
		for _, data := range [][]byte{{0x40}, append([]byte{0x40}, make([]byte, 60)...), append([]byte{0xc0}, make([]byte, 1199)...)} {
			if err := stranger.Send(data, 0, other.LocalAddr(), netip.Addr{}, 0); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := p.clientLoop.Stats().Endpoint.UnknownID; got != before || other.Stats().Endpoint.UnknownID == 0 {
			t.Errorf("%d strangers at the connection's loop, %d at the other", got-before, other.Stats().Endpoint.UnknownID)
		}
		if got := p.client.conn.Path(); got != (path.Addrs{Remote: serverAddr}) {
			t.Errorf("on %v", got)
		}
		p.close()
		other.Close()
		_ = stranger.Close()
	})
}
