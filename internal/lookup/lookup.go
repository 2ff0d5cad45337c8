// Package lookup finds the addresses of hosts, with the zones of IPv6's link-local
// ones, which net.Resolver.LookupNetIP leaves out.
//
//	ips, err := lookup.IPs(ctx, "fe80::1%eth0")
package lookup

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// IPs returns the addresses of a host, a name or an address, IPv4 ones as such.
// A zone is the name of an interface of this machine, whatever it was written as, or
// an error; only link-local addresses have one (RFC 4007, Section 6).
func IPs(ctx context.Context, host string) ([]netip.Addr, error) {
	found, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	ips := make([]netip.Addr, 0, len(found))
	for _, f := range found {
		ip, ok := netip.AddrFromSlice(f.IP)
		if !ok {
			continue
		}
		ip = ip.Unmap()
		if f.Zone != "" {
			zone, err := zoneName(f.Zone)
			if err != nil {
				return nil, fmt.Errorf("%s: zone %q: %w", host, f.Zone, err)
			}
			if ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsInterfaceLocalMulticast() {
				ip = ip.WithZone(zone)
			}
		}
		ips = append(ips, ip)
	}
	return ips, nil
}

// zoneName returns the name of the interface that a zone names or numbers.
func zoneName(zone string) (string, error) {
	ifi, err := net.InterfaceByName(zone)
	if index, notNumber := strconv.Atoi(zone); err != nil && notNumber == nil {
		ifi, err = net.InterfaceByIndex(index)
	}
	if err != nil {
		return "", err
	}
	return ifi.Name, nil
}
