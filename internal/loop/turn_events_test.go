package loop_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// A connection about which there is very much to tell does not keep another one
// waiting for more than a part of it, and all is told in the end.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams := 4 * loop.MaxEvents
		p := newPair(t, engine.Config{})
		p.clientConfig.MaxUniStreams = 100
		p.serverConf.MaxUniStreams = uint64(streams)
		defer p.close()
		var order []*recorder
		servers := []*recorder{p.server, {}}
		for _, r := range servers {
			r.onCall = func(call string, _ *engine.Stream) {
				if call == "opened" {
					order = append(order, r)
				}
			}
		}
		p.dial()
		time.Sleep(time.Second)
		synctest.Wait()
		busy := p.client
		p.client, p.server = &recorder{}, servers[1]
		p.dial()
		time.Sleep(time.Second)
		synctest.Wait()
		other := p.client
		p.clientLoop.Do(func() {
			for _, part := range []struct {
				conn *loop.Conn
				n    int
			}{{busy.conn, streams}, {other.conn, 1}} {
				for range part.n {
					e, err := part.conn.OpenStream(true)
					if err != nil {
						t.Error(err)
						return
					}
					var link loop.Stream
					link.Init(part.conn, e)
					link.Send.CloseWrite()
					link.Written()
				}
			}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		place := 0
		for place < len(order) && order[place] == servers[0] {
			place++
		}
		if len(order) != streams+1 || place > loop.MaxEvents {
			t.Errorf("%d streams were told of, and the other connection's was number %d; want %d and %d at most", len(order), place, streams+1, loop.MaxEvents)
		}
	})
}
