package network

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Fate is what became of a datagram.
type Fate uint8

// The fates.
const (
	Passed Fate = iota
	Lost
	Changed
)

// Datagram is one that came to the network.
type Datagram struct {
	Time       time.Time
	FromClient bool
	Client     netip.AddrPort // the client's own address
	Path       netip.AddrPort // the client's address as the server sees it
	ECN        byte           // codepoint (RFC 3168, Section 5)
	Data       []byte         // as it was sent
	Fate       Fate
}

// Network passes datagrams between clients and a server.
type Network struct {
	scenario Scenario
	front    *socket
	server   netip.AddrPort

	toServer, toClient *link

	mu      sync.Mutex
	start   time.Time // of the first datagram
	flows   map[netip.AddrPort]*flow
	log     []Datagram
	rebinds int
	backs   []*socket
	closed  bool
	readers sync.WaitGroup
}

// flow is a client, and the address that it has for the server.
type flow struct {
	client netip.AddrPort
	back   *socket
	binds  int // how often it was bound
}

// New opens a network in front of a server, on a free port of the loopback interface.
func New(server netip.AddrPort, s Scenario) (*Network, error) {
	front, err := open(netip.AddrPortFrom(loopback(server.Addr().Is6()), 0))
	if err != nil {
		return nil, err
	}
	n := &Network{
		scenario: s, server: server, front: front,
		toServer: newLink(s, s.ToServer, 0), toClient: newLink(s, s.ToClient, 1),
		flows: make(map[netip.AddrPort]*flow),
	}
	n.readers.Go(n.readClients)
	return n, nil
}

func loopback(six bool) netip.Addr {
	if six {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// Addr returns where clients find the server.
func (n *Network) Addr() netip.AddrPort { return n.front.addr() }

// Close ends the network and returns all that came to it, in order.
func (n *Network) Close() []Datagram {
	n.mu.Lock()
	n.closed = true
	n.front.close()
	for _, b := range n.backs {
		b.close()
	}
	n.mu.Unlock()
	n.readers.Wait()
	n.toServer.close()
	n.toClient.close()
	return n.log
}

// readClients takes what clients send.
func (n *Network) readClients() {
	n.front.receive(func(b []byte, from netip.AddrPort, ecn byte) {
		f, now, err := n.flowOf(from)
		if err != nil {
			return // no address is left for it, or the network is closed
		}
		n.pass(n.toServer, Datagram{Time: now, FromClient: true, Client: from, Path: f.back.addr(), ECN: ecn}, b,
			func(b []byte) { f.back.send(b, n.server, ecn) })
	})
}

// readServer takes what the server sends to a client's address.
func (n *Network) readServer(f *flow, back *socket) {
	back.receive(func(b []byte, _ netip.AddrPort, ecn byte) {
		d := Datagram{Time: time.Now(), Client: f.client, Path: back.addr(), ECN: ecn}
		n.mu.Lock()
		stale := f.back != back
		n.mu.Unlock()
		if stale { // nobody has that address any more
			d.Data, d.Fate = bytes.Clone(b), Lost
			n.remember(d)
			return
		}
		n.pass(n.toClient, d, b, func(b []byte) { n.front.send(b, f.client, ecn) })
	})
}

// pass gives a datagram to a link.
func (n *Network) pass(l *link, d Datagram, b []byte, send func([]byte)) {
	d.Data = bytes.Clone(b)
	own := bytes.Clone(b) // what corruption changes
	d.Fate = l.carry(own, d.Time, n.dead(d.Time), func() { send(own) })
	n.remember(d)
}

func (n *Network) remember(d Datagram) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, d)
}

// dead reports whether nothing comes through at a time.
func (n *Network) dead(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	since := now.Sub(n.start)
	return n.scenario.Off > 0 && since >= n.scenario.On && since < n.scenario.On+n.scenario.Off
}

var errClosed = errors.New("network: closed")

// flowOf returns a client's flow, which it makes, or binds again when it is time.
func (n *Network) flowOf(client netip.AddrPort) (*flow, time.Time, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if n.start.IsZero() {
		n.start = now
	}
	if n.closed {
		return nil, now, errClosed
	}
	f := n.flows[client]
	if f == nil {
		f = &flow{client: client}
		n.flows[client] = f
	}
	if want := n.bindsAt(now); f.back == nil || f.binds < want {
		if err := n.bind(f); err != nil {
			return nil, now, err
		}
		f.binds = want
	}
	return &flow{client: client, back: f.back}, now, nil
}

// bindsAt returns how often clients have got another address at a time.
func (n *Network) bindsAt(now time.Time) int {
	since := now.Sub(n.start) - n.scenario.FirstRebind
	switch {
	case n.scenario.FirstRebind == 0 || since < 0:
		return 0
	case n.scenario.RebindEvery == 0:
		return 1
	}
	return 1 + int(since/n.scenario.RebindEvery)
}

// bind gives a flow an address towards the server. The old one stays open, so that what is
// sent there is seen. n.mu is held.
func (n *Network) bind(f *flow) error {
	ip := loopback(n.server.Addr().Is6())
	if n.scenario.RebindAddr && f.back != nil {
		n.rebinds++
		ip = netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + n.rebinds%250)})
	}
	back, err := open(netip.AddrPortFrom(ip, 0))
	if err != nil {
		return err
	}
	f.back = back
	n.backs = append(n.backs, back)
	n.readers.Go(func() { n.readServer(f, back) })
	return nil
}

// open opens a socket that tells of ECN.
func open(at netip.AddrPort) (*socket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, six: at.Addr().Is6()}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// isClosed reports whether an error is that of a socket which was closed.
func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
