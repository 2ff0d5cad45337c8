package main

import (
	"net"
	"net/netip"
)

// relay passes datagrams between clients and a server. Each client has a socket
// of its own towards the server, which thereby tells them apart.
type relay struct {
	front   *net.UDPConn // that clients send to
	server  netip.AddrPort
	link    link
	clients map[netip.AddrPort]*lane // from the client to the server
}

func newRelay(front *net.UDPConn, server netip.AddrPort, l link) *relay {
	return &relay{front: front, server: server, link: l, clients: make(map[netip.AddrPort]*lane)}
}

// maxDatagram is the largest that UDP carries, in bytes.
const maxDatagram = 65535

// run passes on what clients send until the front socket is closed, and returns
// its error.
func (r *relay) run() error {
	buf := make([]byte, maxDatagram)
	for {
		n, client, err := r.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		lane := r.clients[client]
		if lane == nil {
			if lane, err = r.admit(client); err != nil {
				return err
			}
			r.clients[client] = lane
		}
		lane.add(buf[:n])
	}
}

// admit makes both lanes for a new client.
func (r *relay) admit(client netip.AddrPort) (*lane, error) {
	back, err := listen()
	if err != nil {
		return nil, err
	}
	number := uint64(len(r.clients))
	up := newLane(r.link, 2*number, func(b []byte) { _, _ = back.WriteToUDPAddrPort(b, r.server) })
	down := newLane(r.link, 2*number+1, func(b []byte) { _, _ = r.front.WriteToUDPAddrPort(b, client) })
	go func() {
		buf := make([]byte, maxDatagram)
		for {
			n, _, err := back.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			down.add(buf[:n])
		}
	}()
	return up, nil
}
