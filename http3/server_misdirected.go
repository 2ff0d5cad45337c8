package http3

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
)

// verdict is what was found out about requests for one host.
type verdict struct {
	host        string
	misdirected bool
}

// isMisdirected reports whether a request is for a host that its connection does not
// stand for (RFC 9110, Section 15.5.20): where TLS is configured by name
// (tls.Config.GetConfigForClient), clients that share a connection for several hosts
// (RFC 9114, Section 3.3) must not get around what the host's own configuration asks
// for. It is called in a handler's goroutine, as the user's callbacks may block.
func (x *exchange) isMisdirected() bool {
	choose := x.conn.srv.tlsConf.GetConfigForClient
	if choose == nil || x.req.Method == http.MethodConnect && Protocol(x.req) == "" {
		return false
	}
	host, name := hostname(x.req.Host), x.conn.tls.Load().ServerName
	if strings.EqualFold(host, name) {
		return false
	}
	last := x.conn.strange.Load()
	if last == nil || last.host != host {
		last = &verdict{host, x.conn.standsNotFor(host, name)}
		x.conn.strange.Store(last)
	}
	return last.misdirected
}

// hostname returns the host of an authority as clients name it in TLS: without a port,
// and nothing for an IP address (RFC 6066, Section 3).
func hostname(authority string) string {
	host, _, err := net.SplitHostPort(authority)
	if err != nil {
		host = strings.Trim(authority, "[]")
	}
	if net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// standsNotFor reports whether a connection for name must not be used for host: its
// certificate is for others, or clients have to authenticate in another way there. What
// cannot be found out counts as a yes.
func (c *serverConn) standsNotFor(host, name string) (misdirected bool) {
	defer func() {
		if recover() != nil {
			misdirected = true // a callback that wants more of a handshake than there is
		}
	}()
	here, err := c.configFor(name)
	if err != nil {
		return true
	}
	there, err := c.configFor(host)
	if err != nil {
		return true
	}
	switch {
	case here == there:
		return false // the user has one for both, and knows why
	case here.ClientAuth != there.ClientAuth:
		return true
	case here.ClientAuth != tls.NoClientCert && here.ClientCAs != there.ClientCAs && !here.ClientCAs.Equal(there.ClientCAs):
		return true
	}
	leaf := leafFor(here, c.helloFor(name))
	return leaf == nil || leaf.VerifyHostname(host) != nil
}

// configFor returns the configuration that a handshake for a name would have.
func (c *serverConn) configFor(name string) (*tls.Config, error) {
	base := c.srv.tlsConf
	conf, err := base.GetConfigForClient(c.helloFor(name))
	if conf == nil {
		conf = base
	}
	return conf, err
}

// helloFor is the beginning of such a handshake.
func (c *serverConn) helloFor(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		CipherSuites:      []uint16{c.tls.Load().CipherSuite},
		ServerName:        name,
		SignatureSchemes:  []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.Ed25519, tls.ECDSAWithP384AndSHA384, tls.PSSWithSHA384, tls.ECDSAWithP521AndSHA512, tls.PSSWithSHA512},
		SupportedProtos:   []string{h3.NextProto},
		SupportedVersions: []uint16{tls.VersionTLS13},
		Conn:              attachedConn{c.qc},
	}
}

// leafFor returns the certificate that crypto/tls would present, nil if there is none.
func leafFor(conf *tls.Config, hello *tls.ClientHelloInfo) *x509.Certificate {
	var cert *tls.Certificate
	if conf.GetCertificate != nil && (len(conf.Certificates) == 0 || hello.ServerName != "") {
		cert, _ = conf.GetCertificate(hello)
	}
	for i := range conf.Certificates {
		if cert == nil && hello.SupportsCertificate(&conf.Certificates[i]) == nil {
			cert = &conf.Certificates[i]
		}
	}
	if cert == nil && len(conf.Certificates) > 0 {
		cert = &conf.Certificates[0]
	}
	switch {
	case cert == nil || len(cert.Certificate) == 0:
		return nil
	case cert.Leaf != nil:
		return cert.Leaf
	}
	leaf, _ := x509.ParseCertificate(cert.Certificate[0])
	return leaf
}
