package wt

import (
	"encoding/binary"
	"errors"

	"github.com/godwit-quic/godwit/internal/fifo"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Session is a WebTransport session: streams in both directions and datagrams.
type Session struct {
	// App is the host's own.
	App any

	conn     *Conn
	id       uint64
	draft    Draft
	protocol string
	flow     *flow // nil without flow control
	err      error // why the session ended, nil while it lives

	streams   streamList             // with a half that is not over
	waiting   [2]fifo.Queue[*Stream] // the peer's, to be accepted, by Kind
	datagrams datagramQueue
	kept      int // bytes that the host keeps to be read after the end

	capsules   h3.CapsuleReader
	counted    int  // bytes of an incomplete capsule that the connection knows of
	peerClosed bool // the peer's WT_CLOSE_SESSION has arrived
	finished   bool // this end has finished the CONNECT stream, or reset it
	aborted    bool // this end has reset it, and takes nothing more of it
	owing      bool // EventContent was emitted, and PollContent not called since
	drainOwed  bool // the peer is to be asked to end the session
	draining   bool // EventDraining was emitted

	heard  monotime.Time // when something was received last
	giveUp monotime.Time // when the peer must have finished, once the session has ended
}

func newSession(c *Conn, id uint64, d Draft, protocol string) *Session {
	s := &Session{conn: c, id: id, draft: d, protocol: protocol, capsules: h3.NewCapsuleReader(capsuleLimit)}
	if c.offer.flowControlled(d) {
		s.flow = newFlow(c.conf, c.offer.limit)
	}
	return s
}

// ID returns the session's ID: that of its CONNECT stream.
func (s *Session) ID() uint64 { return s.id }

// Draft returns the version of the protocol in use.
func (s *Session) Draft() Draft { return s.draft }

// Protocol returns the subprotocol that was chosen, "" for none.
func (s *Session) Protocol() string { return s.protocol }

// FlowControlled reports whether the session has flow control of its own, beyond
// QUIC's: both ends want it (Section 5.1).
func (s *Session) FlowControlled() bool { return s.flow != nil }

// Err returns why the session has ended, nil while it lives: a *SessionError when
// it was closed, an *h3.StreamError when the peer broke a rule, or an error that
// HandleContentEnd or HandleClose was given.
func (s *Session) Err() error { return s.err }

// Drain asks the peer to end the session soon (WT_DRAIN_SESSION, Section 4.7).
func (s *Session) Drain() {
	s.drainOwed = true
	s.owe()
}

func (s *Session) drainBegun() {
	if !s.draining && s.err == nil {
		s.draining = true
		s.conn.emit(Event{Kind: EventDraining, Session: s})
	}
}

// errExporter is the error of ExporterContext.
var errExporter = errors.New("webtransport: label or context of an exporter is longer than 255 bytes")

// The label that TLS is to be given for keying material of sessions (Section 4.8).
const ExporterLabel = "EXPORTER-WebTransport"

// ExporterContext returns the context that TLS is to be given for keying material of
// the session, from an application's label and context of at most 255 bytes
// (Section 4.8). It depends on nothing but the session's ID.
func (s *Session) ExporterContext(label string, context []byte) ([]byte, error) {
	if len(label) > 255 || len(context) > 255 {
		return nil, errExporter
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 10+len(label)+len(context)), s.id)
	b = append(append(b, byte(len(label))), label...)
	return append(append(b, byte(len(context))), context...), nil
}

// isServer reports whether this end is the server.
func (s *Session) isServer() bool { return s.conn.side == wire.ServerSide }

// isPeers reports whether the peer opened a stream (RFC 9000, Section 2.1).
func (s *Session) isPeers(id uint64) bool { return (id&1 == 0) == s.isServer() }
