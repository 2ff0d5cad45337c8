package memnet_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/memnet"
)

const sent = 1000

// receiveThrough returns what arrives of numbered datagrams in some weather.
func receiveThrough(t *testing.T, w *memnet.Weather) (got []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New(time.Millisecond)
		network.SetWeather(w)
		a := network.Listen(netip.MustParseAddrPort("192.0.2.1:1"))
		b := network.Listen(netip.MustParseAddrPort("192.0.2.2:2"))
		for i := range sent {
			if err := a.Send(binary.BigEndian.AppendUint16(nil, uint16(i)), 0, b.LocalAddr(), netip.Addr{}, 0); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for {
			msgs, err := b.TryRecv()
			if err != nil {
				t.Fatal(err)
			}
			if len(msgs) == 0 {
				return
			}
			for _, m := range msgs {
				got = append(got, int(binary.BigEndian.Uint16(m.Data)))
			}
		}
	})
	return got
}

// different returns how many different numbers there are.
func different(got []int) int {
	sorted := slices.Sorted(slices.Values(got))
	return len(slices.Compact(sorted))
}

func TestWeather(t *testing.T) {
	for name, test := range map[string]struct {
		weather   memnet.Weather
		lost      int // of sent, about
		twice     int // likewise
		reordered bool
	}{
		"fine":      {},
		"loss":      {memnet.Weather{Loss: 0.2}, 200, 0, false},
		"duplicate": {memnet.Weather{Duplicate: 0.2}, 0, 200, false},
		"reorder":   {memnet.Weather{Reorder: 0.1, Hold: time.Millisecond}, 0, 0, true},
		"jitter":    {memnet.Weather{Jitter: time.Millisecond}, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			test.weather.Seed = 1
			got := receiveThrough(t, &test.weather)
			about := func(n, want int) bool { return n >= want/2 && n <= 2*want }
			if lost := sent - different(got); !about(lost, test.lost) {
				t.Errorf("%d are lost, want about %d", lost, test.lost)
			}
			if twice := len(got) - different(got); !about(twice, test.twice) {
				t.Errorf("%d came twice, want about %d", twice, test.twice)
			}
			if slices.IsSorted(got) == test.reordered {
				t.Errorf("reordered is %v", !test.reordered)
			}
			if again := receiveThrough(t, &test.weather); !slices.Equal(got, again) {
				t.Error("the same seed has another weather")
			}
			test.weather.Seed = 2
			if other := receiveThrough(t, &test.weather); name != "fine" && slices.Equal(got, other) {
				t.Error("another seed has the same weather")
			}
		})
	}
}
