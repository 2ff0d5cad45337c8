package webtransport

import (
	"slices"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// Config holds limits. Fields that are zero mean the defaults, as does a nil
// *Config. It must not be changed once in use.
type Config struct {
	// MaxSessions is how many sessions one connection may have at a time.
	// Default 8. Where the draft in use has flow control and a peer does not
	// use it, there is never more than one (draft 15, Section 5.1). A session
	// counts until it ends. A server lets as many requests beyond that wait a second
	// for one to end.
	MaxSessions int
	// MaxStreams is how many streams of each kind the peer may have open in a
	// session, where there is flow control of sessions. Default 100. Elsewhere
	// the limits of the QUIC connection count.
	MaxStreams int
	// MaxData is how many bytes the peer may send in a session beyond what was
	// read, where there is flow control of sessions. Default 1.5 MiB. For all
	// sessions of a connection together the connection's own window has to be
	// larger, and is made so.
	MaxData int
	// IdleTimeout is how long the peer may send nothing in a session, neither
	// streams nor data on them, datagrams or capsules, before the session is
	// closed. Data and datagrams count when the application reads them. Default
	// 0, for any time: there are sessions in which only one end speaks. But
	// browsers may keep the session of a page that was closed, and acknowledge
	// what is sent, so that only this ends it; a peer that is silent altogether
	// counts as gone after quic.Config.MaxIdleTimeout.
	IdleTimeout time.Duration
	// Drafts are those to speak. Default is all.
	Drafts []Draft
}

const (
	// The defaults of data and sessions multiplied stay below the largest
	// window that a connection has by default.
	defaultMaxSessions = 8
	defaultMaxStreams  = 100
	defaultMaxData     = 1536 << 10

	// capsuleRoom is how many bytes of a connection's window are left for
	// capsules when no session reads, unless requests take them.
	capsuleRoom = 1 << 20

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

	// maxQueuedResets is how many streams may wait in a session before those
	// are forgotten that were reset: enough for whoever accepts them to learn
	// the codes.
	maxQueuedResets = 64

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
	e := newExtension(conf)
	srv.Extension = e
	srv.QUICConfig = e.conf.quicConfig(srv.QUICConfig)
}

// quicConfig returns a copy of q with limits that leave room for sessions.
//
// The window of the connection is larger than those of its sessions together.
// Otherwise data that nobody reads could use it up, and the capsules that allow
// this end to go on sending, so that it gets to read again, would never arrive.
func (conf *Config) quicConfig(q *quic.Config) *quic.Config {
	var c quic.Config
	if q != nil {
		c = *q
	}
	if slices.ContainsFunc(conf.offered(), Draft.flowControl) {
		c.InitialConnWindow = max(c.InitialConnWindow, uint64(conf.maxSessions())*conf.maxData()+capsuleRoom)
	}
	if c.MaxConnWindow > 0 {
		c.MaxConnWindow = max(c.MaxConnWindow, c.InitialConnWindow)
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
