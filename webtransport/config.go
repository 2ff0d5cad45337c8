package webtransport

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Config holds limits of sessions, at a server (Enable) or a client (Dialer). Fields that are
// zero mean the defaults, as does a nil *Config. It is copied, so that it may be shared, and
// changed afterwards. Negative values are refused: listening and dialling fail.
type Config struct {
	// MaxSessions is how many sessions one connection may have at a time.
	// Default 8. Where the draft in use has flow control and a peer does not
	// use it, there is never more than one (draft 15, Section 5.1). A session
	// counts until it ends. At a server as many more requests wait for one to end, a second
	// at most.
	MaxSessions int
	// MaxStreams is how many streams of each kind the peer may have open in a
	// session, where there is flow control of sessions. Default 100. Elsewhere
	// the limits of the QUIC connection count.
	MaxStreams int
	// MaxData is how many bytes the peer may send in a session beyond what was
	// read, where there is flow control of sessions. Default 1.5 MiB. The connection's own
	// window (quic.Config.InitialConnWindow) is made large enough for all of its sessions.
	MaxData int
	// IdleTimeout is how long the peer may send nothing in a session, neither
	// streams nor data on them, datagrams or capsules, before the session is
	// closed. Data and datagrams count when the application reads them. Default
	// 0, for any time, as there are sessions in which only one end speaks. Servers for
	// browsers should set it, to a minute or two, and have pages send something now and
	// then: browsers may keep the session of a page that was closed, and acknowledge what
	// is sent, so that nothing else ends it. A peer that is silent altogether counts as gone
	// after quic.Config.MaxIdleTimeout.
	IdleTimeout time.Duration
	// Drafts are those to speak. Default is all, which most programs want.
	Drafts []Draft
}

const (
	// capsuleRoom is how many bytes of a connection's window are left for
	// capsules when no session reads, unless requests take them.
	capsuleRoom = 1 << 20

	// maxQUICStreams is the limit of streams of each kind for a connection,
	// unless quic.Config has another: enough for a few busy sessions. Sessions
	// and requests count as well.
	maxQUICStreams = 256

	// maxSessionsData bounds, in bytes, what the peer may send in all sessions of a
	// connection together: a window of QUIC is below 1<<62 (RFC 9000, Section 4.1), and
	// capsules have their room.
	maxSessionsData = 1<<62 - 1 - capsuleRoom
)

// check returns why limits cannot work.
func (conf *Config) check() error {
	if conf == nil {
		return nil
	}
	for field, v := range map[string]int64{
		"MaxSessions": int64(conf.MaxSessions), "MaxStreams": int64(conf.MaxStreams),
		"MaxData": int64(conf.MaxData), "IdleTimeout": int64(conf.IdleTimeout),
	} {
		if v < 0 {
			return fmt.Errorf("webtransport: Config.%s is negative", field)
		}
	}
	for _, d := range conf.Drafts {
		if !slices.Contains(wt.Drafts, wt.Draft(d)) {
			return fmt.Errorf("webtransport: Config.Drafts has one that is not known: %d", d)
		}
	}
	if m := conf.machine(); m.MaxData > maxSessionsData/uint64(m.MaxSessions) {
		return fmt.Errorf("webtransport: Config.MaxData for each of Config.MaxSessions sessions is too much: %d for %d", m.MaxData, m.MaxSessions)
	}
	return nil
}

// machine returns the limits for the machine, with defaults.
func (conf *Config) machine() *wt.Config {
	if conf == nil {
		conf = new(Config)
	}
	m := wt.Config{
		MaxSessions: conf.MaxSessions,
		MaxStreams:  uint64(conf.MaxStreams),
		MaxData:     uint64(conf.MaxData),
		IdleTimeout: conf.IdleTimeout,
	}
	for _, d := range conf.Drafts {
		m.Drafts = append(m.Drafts, wt.Draft(d))
	}
	return m.WithDefaults()
}

// Enable makes a server offer WebTransport. It is to be called once, before the server
// listens. Handlers call Upgrade; what is not upgraded is served as before. A nil conf means
// the defaults. No other setting is needed: extended CONNECT and datagrams are switched on
// with the connections, whatever the server's fields say, and its QUICConfig is replaced by a
// copy with room for sessions: for 256 streams of each kind where it says nothing. With a
// conf that is not valid, or a second Enable, listening fails.
func Enable(srv *http3.Server, conf *Config) {
	if err := conf.check(); err != nil {
		h3ext.HTTP3.ExtendServer(srv, nil, "", err)
		return
	}
	limits := conf.machine()
	h3ext.HTTP3.ExtendServer(srv, newExtension(limits, false), fmt.Sprint(limits.AppendSettings(nil)), nil)
	srv.QUICConfig = quicConfig(limits, srv.QUICConfig)
}

// quicConfig returns a copy of q with limits that leave room for sessions.
//
// The window of the connection is larger than those of its sessions together.
// Otherwise data that nobody reads could use it up, and the capsules that allow
// this end to go on sending, so that it gets to read again, would never arrive.
func quicConfig(conf *wt.Config, q *quic.Config) *quic.Config {
	var c quic.Config
	if q != nil {
		c = *q
	}
	if conf.FlowControl() {
		c.InitialConnWindow = max(c.InitialConnWindow, uint64(conf.MaxSessions)*conf.MaxData+capsuleRoom)
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

// newExtension makes a hub for each connection. dedicated says that connections are for
// one session of this end's each.
func newExtension(conf *wt.Config, dedicated bool) h3ext.Extension {
	return func(t event.Turn, c *h3.Conn) h3ext.Conn { return newHub(t, c, conf, dedicated) }
}
