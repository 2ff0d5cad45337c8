package loop_test

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// ids returns the connection IDs by which a client's connection is reached.
func (p *pair) ids(l *loop.Loop, h *recorder) (ids [][]byte) {
	l.Do(func() {
		for _, id := range h.conn.RouteIDs() {
			ids = append(ids, slices.Clone(id.Bytes()))
		}
	})
	synctest.Wait()
	return ids
}

// What the kernel has put together may be for several connections, on several loops: each
// gets its own datagrams, and the loop that received them those that are for none.
func TestTrainForSeveralGuests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		other, secondHome := p.further("192.0.2.3:6000"), p.further("192.0.2.4:6000")
		p.dial()
		first, firstHome := p.client, p.clientLoop
		time.Sleep(time.Second)
		synctest.Wait()
		p.client, p.clientLoop = &recorder{}, secondHome
		p.dial()
		second := p.client
		time.Sleep(time.Second)
		for h, l := range map[*recorder]*loop.Loop{first: firstHome, second: secondHome} {
			l.Do(func() {
				if _, err := h.conn.AddSocket(other); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		const size = 60
		var train []byte
		of := map[*recorder]uint64{}
		strangers := 0
		for _, to := range []*recorder{first, second, second, nil, first, first, nil, second} {
			one := bytes.Repeat([]byte{0xee}, size)
			one[0] = 0x40
			switch to {
			case nil:
				strangers++
			case first:
				copy(one[1:], p.ids(firstHome, first)[0])
			default:
				copy(one[1:], p.ids(secondHome, second)[0])
			}
			if to != nil {
				of[to] += size
			}
			train = append(train, one...)
		}
		before := map[*recorder]uint64{first: first.conn.Stats().ReceivedBytes, second: second.conn.Stats().ReceivedBytes}
		sender := p.network.Listen(netip.MustParseAddrPort("192.0.2.9:9"))
		if err := sender.Send(train, size, other.LocalAddr(), netip.Addr{}, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for h, want := range of {
			if got := h.conn.Stats().ReceivedBytes - before[h]; got != want {
				t.Errorf("%d bytes of %d came to a connection", got, want)
			}
		}
		if got := other.Stats().Endpoint.UnknownID; got != uint64(strangers) {
			t.Errorf("%d datagrams of %d are strangers' for the loop that received them", got, strangers)
		}
		p.clientLoop = firstHome
		secondHome.Close()
		other.Close()
		_ = sender.Close()
		p.close()
	})
}

// Two sockets of one loop are one address: when one is given up, the other goes on.
func TestSocketTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		other := p.further("192.0.2.3:6000")
		p.dial()
		time.Sleep(time.Second)
		var n [2]uint8
		var err error
		p.on(func() {
			for i := range n {
				if n[i], err = p.client.conn.AddSocket(other); err != nil {
					t.Error(err)
				}
			}
			err = p.client.conn.ProbePath(n[1])
		})
		p.on(func() {
			p.client.conn.RemoveSocket(n[0])
			err = errors.Join(err, p.client.conn.ProbePath(n[1]))
		})
		if got := p.client.conn.PathStanding(n[1]); err != nil || got != engine.PathUsable {
			t.Errorf("standing %d: %v", got, err)
		}
		p.close()
		if n := other.GuestRoutes(); n != 0 {
			t.Errorf("%d routes are left", n)
		}
		other.Close()
	})
}
