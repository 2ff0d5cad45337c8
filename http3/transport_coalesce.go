package http3

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/godwit-quic/godwit/internal/lookup"
	"github.com/godwit-quic/godwit/quic"
)

// maxCoalesceScan is the largest number of origins among whose connections one for
// another origin is looked for: to look through more costs more than it saves.
const maxCoalesceScan = 256

// coalesces reports whether origins may share connections. They must not when who
// a server is was not made sure of by its certificate, and in the usual way, or when it is
// not at its origin's address.
func (t *Transport) coalesces() bool {
	c := t.TLSClientConfig
	return !t.DisableCoalescing && t.Route == nil &&
		(c == nil || c.ServerName == "" && !c.InsecureSkipVerify && c.VerifyConnection == nil && c.VerifyPeerCertificate == nil)
}

// coalesce lets an origin share the connection of another, if the server is the
// origin's as well (RFC 9114, Section 3.3): it has a certificate for the origin's
// host, and the host's addresses are those of the server. It reports whether there
// is such a connection.
func (t *Transport) coalesce(ctx context.Context, addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !t.coalesces() {
		return false
	}
	target, port, err := net.SplitHostPort(t.routed(addr))
	if err != nil {
		return false
	}
	conns := t.authoritative(addr, host)
	if len(conns) == 0 {
		return false
	}
	look := lookup.IPs
	if t.QUICConfig != nil && t.QUICConfig.LookupHost != nil {
		look = t.QUICConfig.LookupHost
	}
	ips, err := look(ctx, target)
	if err != nil {
		return false // dialling will say what is wrong
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, cc := range conns {
		if cc.gone || !isAt(cc.qc, ips, port) {
			continue
		}
		if o := t.origin(addr); len(o.conns) == 0 {
			o.conns = append(o.conns, cc)
			cc.origins = append(cc.origins, addr)
		}
		return true
	}
	return false
}

// authoritative returns connections of other origins whose servers have a
// certificate for a host. The certificates were verified when connecting, but for
// the host's name.
func (t *Transport) authoritative(addr, host string) (conns []*clientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.misdirected[addr] || len(t.pool) > maxCoalesceScan {
		return nil
	}
	for _, o := range t.pool {
		if len(o.conns) > 0 && o.conns[0].standsFor(host) {
			conns = append(conns, o.conns[0])
		}
	}
	return conns
}

// standsFor reports whether the server has shown a certificate for a host.
func (c *clientConn) standsFor(host string) bool {
	certs := c.tls.Load().PeerCertificates // none before the handshake is complete
	return len(certs) > 0 && certs[0].VerifyHostname(host) == nil
}

// isAt reports whether a connection goes to a port of one of the addresses.
func isAt(qc *quic.Conn, ips []netip.Addr, port string) bool {
	remote, ok := qc.RemoteAddr().(*net.UDPAddr)
	if !ok || strconv.Itoa(remote.Port) != port {
		return false
	}
	ip := remote.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(ips, func(other netip.Addr) bool { return other.Unmap() == ip })
}

// separate takes note of a response that says that the connection is not the
// origin's (RFC 9110, Section 15.5.20). The origin gets one of its own from now on.
func (t *Transport) separate(addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.misdirected == nil {
		t.misdirected = make(map[string]bool)
	}
	t.misdirected[addr] = true
	if o := t.pool[addr]; o != nil {
		for _, cc := range slices.Clone(o.conns) {
			if cc.addr != addr {
				cc.origins = slices.DeleteFunc(cc.origins, func(s string) bool { return s == addr })
				o.drop(cc)
			}
		}
		t.dialMore(o)
		t.tidy(o)
	}
}
