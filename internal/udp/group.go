package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/bpf"
)

// Group is sockets that share one address: the kernel gives each datagram to
// one of them.
type Group struct {
	Sockets []*Socket
	// Steered says that the filter chooses. Otherwise the kernel goes by a hash
	// of the addresses.
	Steered bool
}

// ListenGroup is Listen for n sockets on one address. steer is a classic BPF
// program that sees a datagram from its UDP payload on and returns the index of
// the socket to get it; for any other number the kernel goes by a hash of the
// addresses. Several sockets are a matter of Linux: elsewhere n must be 1.
func ListenGroup(addr string, n int, steer []bpf.Instruction, cfg Config) (*Group, error) {
	if n == 1 {
		s, err := Listen(addr, cfg)
		if err != nil {
			return nil, err
		}
		return &Group{Sockets: []*Socket{s}}, nil
	}
	g := &Group{}
	if err := g.open(addr, n, cfg); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	g.steer(steer)
	return g, nil
}

// UseGroup is Use for sockets that share one address, and that have been bound in that
// order. steer is as ListenGroup has it.
func UseGroup(conns []net.PacketConn, steer []bpf.Instruction, cfg Config) (*Group, error) {
	g := &Group{}
	for _, conn := range conns {
		s, err := Use(conn, cfg)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		cfg.Logger = nil // what it would say has been said
		g.Sockets = append(g.Sockets, s)
	}
	if len(conns) > 1 {
		g.steer(steer)
	}
	return g, nil
}

// steer attaches the filter. Without it everything works, only less well.
func (g *Group) steer(steer []bpf.Instruction) {
	if program, err := bpf.Assemble(steer); err == nil {
		g.Steered = g.Sockets[0].withDescriptor(func(fd uintptr) error { return attachSteering(fd, program) }) == nil
	}
}

// open binds the sockets. The first one does not share while it binds, so that
// an address that somebody else has, sharing or not, is noticed.
func (g *Group) open(addr string, n int, cfg Config) error {
	for i := range n {
		if i == 1 {
			if err := g.Sockets[0].withDescriptor(setReusePort); err != nil {
				return fmt.Errorf("udp: %d sockets on %s: %w", n, addr, err)
			}
			host, _, err := net.SplitHostPort(addr)
			if err != nil {
				return err
			}
			addr = net.JoinHostPort(host, fmt.Sprint(g.Sockets[0].local.Port()))
			cfg.ReusePort = true
			cfg.Logger = nil // what it would say has been said
		}
		s, err := Listen(addr, cfg)
		if err != nil {
			return err
		}
		g.Sockets = append(g.Sockets, s)
	}
	return nil
}

// Close closes all sockets.
func (g *Group) Close() (err error) {
	for _, s := range g.Sockets {
		err = errors.Join(err, s.Close())
	}
	return err
}

// LocalAddr returns the address the sockets share.
func (g *Group) LocalAddr() netip.AddrPort { return g.Sockets[0].local }

// withDescriptor calls f with the socket's descriptor.
func (s *Socket) withDescriptor(f func(fd uintptr) error) error {
	var inner error
	if err := s.control(func(fd uintptr) { inner = f(fd) }); err != nil {
		return err
	}
	return inner
}
