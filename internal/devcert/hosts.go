package devcert

import (
	"crypto/x509"
	"fmt"
	"net"
	"regexp"
)

// maxHostName is the longest name in the DNS, in bytes without the last dot
// (RFC 1035, Section 2.3.4).
const maxHostName = 253

// hostName is what a name in a certificate may look like: labels of the DNS, the
// first of which may be a wildcard (RFC 6125, Section 6.4.3).
var hostName = regexp.MustCompile(`^(\*\.)?([0-9A-Za-z_]([0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?\.)*[0-9A-Za-z_]([0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?$`)

// splitHosts tells names from IP addresses.
func splitHosts(hosts []string) (names []string, addresses []net.IP, err error) {
	for _, host := range hosts {
		ip := net.ParseIP(host)
		switch {
		case ip != nil:
			addresses = append(addresses, ip)
		case len(host) <= maxHostName && hostName.MatchString(host):
			names = append(names, host)
		default:
			return nil, nil, fmt.Errorf("%q is neither a host name nor an IP address; give the host alone, in ASCII, without scheme or port", host)
		}
	}
	return names, addresses, nil
}

// Hosts returns the names and IP addresses that a certificate is for, as Make
// takes them.
func Hosts(leaf *x509.Certificate) []string {
	hosts := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}
