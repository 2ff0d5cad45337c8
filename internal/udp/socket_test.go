package udp

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestTrainsArriveWholeAndInOrder(t *testing.T) {
	tests := []struct {
		name          string
		size, segment int
	}{
		{"one datagram", 1200, 1200},
		{"segment zero", 1200, 0},
		{"two segments", 2400, 1200},
		{"short last", 10*1452 + 1, 1452},
		{"one call", 44 * 1452, 1452},
		{"several calls", 120 * 1200, 1200},
		{"tiny segments", 200, 1},
	}
	forEachBackend(t, func(t *testing.T, open opener) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				from, to := open.open(t, "127.0.0.1:0", Config{}), open.open(t, "127.0.0.1:0", Config{})
				data := pattern(tt.size)
				segment := tt.segment
				if segment == 0 {
					segment = tt.size
				}
				count := segments(tt.size, segment)
				go func() {
					if err := from.Send(data, tt.segment, to.LocalAddr(), netip.Addr{}, 0); err != nil {
						t.Errorf("Send: %v", err)
					}
				}()
				got := collect(t, to, count)
				wantTrain(t, got, data, segment)
				wantSilence(t, to)
				for _, r := range got {
					if r.remote != from.LocalAddr() {
						t.Fatalf("remote %v, want %v", r.remote, from.LocalAddr())
					}
					if r.local != to.LocalAddr().Addr() {
						t.Fatalf("local %v, want %v", r.local, to.LocalAddr().Addr())
					}
				}
				if st := to.Stats(); st.ReceivedDatagrams != uint64(count) || st.ReceivedBytes != uint64(tt.size) ||
					st.ReceiveCalls == 0 || st.ReceiveDrops != 0 {
					t.Errorf("receiver's statistics: %+v", st)
				}
			})
		}
	})
}

func TestFamilies(t *testing.T) {
	tests := []struct{ name, server, client, dial string }{
		{"IPv6", "[::1]:0", "[::1]:0", "::1"},
		{"dual stack from IPv4", ":0", "127.0.0.1:0", "127.0.0.1"},
		{"dual stack from IPv6", ":0", "[::1]:0", "::1"},
		{"dual stack to dual stack over IPv4", "[::]:0", ":0", "127.0.0.1"},
		{"dual stack to dual stack over IPv6", "[::]:0", ":0", "::1"},
		{"IPv4 wildcard", "0.0.0.0:0", "127.0.0.1:0", "127.0.0.1"},
	}
	forEachBackend(t, func(t *testing.T, open opener) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				if strings.Contains(tt.dial+tt.server, "::") {
					requireIPv6(t)
				}
				server, client := open.open(t, tt.server, Config{}), open.open(t, tt.client, Config{})
				dial := netip.MustParseAddr(tt.dial)
				query, answer := pattern(2500), pattern(3100)
				send(t, client, query, 1000, netip.AddrPortFrom(dial, server.LocalAddr().Port()))
				got := collect(t, server, 3)
				wantTrain(t, got, query, 1000)
				if want := netip.AddrPortFrom(dial, client.LocalAddr().Port()); got[0].remote != want {
					t.Errorf("server saw %v, want %v", got[0].remote, want)
				}
				if err := server.Send(answer, 1000, got[0].remote, got[0].local, 0); err != nil {
					t.Fatalf("answer: %v", err)
				}
				back := collect(t, client, 4)
				wantTrain(t, back, answer, 1000)
				if want := netip.AddrPortFrom(dial, server.LocalAddr().Port()); back[0].remote != want {
					t.Errorf("client saw %v, want %v", back[0].remote, want)
				}
			})
		}
	})
}

func TestIPv4WildcardIsIPv4Only(t *testing.T) {
	s := opener(Listen).open(t, "0.0.0.0:0", Config{})
	if !s.LocalAddr().Addr().Is4() {
		t.Fatalf("bound to %v", s.LocalAddr())
	}
	err := s.Send([]byte("x"), 1, netip.MustParseAddrPort("[::1]:9"), netip.Addr{}, 0)
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("Send to IPv6 = %v, want ErrUnreachable", err)
	}
}

// Attack "Empty UDP / zero-length": an empty datagram is a message like any
// other, so it uses up the owner's budget, and does not look like the end.
func TestEmptyDatagrams(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		from, to := open.open(t, "127.0.0.1:0", Config{}), open.open(t, "127.0.0.1:0", Config{})
		const empty = 40
		for range empty {
			send(t, from, nil, 0, to.LocalAddr())
		}
		send(t, from, []byte("last"), 4, to.LocalAddr())
		got := collect(t, to, empty+1)
		for i, r := range got[:empty] {
			if len(r.data) != 0 {
				t.Fatalf("datagram %d has %d bytes", i, len(r.data))
			}
		}
		if string(got[empty].data) != "last" {
			t.Errorf("last datagram is %q", got[empty].data)
		}
		if st := to.Stats(); st.ReceivedDatagrams != empty+1 {
			t.Errorf("ReceivedDatagrams = %d, want %d", st.ReceivedDatagrams, empty+1)
		}
	})
}

func TestSendTooLarge(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s := open.open(t, "127.0.0.1:0", Config{})
		err := s.Send(make([]byte, 65508), 0, s.LocalAddr(), netip.Addr{}, 0)
		if err != ErrMessageSize {
			t.Errorf("Send of 65508 bytes = %v, want ErrMessageSize", err)
		}
		send(t, s, []byte("still works"), 0, s.LocalAddr())
		collect(t, s, 1)
	})
}

// A datagram larger than a slot is dropped and counted, never handed on in part.
func TestReceiveTooLarge(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		from, to := open.open(t, "127.0.0.1:0", Config{}), open.open(t, "127.0.0.1:0", Config{DisableGRO: true})
		send(t, from, make([]byte, 40000), 0, to.LocalAddr())
		send(t, from, []byte("fits"), 0, to.LocalAddr())
		if got := collect(t, to, 1); string(got[0].data) != "fits" {
			t.Errorf("got %d bytes, want the second datagram", len(got[0].data))
		}
		if st := to.Stats(); st.ReceiveDrops != 1 {
			t.Errorf("ReceiveDrops = %d, want 1", st.ReceiveDrops)
		}
	})
}

// A closed port answers with ICMP, which must not disturb the socket: it may be
// forged, and other peers use the same socket.
func TestPortUnreachableIsIgnored(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s, gone := open.open(t, "127.0.0.1:0", Config{}), open.open(t, "127.0.0.1:0", Config{})
		addr := gone.LocalAddr()
		gone.Close()
		for range 10 {
			send(t, s, []byte("anybody?"), 0, addr)
			wantSilence(t, s)
		}
		send(t, s, []byte("self"), 0, s.LocalAddr())
		if got := collect(t, s, 1); string(got[0].data) != "self" {
			t.Errorf("got %q", got[0].data)
		}
	})
}

func TestDeadlines(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s := open.open(t, "127.0.0.1:0", Config{})
		soon := time.Now().Add(10 * time.Millisecond)
		for _, deadline := range []time.Time{soon, soon, longAgo, time.Now(), time.Now().Add(5 * time.Millisecond)} {
			if msgs, err := s.Recv(deadline); len(msgs) > 0 || err != nil {
				t.Errorf("Recv = %d messages, %v; want none", len(msgs), err)
			}
		}
		// A deadline that has passed does not keep Recv from reading, nor is it
		// remembered.
		send(t, s, []byte("late"), 0, s.LocalAddr())
		if got := collect(t, s, 1); string(got[0].data) != "late" {
			t.Errorf("got %q", got[0].data)
		}
	})
}

func TestLateLoopStillReads(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s := open.open(t, "127.0.0.1:0", Config{})
		send(t, s, []byte("now"), 0, s.LocalAddr())
		for {
			msgs, err := s.Recv(longAgo)
			if err != nil {
				t.Fatal(err)
			}
			if len(msgs) == 1 {
				break
			}
		}
	})
}

func TestClose(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s := open.open(t, "127.0.0.1:0", Config{})
		parked := make(chan error)
		go func() {
			_, err := s.Recv(time.Time{})
			parked <- err
		}()
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-parked; err != net.ErrClosed {
			t.Errorf("Recv during Close = %v, want net.ErrClosed", err)
		}
		s.Wake()
		if _, err := s.Recv(time.Time{}); err != net.ErrClosed {
			t.Errorf("Recv after Close = %v, want net.ErrClosed", err)
		}
		if _, err := s.TryRecv(); err != net.ErrClosed {
			t.Errorf("TryRecv after Close = %v, want net.ErrClosed", err)
		}
		if err := s.Send([]byte("x"), 1, s.LocalAddr(), netip.Addr{}, 0); err != net.ErrClosed {
			t.Errorf("Send after Close = %v, want net.ErrClosed", err)
		}
		if err := s.Close(); err != net.ErrClosed {
			t.Errorf("second Close = %v, want net.ErrClosed", err)
		}
	})
}

// TestSendIsPreempted: a sender that gets no processor time for longer than Send waits for
// room loses nothing. That the deadline has passed is what it sees of that.
func TestSendIsPreempted(t *testing.T) {
	from, to := opener(openPlain).open(t, "127.0.0.1:0", Config{}), opener(openPlain).open(t, "127.0.0.1:0", Config{})
	p := from.backend.(*plain)
	if err := p.conn.SetWriteDeadline(longAgo); err != nil {
		t.Fatal(err)
	}
	if err := p.sendTrain(pattern(100), 1, to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if st := from.Stats(); st.SendDrops != 0 {
		t.Errorf("%d of 100 datagrams were dropped", st.SendDrops)
	}
}

// Another goroutine than the owner sends by the same socket, at the same time, and is told
// when it is closed.
func TestSender(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		from, to := open.open(t, "127.0.0.1:0", Config{}), open.open(t, "127.0.0.1:0", Config{})
		data := pattern(4 * 1200)
		sender, sent := from.Sender(), make(chan error)
		go func() { sent <- sender.Send(data, 1200, to.LocalAddr(), netip.Addr{}, 0) }()
		if err := errors.Join(from.Send(data, 1200, to.LocalAddr(), netip.Addr{}, 0), <-sent); err != nil {
			t.Fatal(err)
		}
		for _, r := range collect(t, to, 8) {
			if r.remote != from.LocalAddr() || len(r.data) != 1200 {
				t.Fatalf("%d bytes from %v", len(r.data), r.remote)
			}
		}
		if err := from.Close(); err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(data, 1200, to.LocalAddr(), netip.Addr{}, 0); err != net.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	})
}
