package quic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/lookup"
)

const (
	// attemptDelay is how long an attempt at an address runs before the next
	// address is tried beside it (RFC 8305, Section 8).
	attemptDelay = 250 * time.Millisecond
	// loopbackDelay is that for this machine's own addresses, where an answer
	// takes no time: "localhost" has two, and servers often only one of them.
	loopbackDelay = 20 * time.Millisecond
	// maxAttempts bounds the addresses tried: a name may have very many.
	maxAttempts = 8
)

// resolve returns the host of an address to dial, and what to try, in that order.
func (t *Transport) resolve(ctx context.Context, addr string, conf *Config) (host string, remotes []netip.AddrPort, err error) {
	if remote, ok := t.workers[0].Named(addr); ok {
		return "", []netip.AddrPort{remote}, nil
	}
	return resolve(ctx, addr, t.workers[0].LocalAddr().Addr(), conf.lookupHost())
}

// resolve returns the host of addr and the addresses to try in that order, of
// the families that a socket bound to local can send to.
func resolve(ctx context.Context, addr string, local netip.Addr, look func(context.Context, string) ([]netip.Addr, error)) (host string, remotes []netip.AddrPort, err error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return "", nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return "", nil, err
	}
	if host == "" {
		host = "localhost" // as in package net: this machine
	}
	ips, err := look(ctx, host)
	if err != nil {
		return "", nil, err
	}
	for _, ip := range interleave(ips) {
		if reaches(local, ip) && len(remotes) < maxAttempts {
			remotes = append(remotes, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(remotes) == 0 {
		return "", nil, fmt.Errorf("%s has no address that a socket on %v can send to", host, local)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").String() // certificates know no zones
	}
	return host, remotes, nil
}

// reaches reports whether a socket bound to local can send to ip. One that is
// bound to every IPv6 address takes IPv4, too, and what says nothing of itself anything.
func reaches(local, ip netip.Addr) bool {
	if !local.IsValid() {
		return true
	}
	if local.Is4() || !local.IsUnspecified() {
		return local.Is4() == ip.Is4()
	}
	return true
}

// lookupHost returns what finds the addresses of hosts.
func (conf *Config) lookupHost() func(context.Context, string) ([]netip.Addr, error) {
	if conf.LookupHost != nil {
		return conf.LookupHost
	}
	return lookup.IPs
}

// interleave returns ips with the two families in turns, each in its order, so
// that a broken family costs one attempt (RFC 8305, Section 4).
func interleave(ips []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr // the first address's, and the other
	for _, ip := range ips {
		ip = ip.Unmap()
		i := 0
		if ip.Is4() != ips[0].Unmap().Is4() {
			i = 1
		}
		families[i] = append(families[i], ip)
	}
	out := make([]netip.Addr, 0, len(ips))
	for i := range max(len(families[0]), len(families[1])) {
		for _, family := range families {
			if i < len(family) {
				out = append(out, family[i])
			}
		}
	}
	return out
}

// race calls connect for each address, the next when one has failed or takes
// long, and returns the first connection; other attempts are given up. The
// error is that of the address tried first. connect is to call slow, on any goroutine, when
// the attempt has taken delayAfter its address.
func race(ctx context.Context, remotes []netip.AddrPort, connect func(ctx context.Context, remote netip.AddrPort, slow func()) (*Conn, error)) (*Conn, error) {
	if len(remotes) == 1 {
		return connect(ctx, remotes[0], nil)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errLostRace)
	type outcome struct {
		conn  *Conn
		err   error
		index int
	}
	outcomes := make(chan outcome)
	slow := make(chan int, len(remotes)) // attempts, which say so once
	errs := make([]error, len(remotes))
	started, running := 0, 0
	start := func() {
		i := started
		started, running = started+1, running+1
		go func() {
			conn, err := connect(ctx, remotes[i], func() { slow <- i })
			outcomes <- outcome{conn, err, i}
		}()
	}
	start()
	for {
		select {
		case i := <-slow:
			if i == started-1 && started < len(remotes) {
				start()
			}
		case o := <-outcomes:
			running--
			if o.err == nil {
				go func() { // collect those who lost
					for ; running > 0; running-- {
						if late := <-outcomes; late.conn != nil {
							late.conn.CloseWithError(0, "")
						}
					}
				}()
				return o.conn, nil
			}
			errs[o.index] = o.err
			if started < len(remotes) && ctx.Err() == nil {
				start()
			} else if running == 0 {
				return nil, errs[0]
			}
		}
	}
}

// errLostRace is why an attempt was given up that another one was faster than.
var errLostRace = errors.New("another address answered first")

func delayAfter(tried netip.AddrPort) time.Duration {
	if tried.Addr().IsLoopback() {
		return loopbackDelay
	}
	return attemptDelay
}
