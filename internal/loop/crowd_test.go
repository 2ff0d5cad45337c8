package loop_test

import (
	"bytes"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// crowdedServer is a server whose socket has room for 2000 full datagrams, each of which
// takes it a tenth of a millisecond.
type crowdedServer struct {
	t       *testing.T
	network *memnet.Network
	loop    *loop.Loop
	config  *engine.Config
	clients []*loop.Loop
	handled atomic.Int64 // datagrams
}

const datagramCost = 100 * time.Microsecond

func newCrowdedServer(t *testing.T) *crowdedServer {
	s := &crowdedServer{t: t, network: memnet.New(10 * time.Millisecond)}
	s.config = engine.Config{MaxBidiStreams: 100, MaxUniStreams: 100}.WithDefaults()
	sock := s.network.Listen(serverAddr)
	sock.Bound(2000*1200 + 20_000) // trains that find no room leave some for others
	s.loop = loop.Start(sock, loop.Config{Accept: func(c *loop.Conn) loop.Handler { return &recorder{conn: c} }})
	config := *s.config
	config.NewTracer = func(quictrace.Info) quictrace.Tracer { return costly{handled: &s.handled} }
	s.loop.Do(func() {
		s.loop.SetServer(&engine.Server{Config: &config, NewTLS: func() engine.TLS { return &sim.FakeTLS{Side: wire.ServerSide} }})
	})
	return s
}

// costly is a Tracer with which each datagram takes time.
type costly struct{ handled *atomic.Int64 }

// Trace implements quictrace.Tracer.
func (c costly) Trace(_ time.Duration, e quictrace.Event) {
	if _, ok := e.(*quictrace.UDPDatagramsReceived); ok {
		c.handled.Add(1)
		time.Sleep(datagramCost)
	}
}

func (s *crowdedServer) close() {
	for _, l := range s.clients {
		l.Close()
	}
	s.loop.Close()
}

// dial opens a connection from a port of its own.
func (s *crowdedServer) dial(port uint16) *recorder {
	r := &recorder{}
	l := loop.Start(s.network.Listen(netip.AddrPortFrom(clientAddr.Addr(), port)), loop.Config{
		Endpoint: engine.EndpointConfig{Seed: [32]byte{byte(port), byte(port >> 8)}},
	})
	s.clients = append(s.clients, l)
	l.Do(func() {
		r.conn, _ = l.Dial(path.Addrs{Remote: serverAddr}, s.config, &sim.FakeTLS{Side: wire.ClientSide}, r)
	})
	return r
}

// flooders opens connections, and returns a train of datagrams that lead to them in turn.
func (s *crowdedServer) flooders(conns, datagrams int) []byte {
	found := make(map[uint16][]byte)
	s.network.Drop(func(from, _ netip.AddrPort, datagram []byte) bool {
		if port := from.Port(); 1000 <= port && port < 1000+uint16(conns) && datagram[0]&0x80 == 0 {
			found[port] = append(bytes.Clone(datagram), make([]byte, 1200)...)[:1200]
		}
		return false
	})
	for i := range conns {
		s.dial(uint16(1000 + i))
	}
	time.Sleep(time.Second)
	synctest.Wait()
	s.network.Drop(nil)
	if len(found) != conns {
		s.t.Fatalf("%d of %d connections have sent something", len(found), conns)
	}
	var train []byte
	for i := range datagrams {
		train = append(train, found[uint16(1000+i%conns)]...)
	}
	return train
}

// flood sends a train each millisecond.
func (s *crowdedServer) flood(train []byte, times int) {
	sock := s.network.Listen(netip.AddrPortFrom(clientAddr.Addr(), 999))
	defer sock.Close()
	for range times {
		if err := sock.Send(train, 1200, serverAddr, netip.Addr{}, 0); err != nil {
			s.t.Error(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// request sends a few bytes on a stream.
func request(t *testing.T, c *loop.Conn) {
	c.Do(func() {
		e, err := c.OpenStream(true)
		if err != nil {
			t.Error(err)
			return
		}
		var link loop.Stream
		link.Init(c, e)
		link.Send.WriteLast([]byte("request"))
		link.Written()
	})
}

// Clients that send four times as much as the loop can handle keep nobody else from being
// served, whether it is one or many: others have their share first, and what is too much
// is lost of those who send it.
func TestFlood(t *testing.T) {
	for _, conns := range []int{1, 40} {
		synctest.Test(t, func(t *testing.T) { testFlood(t, conns) })
	}
}

func testFlood(t *testing.T, conns int) {
	const (
		clients = 20
		period  = 100 * time.Millisecond
		length  = (clients + 10) * period
	)
	s := newCrowdedServer(t)
	defer s.close()
	train := s.flooders(conns, 40)
	old := s.dial(900)
	time.Sleep(time.Second)
	synctest.Wait()
	s.handled.Store(0)
	go s.flood(train, int(length/time.Millisecond))
	for range 10 { // until the socket is full
		request(t, old.conn)
		time.Sleep(period)
	}
	synctest.Wait()
	asked, _ := old.saw("sent")
	late, slow := 0, 0
	for i := range clients {
		newcomer := s.dial(uint16(2000 + i))
		request(t, old.conn)
		time.Sleep(period)
		synctest.Wait()
		if n, _ := newcomer.saw("complete"); n == 0 {
			late++
		}
		if n, _ := old.saw("sent"); n <= asked+i {
			slow++
		}
	}
	if late > 0 || slow > 0 {
		t.Errorf("%d flooding: %d of %d newcomers had no connection within %v, and %d of as many requests no answer", conns, late, clients, period, slow)
	}
	if busy := time.Duration(s.handled.Load()) * datagramCost; busy < length*9/10 {
		t.Errorf("%d flooding: the loop was busy for %v of %v, and dropped %d datagrams", conns, busy, length, s.loop.Stats().Shed)
	}
}

// Of a flow that is alone nothing is dropped, though it is more than the loop can handle:
// the socket keeps it, as far as there is room.
func TestFloodAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCrowdedServer(t)
		defer s.close()
		const trains, datagrams = 20, 15
		train := s.flooders(1, datagrams)
		s.handled.Store(0)
		s.flood(train, trains)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := s.handled.Load(); n != trains*datagrams || s.loop.Stats().Shed != 0 {
			t.Errorf("%d datagrams were handled, want %d; %d were dropped", n, trains*datagrams, s.loop.Stats().Shed)
		}
	})
}
