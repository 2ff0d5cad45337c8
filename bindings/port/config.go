package port

import (
	"crypto/tls"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/congestion"
	"github.com/godwit-quic/godwit/quic/qlog"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// settings are what the options of a listener or a connection come to.
type settings struct {
	address string
	http    bool // HTTP/3
	wt      bool // WebTransport
	window  int  // credit of a stream, in bytes

	maxSessions int
	maxStreams  uint64 // of each kind, in a session
	maxHeader   int

	transport quic.TransportConfig // of listeners; connections of the host's share one
	quic      quic.Config
	tls       tls.Config
}

const (
	// defaultWindow is the credit of a stream: GW_WINDOW of godwit.h.
	defaultWindow = 256 << 10
	// minWindow lets events and commands be worth their header.
	minWindow, maxWindow = 1 << 10, 1 << 30

	defaultMaxHeader = 64 << 10
	maxStreamLimit   = 1 << 60 // RFC 9000, Section 4.6
)

// common reads the options that listeners and connections have in common.
func (p *Port) common(o *options) *settings {
	s := &settings{address: o.text("address"), transport: quic.TransportConfig{Loops: 1}}
	if s.address == "" {
		o.wrong("address", "is missing")
	}
	s.http = o.choice("protocol", "quic", "h3") == "h3"
	s.tls.NextProtos = o.list("alpn")
	s.window = int(o.number("window", defaultWindow, minWindow, maxWindow))
	s.quic = quic.Config{
		EnableDatagrams:       o.on("datagrams", true),
		MaxIdleTimeout:        o.millis("idle_timeout"),
		HandshakeTimeout:      o.millis("handshake_timeout"),
		KeepAlivePeriod:       o.millis("keep_alive"),
		MaxIncomingStreams:    o.number("max_streams", 0, -1, maxStreamLimit),
		MaxIncomingUniStreams: o.number("max_uni_streams", 0, -1, maxStreamLimit),
		MaxStreamWindow:       uint64(o.number("stream_receive_window", 0, 1200, math.MaxInt64>>1)),
		MaxConnWindow:         uint64(o.number("connection_receive_window", 0, 1200, math.MaxInt64>>1)),
		Tracer:                p.tracer(o.text("qlog")),
	}
	if o.choice("congestion", "cubic", "newreno") == "newreno" {
		s.quic.Congestion = congestion.NewReno
	}
	s.tls.MinVersion = tls.VersionTLS13
	p.commonHTTP(o, s)
	switch {
	case len(s.tls.NextProtos) > 0:
	case s.http:
		s.tls.NextProtos = []string{h3.NextProto}
	default:
		o.wrong("alpn", "is missing: QUIC needs the name of a protocol, the same on both sides")
	}
	return s
}

// tracer returns what writes logs to a directory, nil for none: the same for all that name
// it, as it bounds the files that are open.
func (p *Port) tracer(dir string) func(quictrace.Info) quictrace.Tracer {
	if dir == "" {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tracers[dir] == nil {
		if p.tracers == nil {
			p.tracers = make(map[string]func(quictrace.Info) quictrace.Tracer)
		}
		p.tracers[dir] = qlog.Dir(dir, nil)
	}
	return p.tracers[dir]
}

// commonHTTP reads the options of HTTP/3 and WebTransport.
func (p *Port) commonHTTP(o *options, s *settings) {
	largest := int64(len(p.ev.ring) / 8)
	s.maxHeader = int(o.number("max_header", min(defaultMaxHeader, largest), 1024, largest))
	s.wt = o.on("webtransport", false)
	s.maxSessions = int(o.number("max_sessions", 0, 1, 1<<20))
	switch {
	case s.wt && !s.http:
		o.wrong("webtransport", "needs protocol h3")
	case s.wt:
		s.sessionRoom()
	case s.http && s.quic.MaxIncomingUniStreams == 0:
		s.quic.MaxIncomingUniStreams = httpUniStreams
	}
}

const (
	// capsuleRoom is how many bytes of a connection's window are left for capsules when no
	// session reads.
	capsuleRoom = 1 << 20
	// sessionStreams is the limit of streams of each kind for a connection with sessions.
	sessionStreams = 256
)

// sessionRoom leaves room for sessions. The window of the connection is larger than those
// of its sessions together: otherwise data that nobody reads could use it up, and the
// capsules that allow this end to go on would never arrive.
func (s *settings) sessionRoom() {
	conf := wt.Config{MaxSessions: s.maxSessions}.WithDefaults()
	s.quic.EnableDatagrams = true
	s.quic.InitialConnWindow = uint64(conf.MaxSessions)*conf.MaxData + capsuleRoom
	if s.quic.MaxConnWindow > 0 {
		s.quic.MaxConnWindow = max(s.quic.MaxConnWindow, s.quic.InitialConnWindow)
	}
	// What the connection may have by the options, a session may as well.
	s.maxStreams = uint64(max(s.quic.MaxIncomingStreams, s.quic.MaxIncomingUniStreams, wt.DefaultMaxStreams))
	if s.quic.MaxIncomingStreams == 0 {
		s.quic.MaxIncomingStreams = sessionStreams
	}
	if s.quic.MaxIncomingUniStreams == 0 {
		s.quic.MaxIncomingUniStreams = sessionStreams
	}
}

// listening reads the options of a listener.
func (p *Port) listening(o *options) *settings {
	s := p.common(o)
	if cert := o.certificate(); cert != nil {
		s.tls.Certificates = []tls.Certificate{*cert}
	}
	s.tls.ClientCAs = o.authorities()
	switch o.choice("client_auth", "none", "request", "require") {
	case "request":
		s.tls.ClientAuth = tls.RequestClientCert
	case "require":
		s.tls.ClientAuth = tls.RequireAndVerifyClientCert
	}
	s.transport.MaxConnections = int(o.number("max_connections", 0, 1, math.MaxInt32))
	s.transport.RequireAddressValidation = o.on("retry", false)
	if text := o.text("reset_key"); text != "" {
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != 32 {
			o.wrong("reset_key", "is not 32 bytes in hexadecimal digits: "+strconv.Quote(text))
		} else {
			s.transport.StatelessResetKey = (*[32]byte)(key)
		}
	}
	return s
}

// connecting reads the options of a connection that the host begins.
func (p *Port) connecting(o *options) *settings {
	s := p.common(o)
	if cert := o.certificate(); cert != nil {
		s.tls.Certificates = []tls.Certificate{*cert}
	}
	s.tls.RootCAs = o.authorities()
	s.tls.ServerName = o.text("server_name")
	s.tls.InsecureSkipVerify = o.on("insecure", false)
	if o.on("resume", true) {
		s.tls.ClientSessionCache = p.sessions
	}
	if hashes := o.hashes(); hashes != nil {
		pin(&s.tls, hashes)
	}
	return s
}
