package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// Listen opens a socket on addr, "host:port" as for net.Listen: an empty host
// means every address of the machine in both IP families where the system can,
// port 0 a free port of the kernel's choice, and a name is resolved. "0.0.0.0"
// means IPv4 only.
//
// The error says what to do about it and wraps the system's.
func Listen(addr string, cfg Config) (*Socket, error) {
	conn, err := openConn(addr, cfg)
	if err != nil {
		return nil, listenError(addr, err)
	}
	s, err := useUDP(conn, cfg)
	if err != nil {
		conn.Close()
	}
	return s, err
}

// Use makes a Socket of what is open already, and owns it from then on unless it returns
// an error. A *net.UDPConn has all of the system's facilities, and must not be connected.
// Anything else carries one datagram a call, without ECN; it must end its ReadFrom when it
// is closed, and addresses that are no *net.UDPAddr have stand-ins: see NetAddr.
func Use(conn net.PacketConn, cfg Config) (*Socket, error) {
	if c, ok := conn.(*net.UDPConn); ok {
		if c.RemoteAddr() != nil {
			return nil, errors.New("udp: the socket is connected: it would take datagrams of one address only")
		}
		// What is waited for is nobody else's business any more.
		if err := c.SetDeadline(time.Time{}); err != nil {
			return nil, err
		}
		return useUDP(c, cfg)
	}
	_ = conn.SetDeadline(time.Time{}) // it need not have deadlines
	s := &Socket{count: new(counters), names: newNames(conn.LocalAddr())}
	s.local = s.names.local
	s.backend = startPlain(packetCarrier{conn, s.names}, nil, s.local.Addr(), s.count)
	return s, nil
}

// useUDP takes over conn, unless it returns an error.
func useUDP(conn *net.UDPConn, cfg Config) (*Socket, error) {
	cfg = cfg.withDefaults()
	count, local := new(counters), localAddr(conn)
	b, err := newBackend(conn, cfg, count)
	if err != nil {
		return nil, fmt.Errorf("udp: cannot set up the socket on %s: %w", local, err)
	}
	warnBuffers(cfg, count)
	return &Socket{backend: b, local: local, count: count}, nil
}

// openConn binds a socket with the options that must come before binding.
func openConn(addr string, cfg Config) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(network, address string, raw syscall.RawConn) error {
		if cfg.ReusePort {
			var optErr error
			err := raw.Control(func(fd uintptr) { optErr = setReusePort(fd) })
			if err := errors.Join(err, optErr); err != nil {
				return err
			}
		}
		if cfg.Control != nil {
			return cfg.Control(network, address, raw)
		}
		return nil
	}}
	conn, err := lc.ListenPacket(context.Background(), networkOf(addr), addr)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// networkOf returns the network to name to package net, which would turn
// 0.0.0.0 into a socket for both families.
func networkOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "udp" // package net has the better error
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		return "udp4"
	}
	return "udp"
}

// localAddr returns the bound address of conn in the form of Message.Remote.
func localAddr(conn *net.UDPConn) netip.AddrPort {
	a := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// listenError says which address failed and, for the usual causes, the remedy.
func listenError(addr string, err error) error {
	remedy := ""
	switch {
	case errors.Is(err, errInUse):
		remedy = " (another program has this port: stop it or choose another port)"
	case errors.Is(err, errAccess):
		remedy = " (ports below 1024 need a privilege: choose a higher one, or grant CAP_NET_BIND_SERVICE)"
	case errors.Is(err, errNotAvailable):
		remedy = " (no interface of this machine has this address)"
	}
	return fmt.Errorf("udp: cannot listen on %s: %w%s", addr, err, remedy)
}
