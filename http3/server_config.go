package http3

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// quicConfig is the user's configuration with what HTTP/3 needs, and what makes the
// handlers of connections. base returns what the requests' contexts derive from, nil
// for nothing; it may block.
func (s *Server) quicConfig(base func() context.Context) (*quic.Config, func(event.Turn) event.Handler) {
	conf := cloneQUIC(s.QUICConfig)
	if conf.MaxIncomingStreams == 0 {
		conf.MaxIncomingStreams = defaultMaxConcurrentRequests
	}
	if conf.MaxIdleTimeout == 0 && s.idleTimeout() > defaultMaxIdleTimeout {
		conf.MaxIdleTimeout = s.idleTimeout()
	}
	conf.EnableDatagrams = conf.EnableDatagrams || s.datagrams()
	if conf.Allow0RTT {
		conf.EarlyState = s.earlyState(conf.EarlyState)
	}
	maxHandlers := int32(min(handlersPerStream*max(conf.MaxIncomingStreams, 0), math.MaxInt32))
	return conf, func(t event.Turn) event.Handler { return s.newConn(t, maxHandlers, base) }
}

// earlyState is what must be as it was for early data to be accepted: the settings, those of
// the extension among them, which clients may remember (RFC 9114, Section 7.2.4.2), and what
// the user says, which may take all the room there is.
func (s *Server) earlyState(user []byte) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "HTTP/3 %+v %q %q", s.settings(), s.extensionState, user))
	return sum[:]
}

// check returns why the server cannot listen: it has been shut down or closed, or its
// settings cannot work.
func (s *Server) check() error {
	if s.closing.Load() {
		return http.ErrServerClosed
	}
	return cmp.Or(
		notNegative("Server.MaxHeaderBytes", s.MaxHeaderBytes),
		notNegative("Server.MaxHeaderValueCount", s.MaxHeaderValueCount),
		notNegative("Server.MinReadRate", s.MinReadRate),
		notNegative("Server.MinWriteRate", s.MinWriteRate),
		s.extensionErr,
	)
}

// notNegative refuses a field's value that means nothing.
func notNegative[T int | int64 | time.Duration](field string, v T) error {
	if v < 0 {
		return fmt.Errorf("http3: %s is negative: %v", field, v)
	}
	return nil
}

// transportConfig is the user's configuration of sockets.
func (s *Server) transportConfig() *quic.TransportConfig {
	var conf quic.TransportConfig
	if s.QUICTransportConfig != nil {
		conf = *s.QUICTransportConfig
	}
	if conf.Logger == nil {
		conf.Logger = s.logger()
	}
	return &conf
}

// datagrams reports whether HTTP datagrams are enabled.
func (s *Server) datagrams() bool { return s.EnableDatagrams || s.extension != nil }

// cloneQUIC copies a configuration and sets what is the same for both roles.
func cloneQUIC(conf *quic.Config) *quic.Config {
	var c quic.Config
	if conf != nil {
		c = *conf
	}
	if c.MaxIncomingUniStreams == 0 {
		c.MaxIncomingUniStreams = maxUniStreams
	}
	c.MaxIncomingUniStreams = max(c.MaxIncomingUniStreams, minUniStreams)
	return &c
}

// tlsConfig is the user's configuration for an address, with a certificate for
// development when it has none and nobody else can connect there. The result is the same
// at every call.
func (s *Server) tlsConfig(addr string) (*tls.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tlsConf != nil {
		return s.tlsConf, nil
	}
	conf := &tls.Config{}
	if s.TLSConfig != nil {
		conf = s.TLSConfig.Clone()
	}
	switch {
	case s.certificate != nil:
		conf.Certificates = []tls.Certificate{*s.certificate}
	case hasCertificate(conf):
	case !isLoopback(addr):
		return nil, fmt.Errorf("http3: no certificate for %s: set Server.TLSConfig, or call ListenAndServeTLS; one is made at localhost only", addr)
	default:
		cert, hash, err := devcert.Make(time.Now())
		if err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{cert}
		s.logger().Info("made a self-signed certificate for localhost", "sha256", devcert.FormatHash(hash))
	}
	s.tlsConf = conf
	return conf, nil
}

// hasCertificate reports whether a server with this configuration, which may be
// nil, has a certificate.
func hasCertificate(conf *tls.Config) bool {
	return conf != nil && (len(conf.Certificates) > 0 || conf.GetCertificate != nil || conf.GetConfigForClient != nil)
}

// forHTTP3 returns a copy of conf that negotiates HTTP/3, also where it has
// another configuration for some server names.
func forHTTP3(conf *tls.Config) *tls.Config {
	conf = conf.Clone()
	conf.NextProtos = []string{h3.NextProto}
	conf.MinVersion = tls.VersionTLS13
	if choose := conf.GetConfigForClient; choose != nil {
		conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return nil, err
			}
			return forHTTP3(chosen), nil
		}
	}
	return conf
}
