package udp

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// patience bounds every wait of a test; only a failing one gets near it.
const patience = 20 * time.Second

// opener is Listen or a stand-in for it with another backend.
type opener func(addr string, cfg Config) (*Socket, error)

// openPlain is Listen as on a system without a backend of its own.
func openPlain(addr string, cfg Config) (*Socket, error) {
	cfg = cfg.withDefaults()
	conn, err := openConn(addr, cfg)
	if err != nil {
		return nil, err
	}
	count := new(counters)
	p, err := newPlain(conn, cfg, count)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Socket{backend: p, local: localAddr(conn), count: count}, nil
}

// forEachBackend runs f with this system's own backend and the plain one.
func forEachBackend(t *testing.T, f func(t *testing.T, open opener)) {
	t.Run("native", func(t *testing.T) { f(t, Listen) })
	t.Run("plain", func(t *testing.T) { f(t, openPlain) })
}

// open returns a socket that is closed at the end of the test, and early when
// the test takes so long that something must be stuck.
func (o opener) open(t testing.TB, addr string, cfg Config) *Socket {
	t.Helper()
	s, err := o(addr, cfg)
	if err != nil {
		t.Fatalf("open %s: %v", addr, err)
	}
	watchdog := time.AfterFunc(patience, func() { s.Close() })
	t.Cleanup(func() {
		if !watchdog.Stop() {
			t.Errorf("the test was stuck for %v", patience)
		}
		s.Close()
	})
	return s
}

// received is a copy of one datagram and what Message tells about it.
type received struct {
	data    []byte
	remote  netip.AddrPort
	local   netip.Addr
	ifIndex uint32
	ecn     uint8
}

// collect receives n datagrams.
func collect(t testing.TB, s *Socket, n int) []received {
	t.Helper()
	var got []received
	for len(got) < n {
		msgs, err := s.Recv(time.Time{})
		if err != nil {
			t.Fatalf("Recv after %d of %d datagrams: %v", len(got), n, err)
		}
		for _, m := range msgs {
			for d := range m.Datagrams() {
				got = append(got, received{bytes.Clone(d), m.Remote, m.Local, m.IfIndex, m.ECN})
			}
		}
	}
	return got
}

// requireIPv6 leaves a test out on machines without.
func requireIPv6(t testing.TB) {
	t.Helper()
	s, err := Listen("[::1]:0", Config{})
	if err != nil {
		peertest.LeaveOut(t, "IPv6", err.Error())
	}
	s.Close()
}

// wantSilence fails if anything has arrived that was not asked for.
func wantSilence(t testing.TB, s *Socket) {
	t.Helper()
	if msgs, err := s.TryRecv(); len(msgs) > 0 || err != nil {
		t.Errorf("TryRecv = %d messages, %v; want none", len(msgs), err)
	}
}

// send sends a train with no source address or ECN mark.
func send(t testing.TB, s *Socket, data []byte, segment int, to netip.AddrPort) {
	t.Helper()
	if err := s.Send(data, segment, to, netip.Addr{}, 0); err != nil {
		t.Fatalf("Send of %d bytes to %v: %v", len(data), to, err)
	}
}

// pattern returns n bytes of which no two segments are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8*31 ^ i>>16*7)
	}
	return b
}

// wantTrain fails unless got is data cut into segments.
func wantTrain(t testing.TB, got []received, data []byte, segment int) {
	t.Helper()
	for i, r := range got {
		n := min(segment, len(data))
		if !bytes.Equal(r.data, data[:n]) {
			t.Fatalf("datagram %d has %d bytes and is not the %d bytes sent", i, len(r.data), n)
		}
		data = data[n:]
	}
	if len(data) != 0 {
		t.Fatalf("%d bytes at the end are missing", len(data))
	}
}
