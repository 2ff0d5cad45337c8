package webtransport

import (
	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// Config holds limits. Fields that are zero mean the defaults, as does a nil
// *Config. It must not be changed once in use.
type Config struct {
	// MaxSessions is how many sessions one connection may have at a time.
	// Default 16. Where the draft in use has flow control and a peer does not
	// use it, there is never more than one (draft 15, Section 5.1).
	MaxSessions int
	// MaxStreams is how many streams of each kind the peer may have open in a
	// session, where there is flow control of sessions. Default 100. Elsewhere
	// the limits of the QUIC connection count.
	MaxStreams int
	// MaxData is how many bytes the peer may send in a session beyond what was
	// read, where there is flow control of sessions. Default 16 MiB.
	MaxData int
	// Drafts are those to speak. Default is all.
	Drafts []Draft
}

const (
	defaultMaxSessions = 16
	defaultMaxStreams  = 100
	defaultMaxData     = 16 << 20

	// maxQUICStreams is the limit of streams of each kind for a connection,
	// unless quic.Config has another: enough for a few busy sessions. Sessions
	// and requests count as well.
	maxQUICStreams = 256

	// maxParkedStreams bounds the streams of a connection that wait for their
	// session (Section 4.6), which may have been overtaken. What they carry
	// is bounded by QUIC's flow control.
	maxParkedStreams = 32

	// maxQueuedStreams bounds the streams of each kind in a session that wait
	// to be accepted, above any limit of streams open at a time.
	maxQueuedStreams = 1024

	// maxKept bounds, in bytes, what a session keeps to be read after its end.
	maxKept = 1 << 20

	// rememberedSessions is how many ended sessions of a connection are known
	// to have been there.
	rememberedSessions = 64
)

func (conf *Config) maxSessions() int {
	if conf.MaxSessions > 0 {
		return conf.MaxSessions
	}
	return defaultMaxSessions
}

func (conf *Config) maxStreams() uint64 {
	if conf.MaxStreams > 0 {
		return uint64(conf.MaxStreams)
	}
	return defaultMaxStreams
}

func (conf *Config) maxData() uint64 {
	if conf.MaxData > 0 {
		return uint64(conf.MaxData)
	}
	return defaultMaxData
}

func (conf *Config) offered() []Draft {
	if conf.Drafts != nil {
		return conf.Drafts
	}
	return drafts
}

// Enable makes a server offer WebTransport, before it serves. Handlers call
// Upgrade; what is not upgraded is served as before. A nil conf means the
// defaults.
func Enable(srv *http3.Server, conf *Config) {
	srv.Extension = newExtension(conf)
	srv.QUICConfig = quicConfig(srv.QUICConfig)
}

// quicConfig returns a copy of conf with limits that leave room for sessions.
func quicConfig(conf *quic.Config) *quic.Config {
	var c quic.Config
	if conf != nil {
		c = *conf
	}
	if c.MaxIncomingStreams == 0 {
		c.MaxIncomingStreams = maxQUICStreams
	}
	if c.MaxIncomingUniStreams == 0 {
		c.MaxIncomingUniStreams = maxQUICStreams
	}
	return &c
}

// extension makes a hub for each connection.
type extension struct {
	conf      Config
	dedicated bool // connections are for one session of this end's each
}

func newExtension(conf *Config) *extension {
	e := new(extension)
	if conf != nil {
		e.conf = *conf
	}
	return e
}

// NewConn implements http3.Extension.
func (e *extension) NewConn(c *http3.Conn) http3.ConnExtension {
	h := &hub{conn: c, conf: &e.conf, dedicated: e.dedicated, settled: make(chan struct{}), sessions: make(map[uint64]*Session)}
	e.conf.addSettings(c)
	c.Claim(streamTypeUni, signalBidi)
	return h
}
