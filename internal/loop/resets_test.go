package loop_test

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestResetComesToAnotherLoop: a stateless reset has no connection ID, so it may come to any
// loop of those that share an address. It ends the connection wherever that is, and one
// whose token belongs to nobody ends none.
func TestResetComesToAnotherLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		p.clientLoop.Close()
		second := netip.AddrPortFrom(clientAddr.Addr(), clientAddr.Port()+1)
		group := loop.StartGroup([]loop.Socket{p.network.Listen(clientAddr), p.network.Listen(second)}, func(int) loop.Config {
			return loop.Config{Endpoint: engine.EndpointConfig{Seed: [32]byte{3}}}
		})
		defer group.Loops[1].Close()
		p.clientLoop = group.Loops[0]

		var serverID atomic.Pointer[wire.ConnectionID]
		p.network.Drop(func(from, _ netip.AddrPort, datagram []byte) bool {
			if h, ok := wire.ParseLongHeader(datagram); ok && from == serverAddr {
				serverID.Store(&h.SrcID)
			}
			return false
		})
		p.dial()
		time.Sleep(time.Second)
		synctest.Wait()
		if n, err := p.client.saw("complete"); n != 1 || err != nil {
			t.Fatalf("%d handshakes are complete, %v", n, err)
		}

		reset := func(token wire.ResetToken) {
			b := []byte{0x40, 1, 2, 3, 4, 5, 6, 7, 8} // an ID of loop 1
			b = append(b, token[:]...)
			group.Loops[1].Asked(engine.Datagram{Path: path.Addrs{Local: clientAddr.Addr(), Remote: serverAddr}, Data: b})
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
		}
		reset(wire.ResetToken{1})
		if n, err := p.client.saw("closed"); n != 0 {
			t.Fatalf("a token of nobody's ended the connection: %v", err)
		}
		reset(protect.StatelessResetToken(&resetKey, serverID.Load()))
		if _, err := p.client.saw("closed"); !errors.Is(err, engine.ErrStatelessReset) {
			t.Errorf("the connection ended with %v", err)
		}
	})
}
