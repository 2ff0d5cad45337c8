package loop_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// countingTLS writes down in which turns its loop took steps of handshakes.
type countingTLS struct {
	*sim.FakeTLS
	onStep func(wire.Level)
}

func (c countingTLS) HandleData(level wire.Level, data []byte) error {
	c.onStep(level)
	return c.FakeTLS.HandleData(level, data)
}

// Handshakes that come in great number are taken a few in a turn, after what
// established connections want; of them those that are under way come first.
func TestHandshakesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 100
		network := memnet.New(10 * time.Millisecond)
		config := engine.Config{MaxBidiStreams: 100, MaxUniStreams: 100}.WithDefaults()
		var server *loop.Loop
		var order []string
		steps := make(map[uint64]int)
		served := &recorder{onCall: func(call string, _ *engine.Stream) {
			if call == "readable" {
				order = append(order, call)
			}
		}}
		server = loop.Start(network.Listen(serverAddr), loop.Config{
			Accept: func(c *loop.Conn) loop.Handler { return served },
		})
		defer server.Close()
		onStep := func(level wire.Level) {
			order = append(order, level.String())
			steps[server.Stats().Turns]++
		}
		server.Do(func() {
			server.SetServer(&engine.Server{Config: config, NewTLS: func() engine.TLS {
				return countingTLS{&sim.FakeTLS{Side: wire.ServerSide}, onStep}
			}})
		})
		dial := func(port int) (*loop.Loop, *recorder) {
			l := loop.Start(network.Listen(netip.AddrPortFrom(clientAddr.Addr(), uint16(port))), loop.Config{
				Endpoint: engine.EndpointConfig{Seed: [32]byte{byte(port), byte(port >> 8)}},
			})
			r := &recorder{}
			l.Do(func() {
				r.conn, _ = l.Dial(path.Addrs{Remote: serverAddr}, config, &sim.FakeTLS{Side: wire.ClientSide}, r)
			})
			return l, r
		}
		first, established := dial(1000)
		defer first.Close()
		time.Sleep(time.Second)
		synctest.Wait()
		order = nil
		clear(steps)
		for i := range clients {
			l, _ := dial(2000 + i)
			defer l.Close()
		}
		synctest.Wait() // all of them are on their way, and the request behind the first
		first.Do(func() {
			e, err := established.conn.OpenStream(true)
			if err != nil {
				t.Error(err)
				return
			}
			var link loop.Stream
			link.Init(established.conn, e)
			link.Send.WriteLast([]byte("request"))
			link.Written()
		})
		time.Sleep(time.Second)
		synctest.Wait()
		most, all := 0, 0
		for _, n := range steps {
			most = max(most, n)
			all += n
		}
		if all != 2*clients || most > loop.MaxTurnHandshakes {
			t.Errorf("%d steps, up to %d in a turn, want %d, at most %d in a turn", all, most, 2*clients, loop.MaxTurnHandshakes)
		}
		before := 0
		for before < len(order) && order[before] != "readable" {
			before++
		}
		if before == len(order) || before > clients/2 {
			t.Errorf("an established connection was served after %d steps of handshakes, of %d", before, len(order))
		}
		if s := server.Stats(); s.Overdue != 0 || s.Conns != clients+1 {
			t.Errorf("%d connections, %d overdue", s.Conns, s.Overdue)
		}
	})
}
