package udp

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// openWith is Listen on a kernel of the test's choice.
func openWith(k kernel) opener {
	return func(addr string, cfg Config) (*Socket, error) {
		cfg = cfg.withDefaults()
		conn, err := openConn(addr, cfg)
		if err != nil {
			return nil, err
		}
		count := new(counters)
		b, err := newBatch(conn, cfg, count, k)
		if err != nil {
			conn.Close()
			return nil, err
		}
		warnBuffers(cfg, count)
		return &Socket{backend: b, local: localAddr(conn), count: count}, nil
	}
}

// requireOffloads leaves a test out on kernels before Linux 5.0.
func requireOffloads(t testing.TB, s *Socket) {
	t.Helper()
	if st := s.Stats(); !st.GSO || !st.GRO {
		peertest.LeaveOut(t, "UDP offloads", fmt.Sprintf("take a Linux kernel from 5.0 on; this one has GSO: %v, GRO: %v", st.GSO, st.GRO))
	}
}

func TestTrainIsOneCallAndOneMessage(t *testing.T) {
	from, to := opener(Listen).open(t, "127.0.0.1:0", Config{}), opener(Listen).open(t, "127.0.0.1:0", Config{})
	requireOffloads(t, from)
	data := pattern(44*1452 - 100)
	send(t, from, data, 1452, to.LocalAddr())
	msgs, err := to.Recv(time.Time{})
	if err != nil || len(msgs) != 1 {
		t.Fatalf("Recv = %d messages, %v; want 1", len(msgs), err)
	}
	if m := msgs[0]; m.Segment != 1452 || m.Count() != 44 || string(m.Data) != string(data) {
		t.Errorf("got a train of %d datagrams of %d bytes, %d in all", m.Count(), m.Segment, len(m.Data))
	}
	if st := from.Stats(); st.SendCalls != 1 || st.SentDatagrams != 44 || st.SentBytes != uint64(len(data)) {
		t.Errorf("sender's statistics: %+v", st)
	}
	if st := to.Stats(); st.ReceiveCalls != 1 || st.ReceivedDatagrams != 44 {
		t.Errorf("receiver's statistics: %+v", st)
	}
}

func TestLargestTrain(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		if addr == "[::1]:0" {
			requireIPv6(t)
		}
		from, to := opener(Listen).open(t, addr, Config{}), opener(Listen).open(t, addr, Config{})
		requireOffloads(t, from)
		const segment = 3853
		data := pattern(maxTrainBytes)
		send(t, from, data, segment, to.LocalAddr())
		got := collect(t, to, segments(len(data), segment))
		wantTrain(t, got, data, segment)
		if st := from.Stats(); st.SendCalls != 2 { // the segment that is cut short goes alone
			t.Errorf("%s: %d calls", addr, st.SendCalls)
		}
	}
}

func TestOffloadsDisabled(t *testing.T) {
	cfg := Config{DisableGSO: true, DisableGRO: true, DisableECN: true}
	from, to := opener(Listen).open(t, "127.0.0.1:0", cfg), opener(Listen).open(t, "127.0.0.1:0", cfg)
	if st := from.Stats(); st.GSO || st.GRO || st.ECN {
		t.Errorf("disabled, but in use: %+v", st)
	}
	data := pattern(20 * 1200)
	if err := from.Send(data, 1200, to.LocalAddr(), netip.Addr{}, 2); err != nil {
		t.Fatal(err)
	}
	got := collect(t, to, 20)
	wantTrain(t, got, data, 1200)
	if got[0].ecn != 0 {
		t.Errorf("ECN = %d, want 0", got[0].ecn)
	}
	if st := from.Stats(); st.SendCalls != 20 || st.SentDatagrams != 20 {
		t.Errorf("sender's statistics: %+v", st)
	}
}

// TestTrainsTurnedOff: a socket that somebody else had takes trains only if it should, and is
// as it was when another process had its way in the meantime.
func TestTrainsTurnedOff(t *testing.T) {
	for _, later := range []bool{false, true} {
		use := opener(func(addr string, cfg Config) (*Socket, error) {
			conn, err := openConn(addr, cfg)
			if err != nil {
				return nil, err
			}
			raw, err := conn.SyscallConn()
			if err == nil {
				err = raw.Control(func(fd uintptr) { setGRO(realKernel, fd, true) })
			}
			if err != nil {
				t.Error(err)
			}
			return Use(conn, cfg)
		})
		from, to := opener(Listen).open(t, "127.0.0.1:0", Config{}), use.open(t, "127.0.0.1:0", Config{DisableGRO: true})
		requireOffloads(t, from)
		if later {
			err := to.SetDeaf(true)
			if err == nil {
				err = to.control(func(fd uintptr) { setGRO(realKernel, fd, true) })
			}
			if err == nil {
				err = to.SetDeaf(false)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		data := pattern(20 * 1200)
		send(t, from, data, 1200, to.LocalAddr())
		wantTrain(t, collect(t, to, 20), data, 1200)
	}
}

func TestECN(t *testing.T) {
	for _, tt := range []struct{ name, server, dial string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1"},
		{"IPv6", "[::1]:0", "::1"},
		{"IPv4 on a dual-stack socket", ":0", "127.0.0.1"},
		{"IPv6 on a dual-stack socket", ":0", "::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.dial == "::1" {
				requireIPv6(t)
			}
			// Both ends are of the family under test.
			s, c := opener(Listen).open(t, tt.server, Config{}), opener(Listen).open(t, tt.server, Config{})
			if !s.Stats().ECN {
				t.Fatal("ECN is off")
			}
			to := netip.AddrPortFrom(netip.MustParseAddr(tt.dial), s.LocalAddr().Port())
			for _, ecn := range []uint8{2, 0, 1, 3} {
				for _, segment := range []int{1000, 100} { // alone and in a train
					if err := c.Send(pattern(1000), segment, to, netip.Addr{}, ecn); err != nil {
						t.Fatal(err)
					}
					for _, r := range collect(t, s, 1000/segment) {
						if r.ecn != ecn {
							t.Errorf("sent %d in segments of %d, got %d", ecn, segment, r.ecn)
						}
					}
				}
			}
		})
	}
}

// A server with several addresses must answer from the one it was asked at, or
// the client will not know the answer for one.
func TestAnswersComeFromTheAddressAsked(t *testing.T) {
	for _, server := range []string{"0.0.0.0:0", ":0"} {
		t.Run(server, func(t *testing.T) {
			s, c := opener(Listen).open(t, server, Config{}), opener(Listen).open(t, "127.0.0.1:0", Config{})
			asked := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.7"), s.LocalAddr().Port())
			send(t, c, []byte("query"), 0, asked)
			q := collect(t, s, 1)[0]
			if q.local != asked.Addr() || q.ifIndex == 0 {
				t.Errorf("local %v on interface %d, want %v on loopback", q.local, q.ifIndex, asked.Addr())
			}
			if err := s.Send(pattern(3000), 1000, q.remote, q.local, 2); err != nil {
				t.Fatal(err)
			}
			for _, r := range collect(t, c, 3) {
				if r.remote != asked || r.ecn != 2 {
					t.Errorf("answer from %v with ECN %d, want %v with 2", r.remote, r.ecn, asked)
				}
			}
		})
	}
}

func TestSourceAddressIPv6(t *testing.T) {
	requireIPv6(t)
	s, c := opener(Listen).open(t, "[::]:0", Config{}), opener(Listen).open(t, "[::1]:0", Config{})
	send(t, c, []byte("query"), 0, netip.AddrPortFrom(netip.IPv6Loopback(), s.LocalAddr().Port()))
	q := collect(t, s, 1)[0]
	if q.local != netip.IPv6Loopback() {
		t.Errorf("local %v", q.local)
	}
	if err := s.Send(pattern(3000), 1000, q.remote, q.local, 1); err != nil {
		t.Fatal(err)
	}
	for _, r := range collect(t, c, 3) {
		if r.remote.Addr() != netip.IPv6Loopback() || r.ecn != 1 {
			t.Errorf("answer from %v with ECN %d", r.remote, r.ecn)
		}
	}
}

func TestSourceAddressIsGone(t *testing.T) {
	s := opener(Listen).open(t, "0.0.0.0:0", Config{})
	peer := opener(Listen).open(t, "127.0.0.1:0", Config{})
	gone := netip.MustParseAddr("198.51.100.77") // TEST-NET-2: nobody's
	for _, segment := range []int{1000, 100} {
		if err := s.Send(pattern(1000), segment, peer.LocalAddr(), gone, 0); err != ErrUnreachable {
			t.Errorf("Send in segments of %d = %v, want ErrUnreachable", segment, err)
		}
	}
	if !s.Stats().GSO {
		t.Error("GSO was blamed for a bad source address")
	}
}

func TestReusePort(t *testing.T) {
	cfg := Config{ReusePort: true}
	a := opener(Listen).open(t, "127.0.0.1:0", cfg)
	b := opener(Listen).open(t, a.LocalAddr().String(), cfg)
	if a.LocalAddr() != b.LocalAddr() {
		t.Errorf("bound to %v and %v", a.LocalAddr(), b.LocalAddr())
	}
}

// Sockets never fragment: what does not fit the loopback interface's MTU of
// 65536 cannot be tried, so look at the options.
func TestDatagramsAreKeptWhole(t *testing.T) {
	for _, tt := range []struct {
		addr        string
		level, name int
		want        int
	}{
		{"127.0.0.1:0", unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE},
		{"[::1]:0", unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE},
		{"[::1]:0", unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE},
	} {
		if tt.addr == "[::1]:0" {
			requireIPv6(t)
		}
		s := opener(Listen).open(t, tt.addr, Config{})
		b := s.backend.(*batch)
		err := b.raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), tt.level, tt.name); got != tt.want || err != nil {
				t.Errorf("%s: option %d of level %d = %d, %v; want %d", tt.addr, tt.name, tt.level, got, err, tt.want)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// The owner is blocked for certain when Wake and Close come.
func TestWakeAndCloseWhileParked(t *testing.T) {
	s := opener(Listen).open(t, "127.0.0.1:0", Config{})
	state := &s.backend.(*batch).park.state
	whenParked := func(f func()) {
		for state.Load() != parked {
			runtime.Gosched()
		}
		f()
	}
	var woke atomic.Bool
	go whenParked(func() { woke.Store(true); s.Wake() })
	for !woke.Load() {
		if _, err := s.Recv(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	go whenParked(func() { s.Close() })
	for {
		if _, err := s.Recv(time.Time{}); err != nil {
			break
		}
	}
}

// A Wake whose Recv brought messages is answered; the next Recv may block.
func TestWakeIsAnsweredByMessages(t *testing.T) {
	s := opener(Listen).open(t, "127.0.0.1:0", Config{})
	send(t, s, []byte("a"), 0, s.LocalAddr())
	s.Wake()
	msgs, err := s.Recv(time.Time{})
	if len(msgs) != 1 || err != nil {
		t.Fatalf("Recv = %d messages, %v; want 1", len(msgs), err)
	}
	if got := s.backend.(*batch).park.state.Load(); got != awake {
		t.Errorf("state %d after Recv, want awake", got)
	}
}

func TestNoAllocations(t *testing.T) {
	from, to := opener(Listen).open(t, "127.0.0.1:0", Config{}), opener(Listen).open(t, ":0", Config{})
	data := pattern(44 * 1452)
	addr := netip.AddrPortFrom(from.LocalAddr().Addr(), to.LocalAddr().Port())
	deadline := time.Now().Add(time.Hour)
	round := func() {
		deadline = deadline.Add(time.Millisecond)
		if err := from.Send(data, 1452, addr, from.LocalAddr().Addr(), 2); err != nil {
			t.Fatal(err)
		}
		got := 0
		for got < len(data) {
			msgs, err := to.Recv(deadline)
			if err != nil {
				t.Fatal(err)
			}
			for i := range msgs {
				for d := range msgs[i].Datagrams() {
					got += len(d)
				}
			}
		}
		if _, err := to.TryRecv(); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations per train, want 0", n)
	}
}

// TestReceiveBatch reads no more messages in one call than Config says.
func TestReceiveBatch(t *testing.T) {
	from, to := opener(Listen).open(t, "127.0.0.1:0", Config{}), opener(Listen).open(t, "127.0.0.1:0", Config{ReceiveBatch: 2, DisableGRO: true})
	for range 5 {
		if err := from.Send([]byte("datagram"), 8, to.LocalAddr(), netip.Addr{}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for got := 0; got < 5; {
		msgs, err := to.Recv(time.Time{})
		if err != nil || len(msgs) > 2 {
			t.Fatalf("%d messages, %v", len(msgs), err)
		}
		got += len(msgs)
	}
}
