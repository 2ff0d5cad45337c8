package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Dialing says where connections lead. The zero value asks the system's resolver.
type Dialing struct {
	// Family is 4 or 6 for addresses of this kind only, 0 for both.
	Family int

	resolve   []pinned
	connectTo []detour
}

// pinned are the addresses of a host and port, as --resolve gives them.
type pinned struct {
	host, port string // "*" is any host
	addrs      []netip.Addr
}

// detour leads from a host and port to others, as --connect-to gives them.
type detour struct{ fromHost, fromPort, toHost, toPort string } // empty ones are any, or stay

// AddResolve takes "host:port:address[,address…]", as curl's --resolve has it; a host of *
// is any. A + before the host, with which curl lets such an entry time out, changes nothing.
func (d *Dialing) AddResolve(text string) error {
	host, rest, ok := cutHost(strings.TrimPrefix(text, "+"))
	port, list, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || host == "" || !isPort(port) {
		return fmt.Errorf("%q is not like example.org:443:127.0.0.1", text)
	}
	p := pinned{host: strings.ToLower(host), port: port}
	for _, item := range strings.Split(list, ",") {
		addr, err := netip.ParseAddr(strings.Trim(item, "[]"))
		if err != nil {
			return fmt.Errorf("%q: %q is not an address", text, item)
		}
		p.addrs = append(p.addrs, addr.Unmap())
	}
	d.resolve = append(d.resolve, p)
	return nil
}

// AddConnectTo takes "host1:port1:host2:port2", as curl's --connect-to has it: what is for
// the first is sent to the second. Any of the four may be empty.
func (d *Dialing) AddConnectTo(text string) error {
	var c detour
	var rest string
	var ok bool
	if c.fromHost, rest, ok = cutHost(text); ok {
		if c.fromPort, rest, ok = strings.Cut(rest, ":"); ok {
			c.toHost, c.toPort, ok = cutHost(rest)
		}
	}
	if !ok || c.fromPort != "" && !isPort(c.fromPort) || c.toPort != "" && !isPort(c.toPort) {
		return fmt.Errorf("%q is not like example.org:443:localhost:4433", text)
	}
	d.connectTo = append(d.connectTo, c)
	return nil
}

// cutHost cuts a host from what follows its colon; an IPv6 address has brackets around it.
func cutHost(text string) (host, rest string, ok bool) {
	if strings.HasPrefix(text, "[") {
		host, rest, ok = strings.Cut(text[1:], "]:")
		return host, rest, ok
	}
	return strings.Cut(text, ":")
}

func isPort(text string) bool {
	port, err := net.LookupPort("tcp", text)
	return err == nil && port > 0 && text[0] >= '0' && text[0] <= '9'
}

// Plain reports whether connections lead to where their origins say.
func (d *Dialing) Plain() bool { return len(d.resolve) == 0 && len(d.connectTo) == 0 }

// target returns where "host:port" leads, "host:port" again.
func (d *Dialing) target(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	for _, c := range d.connectTo {
		if (c.fromHost == "" || strings.EqualFold(c.fromHost, host)) && (c.fromPort == "" || c.fromPort == port) {
			if c.toHost != "" {
				host = c.toHost
			}
			if c.toPort != "" {
				port = c.toPort
			}
			break
		}
	}
	return net.JoinHostPort(host, port)
}

// pins returns the addresses that --resolve gives a host and port. The last entry counts.
func (d *Dialing) pins(host, port string) ([]netip.Addr, error) {
	for i := len(d.resolve) - 1; i >= 0; i-- {
		p := d.resolve[i]
		if p.port == port && (p.host == "*" || strings.EqualFold(p.host, host)) {
			return d.ofFamily(host, p.addrs)
		}
	}
	return nil, nil
}

// ofFamily returns the addresses of the family that is wanted.
func (d *Dialing) ofFamily(host string, addrs []netip.Addr) ([]netip.Addr, error) {
	if d.Family == 0 {
		return addrs, nil
	}
	var fit []netip.Addr
	for _, addr := range addrs {
		if addr.Is4() == (d.Family == 4) {
			fit = append(fit, addr)
		}
	}
	if len(fit) == 0 {
		return nil, &net.DNSError{Err: fmt.Sprintf("no address of IPv%d", d.Family), Name: host, IsNotFound: true}
	}
	return fit, nil
}

// lookupHost is for quic.Config.LookupHost: the system's resolver, for one family.
func (d *Dialing) lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return d.ofFamily(host, []netip.Addr{addr.Unmap()})
	}
	return net.DefaultResolver.LookupNetIP(ctx, fmt.Sprintf("ip%d", d.Family), host)
}

// Route returns where to dial for an origin over QUIC, "host:port". Of several addresses
// that --resolve gives, it is the first.
func (d *Dialing) Route(origin string) (string, error) {
	addr := d.target(origin)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	addrs, err := d.pins(host, port)
	if err != nil || len(addrs) == 0 {
		return addr, err
	}
	return net.JoinHostPort(addrs[0].String(), port), nil
}

// DialTCP connects to where "host:port" leads.
func (d *Dialing) DialTCP(ctx context.Context, addr string) (net.Conn, error) {
	network := "tcp"
	if d.Family != 0 {
		network = fmt.Sprintf("tcp%d", d.Family)
	}
	addr = d.target(addr)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	addrs, err := d.pins(host, port)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	if len(addrs) == 0 {
		return dialer.DialContext(ctx, network, addr)
	}
	var errs []error
	for _, ip := range addrs {
		c, err := dialer.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
