package loop_test

import (
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// unlimited is a congestion controller that lets everything go at once.
type unlimited struct{ congestion.Controller }

func newUnlimited(cfg congestion.Config) congestion.Controller {
	return unlimited{congestion.NewReno(cfg)}
}

func (unlimited) Window() int        { return 1 << 30 }
func (unlimited) PacingRate() uint64 { return 0 }

// A connection with very much to send does not keep another one waiting for
// more than a few trains.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 64 << 20
		p := newPair(t, engine.Config{
			InitialStreamWindow: window, InitialConnWindow: window,
			MaxCongestionWindow: window, NewCongestion: newUnlimited,
		})
		defer p.close()
		other := &recorder{}
		p.dial()
		busy := p.client
		p.client = other
		p.dial()
		time.Sleep(time.Second)
		synctest.Wait()

		var bulk, single loop.Stream
		var order []string
		p.network.Drop(func(from, _ netip.AddrPort, datagram []byte) bool {
			if from == clientAddr {
				order = append(order, string(datagram[1:9])) // the destination ID
			}
			return false
		})
		p.clientLoop.Do(func() {
			for _, s := range []struct {
				conn *loop.Conn
				link *loop.Stream
				size int
			}{{busy.conn, &bulk, 16 << 20}, {other.conn, &single, 1}} {
				e, err := s.conn.OpenStream(true)
				if err != nil {
					t.Error(err)
					return
				}
				s.link.Init(s.conn, e)
				s.link.Send.WriteLast(make([]byte, s.size))
				s.link.Written()
			}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		p.network.Drop(nil)
		first := 0
		for first < len(order) && order[first] == order[0] {
			first++
		}
		if len(order) < 10_000 || first == len(order) || first > 4*64 {
			t.Errorf("the other connection's turn came after %d of %d datagrams, want after 4 trains", first, len(order))
		}
	})
}

// A connection that always has more to send shows its figures nevertheless, as they
// were when its last turn ended.
func TestStatsWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 64 << 20
		p := newPair(t, engine.Config{
			InitialStreamWindow: window, InitialConnWindow: window,
			MaxCongestionWindow: window, NewCongestion: newUnlimited,
		})
		defer p.close()
		p.dial()
		time.Sleep(time.Second)
		synctest.Wait()

		sent, lag := p.client.conn.Stats().SentBytes, uint64(0)
		p.network.Drop(func(from, _ netip.AddrPort, datagram []byte) bool {
			if from == clientAddr {
				lag = max(lag, sent-p.client.conn.Stats().SentBytes)
				sent += uint64(len(datagram))
			}
			return false
		})
		var link loop.Stream
		p.clientLoop.Do(func() {
			e, err := p.client.conn.OpenStream(true)
			if err != nil {
				t.Error(err)
				return
			}
			link.Init(p.client.conn, e)
			link.Send.WriteLast(make([]byte, 16<<20))
			link.Written()
		})
		time.Sleep(time.Second)
		synctest.Wait()
		p.network.Drop(nil)
		if sent < 16<<20 || lag > 4*65507 {
			t.Errorf("%d bytes were sent, and the figures were %d late, want 4 trains at most", sent, lag)
		}
	})
}

// The events of more streams than fit into one batch all arrive.
func TestManyEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		finished := 0
		p.server.onCall = func(call string, s *engine.Stream) {
			if call == "readable" {
				if _, err := s.Recv.Read(make([]byte, 1)); err == io.EOF {
					finished++
				}
			}
		}
		p.dial()
		time.Sleep(time.Second)
		p.clientLoop.Do(func() {
			for range 100 {
				e, err := p.client.conn.OpenStream(true)
				if err != nil {
					t.Error(err)
					return
				}
				var link loop.Stream
				link.Init(p.client.conn, e)
				link.Send.CloseWrite()
				link.Written()
			}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if opened, _ := p.server.saw("opened"); opened != 100 || finished != 100 {
			t.Errorf("%d streams opened, %d finished; want 100", opened, finished)
		}
	})
}
