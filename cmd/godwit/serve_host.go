package main

import (
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
)

// onlyNamed refuses requests for a name that none of the certificates is for (421, RFC 9110,
// Section 15.5.20): a page of somebody else's whose name leads to this machine all of a
// sudden (DNS rebinding) gets nothing, even of a client that accepts any certificate.
// Addresses cannot be made to lead elsewhere, and are served.
func onlyNamed(leaves func() []*x509.Certificate, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if _, err := netip.ParseAddr(trimBrackets(host)); err != nil && !anyNamed(leaves(), host) {
			http.Error(w, "the server's certificate is not for this name", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// trimBrackets returns an IPv6 address as it is without a port after it.
func trimBrackets(host string) string {
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
