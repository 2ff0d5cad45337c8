package main

import (
	"net"
	"sync"
	"sync/atomic"
)

// relay is the network between one client and the server: it can give the client
// another address, as a NAT does that has forgotten it, and it can be gone.
type relay struct {
	server *net.UDPAddr
	front  *net.UDPConn // where the client sends to
	client atomic.Pointer[net.UDPAddr]
	back   atomic.Pointer[net.UDPConn] // where the server sends to
	copies sync.WaitGroup
}

// relayBuffer is the size of the sockets' buffers: about a window.
const relayBuffer = 1 << 20

func newRelay(server string) (*relay, error) {
	addr, err := net.ResolveUDPAddr("udp4", server)
	if err != nil {
		return nil, err
	}
	r := &relay{server: addr}
	if r.front, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		return nil, err
	}
	_ = r.front.SetReadBuffer(relayBuffer) // with less, more is lost
	if err := r.move(net.IPv4(127, 0, 0, 1)); err != nil {
		r.front.Close()
		return nil, err
	}
	r.copies.Go(r.forward)
	return r, nil
}

// addr is what the client takes for the server.
func (r *relay) addr() string { return r.front.LocalAddr().String() }

// move gives the client another port, of any address of loopback. What is on its way to
// the old one is lost. It must not be called after close.
func (r *relay) move(to net.IP) error {
	back, err := net.DialUDP("udp4", &net.UDPAddr{IP: to}, r.server)
	if err != nil {
		return err
	}
	_ = back.SetReadBuffer(relayBuffer)
	if old := r.back.Swap(back); old != nil {
		old.Close()
	}
	r.copies.Go(func() { r.backward(back) })
	return nil
}

// forward passes on what the client sends.
func (r *relay) forward() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := r.front.ReadFromUDP(buf)
		if err != nil {
			return
		}
		r.client.Store(from)
		_, _ = r.back.Load().Write(buf[:n]) // what cannot be sent is lost
	}
}

// backward passes on what the server sends.
func (r *relay) backward(back *net.UDPConn) {
	buf := make([]byte, 1<<16)
	for {
		n, err := back.Read(buf)
		if err != nil {
			return
		}
		if client := r.client.Load(); client != nil {
			_, _ = r.front.WriteToUDP(buf[:n], client)
		}
	}
}

// close has the client vanish: nothing passes any more.
func (r *relay) close() {
	r.front.Close()
	r.back.Load().Close()
	r.copies.Wait()
}
