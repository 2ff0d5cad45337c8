// Package memnet is a network in memory, for tests of event loops: its sockets
// take the place of UDP sockets and know no time but that of package time, so
// that they work in the bubbles of testing/synctest.
//
//	network := memnet.New(10 * time.Millisecond)
//	server := network.Listen(netip.MustParseAddrPort("192.0.2.1:443"))
//	client := network.Listen(netip.MustParseAddrPort("192.0.2.2:5000"))
package memnet

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
)

// Network carries datagrams between its sockets, each in the same time and in
// order unless it has a Weather. Its methods may be called from any goroutine.
type Network struct {
	mu      sync.Mutex
	delay   time.Duration
	sockets map[netip.AddrPort]*Socket
	drop    func(from, to netip.AddrPort, datagram []byte) bool
	weather *Weather
}

// New returns a network that delivers after delay.
func New(delay time.Duration) *Network {
	return &Network{delay: delay, sockets: make(map[netip.AddrPort]*Socket)}
}

// Delay changes after how long the network delivers what is sent from now on.
func (n *Network) Delay(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = d
}

// Drop makes the network lose the datagrams for which f returns true; nil means
// none. f may change the datagram but not keep it. It is called for one datagram
// at a time, in the order in which they were sent.
func (n *Network) Drop(f func(from, to netip.AddrPort, datagram []byte) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop = f
}

// Listen returns a socket at addr, which must be free.
func (n *Network) Listen(addr netip.AddrPort) *Socket {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sockets[addr] != nil {
		panic(fmt.Sprintf("memnet: %v is in use", addr))
	}
	s := &Socket{network: n, addr: addr, notify: make(chan struct{}, 1)}
	s.outside.Store(&addr)
	n.sockets[addr] = s
	return s
}

// Rebind gives the socket at the address old another one, which must be free, as a NAT that
// forgot it does to those behind it.
func (n *Network) Rebind(old, addr netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.sockets[old]
	if s == nil {
		panic(fmt.Sprintf("memnet: nobody is at %v", old))
	}
	if n.sockets[addr] != nil && addr != old {
		panic(fmt.Sprintf("memnet: %v is in use", addr))
	}
	delete(n.sockets, old)
	n.sockets[addr] = s
	s.outside.Store(&addr)
}

// carry takes datagrams from one socket to another.
func (n *Network) carry(from, to netip.AddrPort, data []byte, segment int, ecn uint8) {
	n.mu.Lock()
	defer n.mu.Unlock()
	dst := n.sockets[to]
	if dst == nil {
		return
	}
	if segment <= 0 || segment > len(data) {
		segment = len(data)
	}
	whole := udp.Message{Data: append([]byte(nil), data...), Segment: segment, Remote: from, Local: dst.addr.Addr(), ECN: ecn}
	if n.drop == nil && n.weather == nil {
		dst.deliver(whole, n.delay)
		return
	}
	for datagram := range whole.Datagrams() {
		if n.drop != nil && n.drop(from, to, datagram) {
			continue
		}
		one := whole
		one.Data, one.Segment = datagram, len(datagram)
		if n.weather != nil {
			n.weather.carry(dst, one, n.delay)
		} else {
			dst.deliver(one, n.delay)
		}
	}
}

func (n *Network) remove(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr := *s.outside.Load(); n.sockets[addr] == s {
		delete(n.sockets, addr)
	}
}

// Socket is a socket of a Network. It implements loop.Socket.
type Socket struct {
	network *Network
	addr    netip.AddrPort                 // as its owner sees it
	outside atomic.Pointer[netip.AddrPort] // as others see it
	notify  chan struct{}                  // tells the owner to look at the rest

	line line // with Weather; the Network's lock guards it

	mu      sync.Mutex
	inbox   []arrival     // the next first
	bound   int           // for how many bytes that have arrived there is room, 0 for any number
	given   []udp.Message // by the last Recv
	woken   bool
	closed  bool
	recvErr error
	sendErr error
	sends   uint64
}

// arrival is a message on its way.
type arrival struct {
	at  time.Time
	msg udp.Message
}

// maxMessages is how many messages Recv returns at most, as a UDP socket's.
const maxMessages = 8

// Sender is that of udp.Socket: any goroutine may send by the socket.
func (s *Socket) Sender() udp.Sender { return s }

// LocalAddr returns the socket's address.
func (s *Socket) LocalAddr() netip.AddrPort { return s.addr }

// Recv is as that of udp.Socket.
func (s *Socket) Recv(deadline time.Time) ([]udp.Message, error) {
	for {
		msgs, until, err := s.look(deadline)
		if len(msgs) > 0 || err != nil || !until.IsZero() && !until.After(time.Now()) {
			return msgs, err
		}
		s.sleep(until)
	}
}

// TryRecv is as that of udp.Socket.
func (s *Socket) TryRecv() ([]udp.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(), s.err()
}

// look returns what has arrived, or when to look again, zero for never.
func (s *Socket) look(deadline time.Time) (msgs []udp.Message, until time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	msgs = s.take()
	until = deadline
	if s.woken {
		s.woken = false
		until = time.Now()
	} else if len(s.inbox) > 0 && (until.IsZero() || s.inbox[0].at.Before(until)) {
		until = s.inbox[0].at
	}
	return msgs, until, s.err()
}

func (s *Socket) sleep(until time.Time) {
	if until.IsZero() {
		<-s.notify
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-s.notify:
	case <-timer.C:
	}
}

// Bound makes the socket lose what there is no room for when it arrives, as a kernel
// does whose buffer has so many bytes.
func (s *Socket) Bound(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bound = bytes
}

// overflow loses what there was no room for; the lock is held.
func (s *Socket) overflow(now time.Time) {
	if s.bound == 0 {
		return
	}
	size, kept := 0, s.inbox[:0]
	for i, a := range s.inbox {
		if a.at.After(now) {
			kept = append(kept, s.inbox[i:]...)
			break
		}
		if size+len(a.msg.Data) <= s.bound {
			size += len(a.msg.Data)
			kept = append(kept, a)
		}
	}
	s.inbox = kept
}

// take returns the messages that have arrived; the lock is held. Those returned before
// are valid no more: they are overwritten, so that nobody gets away with using them.
func (s *Socket) take() []udp.Message {
	for _, m := range s.given {
		for i := range m.Data {
			m.Data[i] = 0xee
		}
	}
	var msgs []udp.Message
	now := time.Now()
	s.overflow(now)
	for len(s.inbox) > 0 && len(msgs) < maxMessages && !s.inbox[0].at.After(now) {
		msgs = append(msgs, s.inbox[0].msg)
		s.inbox = s.inbox[1:]
	}
	s.given = msgs
	return msgs
}

func (s *Socket) err() error {
	if s.closed {
		return net.ErrClosed
	}
	return s.recvErr
}

// deliver makes m arrive after delay, behind what arrives at the same time.
func (s *Socket) deliver(m udp.Message, delay time.Duration) {
	s.mu.Lock()
	at := time.Now().Add(delay)
	i := len(s.inbox)
	for i > 0 && s.inbox[i-1].at.After(at) {
		i--
	}
	s.inbox = slices.Insert(s.inbox, i, arrival{at, m})
	s.mu.Unlock()
	s.tell()
}

func (s *Socket) tell() {
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

// Send is as that of udp.Socket. from is ignored: a socket has one address.
func (s *Socket) Send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error {
	s.mu.Lock()
	err := s.sendErr
	if s.closed {
		err = net.ErrClosed
	}
	s.sends++
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.network.carry(*s.outside.Load(), to, data, segment, ecn)
	return nil
}

// Wake is as that of udp.Socket.
func (s *Socket) Wake() {
	s.mu.Lock()
	s.woken = true
	s.mu.Unlock()
	s.tell()
}

// Stats returns the number of calls of Send as SendCalls.
func (s *Socket) Stats() udp.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return udp.Stats{SendCalls: s.sends}
}

// FailSends makes Send return err from now on, unless it is nil.
func (s *Socket) FailSends(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendErr = err
}

// FailReceives makes Recv return err from now on.
func (s *Socket) FailReceives(err error) {
	s.mu.Lock()
	s.recvErr = err
	s.mu.Unlock()
	s.tell()
}

// Close is as that of udp.Socket.
func (s *Socket) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.network.remove(s)
	s.tell()
	return nil
}
