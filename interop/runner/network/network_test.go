package network

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
)

// carry sends n packets of size bytes, apart by gap, over a link in virtual time, and
// returns their fates and when they came.
func carry(t *testing.T, s Scenario, w Weather, n, size int, gap time.Duration) (fates []Fate, came []time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(s, w, 0)
		start := time.Now()
		var mu sync.Mutex
		for range n {
			fates = append(fates, l.carry(make([]byte, size), time.Now(), false, func() {
				mu.Lock()
				defer mu.Unlock()
				came = append(came, time.Since(start))
			}))
			time.Sleep(gap)
		}
		time.Sleep(time.Hour)
		l.close()
	})
	return fates, came
}

func count(fates []Fate, f Fate) (n int) {
	for _, g := range fates {
		if g == f {
			n++
		}
	}
	return n
}

func TestRateAndQueue(t *testing.T) {
	// A packet of 1250 bytes takes a millisecond.
	s := Scenario{Delay: 15 * time.Millisecond, Rate: 10e6, Queue: 25}
	fates, came := carry(t, s, Weather{}, 100, 1250-headers, 0)
	if lost := count(fates, Lost); lost != 100-26 {
		t.Errorf("%d of 100 that came at once are lost, want all but the queue's 25 and the one under way", lost)
	}
	for i, d := range came {
		if want := s.Delay + time.Duration(i+1)*time.Millisecond; d != want {
			t.Errorf("packet %d has come after %v, want %v", i, d, want)
		}
	}
	if fates, _ := carry(t, s, Weather{}, 100, 1250-headers, time.Millisecond); count(fates, Lost) > 0 {
		t.Errorf("%d are lost of what comes at the link's rate", count(fates, Lost))
	}
}

func TestWeather(t *testing.T) {
	const n = 10000
	fates, came := carry(t, Scenario{Seed: 1}, Weather{Loss: 0.3, Burst: 3}, n, 100, 0)
	// With the bound of three in a row it is a little less than three of ten.
	if lost := count(fates, Lost); lost < n/4 || lost > n*3/10 || len(came) != n-lost {
		t.Errorf("%d of %d are lost, %d have come", lost, n, len(came))
	}
	if slices.Contains(runs(fates, Lost), 4) {
		t.Error("four in a row are lost")
	}
	fates, came = carry(t, Scenario{Seed: 1}, Weather{Corruption: 0.3, Burst: 3}, n, 100, 0)
	if changed := count(fates, Changed); changed < n/4 || changed > n*3/10 || len(came) != n {
		t.Errorf("%d of %d are changed, %d have come", changed, n, len(came))
	}
	fates, _ = carry(t, Scenario{}, Weather{Drop: []int{2, 4}}, 5, 100, 0)
	if want := []Fate{Passed, Lost, Passed, Lost, Passed}; !slices.Equal(fates, want) {
		t.Errorf("the fates are %v, want %v", fates, want)
	}
}

// runs returns how long the runs of a fate are.
func runs(fates []Fate, f Fate) (lengths []int) {
	n := 0
	for _, g := range fates {
		if g == f {
			n++
			continue
		}
		lengths = append(lengths, n)
		n = 0
	}
	return append(lengths, n)
}

func TestCorruptionChangesOneByte(t *testing.T) {
	l := newLink(Scenario{}, Weather{Corruption: 1}, 0)
	defer l.close()
	for _, size := range []int{0, 1, 1200} {
		b := make([]byte, size)
		if fate := l.fate(b); fate != Changed {
			t.Fatalf("the fate is %v", fate)
		}
		if n := size - bytes.Count(b, []byte{0}); n != min(size, 1) {
			t.Errorf("%d bytes of %d are changed", n, size)
		}
	}
}

// ends is a client and a server with a network between them.
type ends struct {
	*Network
	client, server *net.UDPConn
}

func newEnds(t *testing.T, s Scenario, ip netip.Addr) *ends {
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	e := &ends{client: listen(), server: listen()}
	n, err := New(e.server.LocalAddr().(*net.UDPAddr).AddrPort(), s)
	if err != nil {
		t.Fatal(err)
	}
	e.Network = n
	return e
}

// ask sends a word to the server, which it answers with another, and returns where it came from.
func (e *ends) ask(t *testing.T) netip.AddrPort {
	t.Helper()
	buf := make([]byte, 100)
	if _, err := e.client.WriteToUDPAddrPort([]byte("there"), e.Addr()); err != nil {
		t.Fatal(err)
	}
	n, from, err := e.server.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "there" {
		t.Fatalf("the server got %q, %v", buf[:n], err)
	}
	if _, err := e.server.WriteToUDPAddrPort([]byte("back"), from); err != nil {
		t.Fatal(err)
	}
	n, answered, err := e.client.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "back" || answered != e.Addr() {
		t.Fatalf("the client got %q from %v, %v", buf[:n], answered, err)
	}
	return from
}

func TestNetwork(t *testing.T) {
	leak.Check(t)
	for _, ip := range []netip.Addr{loopback(false), loopback(true)} {
		e := newEnds(t, Scenario{}, ip)
		first := e.ask(t)
		if again := e.ask(t); again != first {
			t.Errorf("the client's address is %v, and then %v", first, again)
		}
		log := e.Close()
		if len(log) != 4 {
			t.Fatalf("%d datagrams came", len(log))
		}
		for i, d := range log {
			want := "there"
			if i%2 == 1 {
				want = "back"
			}
			if d.FromClient != (i%2 == 0) || d.Path != first || string(d.Data) != want || d.Fate != Passed {
				t.Errorf("datagram %d is %+v", i, d)
			}
		}
	}
}

func TestRebinding(t *testing.T) {
	leak.Check(t)
	e := newEnds(t, Scenario{FirstRebind: time.Nanosecond, RebindEvery: time.Nanosecond, RebindAddr: true}, loopback(false))
	first, second := e.ask(t), e.ask(t)
	if first.Addr() == second.Addr() {
		t.Errorf("the client's addresses are %v and %v", first, second)
	}
	// What goes to an address that the client does not have any more is lost.
	if _, err := e.server.WriteToUDPAddrPort([]byte("late"), first); err != nil {
		t.Fatal(err)
	}
	third := e.ask(t)
	var stale atomic.Int32
	for _, d := range e.Close() {
		if string(d.Data) == "late" {
			stale.Add(1)
			if d.Fate != Lost || d.Path != first {
				t.Errorf("it is %+v", d)
			}
		}
	}
	if third == second || stale.Load() > 1 {
		t.Errorf("the third address is %v, %d stale", third, stale.Load())
	}
}

func TestECNPasses(t *testing.T) {
	leak.Check(t)
	for _, ip := range []netip.Addr{loopback(false), loopback(true)} {
		e := newEnds(t, Scenario{}, ip)
		client := &socket{conn: e.client, six: ip.Is6()}
		server := &socket{conn: e.server, six: ip.Is6()}
		if err := server.prepare(); err != nil {
			t.Fatal(err)
		}
		const ect0 = 2
		client.send([]byte("marked"), e.Addr(), ect0)
		got := make(chan byte, 1)
		go server.receive(func(_ []byte, _ netip.AddrPort, ecn byte) {
			got <- ecn
			server.close()
		})
		if ecn := <-got; ecn != ect0 {
			t.Errorf("the codepoint is %d over %v, want %d", ecn, ip, ect0)
		}
		if log := e.Close(); len(log) != 1 || log[0].ECN != ect0 {
			t.Errorf("the network saw %+v", log)
		}
	}
}
