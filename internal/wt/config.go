package wt

import (
	"slices"
	"time"
)

// Config holds limits. It may be shared by connections and must not change.
type Config struct {
	// MaxSessions is how many sessions one connection may have at a time, at
	// least 1. Where the draft in use has flow control and a peer does not use
	// it, there is never more than one (Section 5.1). A session counts until it
	// ends. A server lets as many requests beyond that wait for one to end.
	MaxSessions int
	// MaxStreams is how many streams of each kind the peer may have open in a
	// session, where there is flow control of sessions.
	MaxStreams uint64
	// MaxData is how many bytes the peer may send in a session beyond what was
	// read, where there is flow control of sessions.
	MaxData uint64
	// IdleTimeout is how long the peer may send nothing in a session before it is
	// closed; 0 for any time.
	IdleTimeout time.Duration
	// Drafts are those to speak.
	Drafts []Draft
}

// The defaults of Config. Those of data and sessions multiplied stay below the
// largest window that a connection has by default.
const (
	DefaultMaxSessions = 8
	DefaultMaxStreams  = 100
	DefaultMaxData     = 1536 << 10
)

// WithDefaults returns a copy in which fields that are zero have their defaults.
func (conf Config) WithDefaults() *Config {
	if conf.MaxSessions <= 0 {
		conf.MaxSessions = DefaultMaxSessions
	}
	if conf.MaxStreams == 0 {
		conf.MaxStreams = DefaultMaxStreams
	}
	if conf.MaxData == 0 {
		conf.MaxData = DefaultMaxData
	}
	if conf.Drafts == nil {
		conf.Drafts = Drafts
	}
	return &conf
}

// FlowControl reports whether one of the drafts has flow control of sessions.
func (conf *Config) FlowControl() bool { return slices.ContainsFunc(conf.Drafts, Draft.FlowControl) }

const (
	// maxBufferedStreams bounds the streams of a connection that wait for their
	// session (Section 4.6), which may have been overtaken. What they carry is
	// bounded by QUIC's flow control.
	maxBufferedStreams = 32

	// maxBuffered is how long a stream may wait for its session before it makes
	// room for others. By then the session's request should have overtaken it long
	// ago.
	maxBuffered = 5 * time.Second

	// maxRejected is for how many sessions to come it is remembered what the streams
	// have used that were refused for want of room: far more than there may be at a
	// time by default.
	maxRejected = 64

	// MaxQueuedStreams bounds the streams of each kind in a session that wait to
	// be accepted, above any limit of streams open at a time.
	MaxQueuedStreams = 1024

	// MaxQueuedResets is how many streams may wait in a session before those are
	// forgotten that were reset: enough for whoever accepts them to learn the
	// codes.
	MaxQueuedResets = 64

	// maxKept bounds, in bytes, what a host may keep of a session's streams to be
	// read after its end.
	maxKept = 1 << 20

	// rememberedSessions is how many ended sessions of a connection are known to
	// have been there, so that what belonged to them does not wait for them.
	rememberedSessions = 64

	// CloseTimeout is how long the peer of a closed session has to finish its side
	// of the CONNECT stream. Longer than any round trip, so that browsers learn of
	// the code and reason, which a STOP_SENDING before would cost them.
	CloseTimeout = 5 * time.Second

	// lateEndDelay is how long an end waits that must not arrive together with a
	// stream's header, unless two round trips are longer: Firefox drops the
	// connection when it finds both at once in a server's unidirectional stream.
	lateEndDelay = 20 * time.Millisecond
)
