package quic

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// near opens a client's transport at another address of a network in memory.
func (e *env) near(addr string) *Transport {
	return newTransport([]loop.Socket{e.network.Listen(netip.MustParseAddrPort(addr))}, (*TransportConfig)(nil).orDefault())
}

// A network that comes up late: NetworkLost is asked again when it has led to nothing, as
// there was no transport, or nobody answered there. Later it may lead back to the first one.
func TestNetworkLostIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e *env
		var asked atomic.Int32
		var gone atomic.Value // where nothing comes from, or to
		transports := make(chan *Transport, 3)
		e, end := newMemEnv(t, nil, &Config{NetworkLost: func(*Conn, error) (*Transport, error) {
			if asked.Add(1)%2 == 1 {
				return nil, errors.New("no network yet")
			}
			return <-transports, nil
		}})
		client, server := e.pair()
		cs, ss := e.streams(client, server)
		dead, second := e.near("127.0.0.2:5000"), e.near("127.0.0.3:5000")
		transports <- dead
		transports <- second
		transports <- e.transport
		gone.Store(memClient)
		e.network.Drop(func(from, to netip.AddrPort, _ []byte) bool {
			return from == gone.Load() || to == gone.Load() || from == netip.MustParseAddrPort("127.0.0.2:5000")
		})
		for _, want := range []*Transport{second, e.transport} {
			if _, err := cs.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
			synctest.Wait()
			if got := client.LocalAddr().String(); got != want.LocalAddr().String() || server.RemoteAddr().String() != got {
				t.Fatalf("the client is at %v after %d questions, want %v; the server sees %v", got, asked.Load(), want.LocalAddr(), server.RemoteAddr())
			}
			if _, err := ss.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			gone.Store(netip.MustParseAddrPort("127.0.0.3:5000"))
		}
		if n := asked.Load(); n < 6 {
			t.Errorf("NetworkLost was asked %d times", n)
		}
		client.CloseWithError(0, "")
		end()
		dead.Close()
		second.Close()
	})
}

// However a connection's end and AddPath fall together, the transport is not left with a
// connection that there is no more.
func TestAddPathWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnv(t, nil, nil)
		other := e.near("127.0.0.2:5000")
		for i := range 50 {
			client, _ := e.pair()
			var adding sync.WaitGroup
			adding.Go(func() {
				if _, err := client.AddPath(other); err != nil && client.Err() == nil {
					t.Errorf("%v", err)
				}
			})
			if i%2 == 0 {
				synctest.Wait()
			}
			client.CloseWithError(0, "")
			adding.Wait()
			time.Sleep(time.Minute) // until it is forgotten
			synctest.Wait()
			if n := other.live.Load(); n != 0 {
				t.Fatalf("%d connections are left", n)
			}
		}
		end()
		other.Close()
	})
}

// A server has no path to probe, and is told so.
func TestProbeByServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnv(t, nil, nil)
		client, server := e.pair()
		if err := server.Path().Probe(e.ctx); !errors.Is(err, ErrMigrationDisabled) {
			t.Errorf("a server: %v", err)
		}
		if err := client.Path().Probe(e.ctx); err != nil {
			t.Errorf("a client: %v", err)
		}
		client.CloseWithError(0, "")
		end()
	})
}

// A path that is probed while the server is about to be found at its preferred address leads
// there in the end.
func TestProbeWhileServerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(5 * time.Millisecond)
		at := func(addr string) *Transport {
			return newTransport([]loop.Socket{n.Listen(netip.MustParseAddrPort(addr))}, (*TransportConfig)(nil).orDefault())
		}
		first, preferred, tr, further := at("127.0.0.1:443"), at("127.0.0.2:443"), at("127.0.0.1:5000"), at("127.0.0.3:5000")
		serverTLS, clientTLS := peertest.TLS(t, "test")
		l, err := first.Listen(serverTLS, &Config{PreferredAddress: &PreferredAddress{Transport: preferred}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := tr.Dial(t.Context(), l.Addr().String(), clientTLS, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := client.AddPath(further)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Probe(t.Context()); err != nil {
			t.Errorf("the probe: %v", err)
		}
		time.Sleep(time.Second)
		if got := client.RemoteAddr().String(); got != preferred.LocalAddr().String() {
			t.Errorf("the client sends to %v", got)
		}
		if err := p.Probe(t.Context()); err != nil {
			t.Errorf("after the move: %v", err)
		}
		if err := p.Switch(); err != nil {
			t.Errorf("after the move: %v", err)
		}
		client.CloseWithError(0, "")
		for _, t := range []*Transport{tr, further, first, preferred} {
			t.Close()
		}
	})
}
