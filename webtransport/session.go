package webtransport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/quic"
)

// Session is a WebTransport session: streams in both directions and datagrams.
// Its methods may be called from any goroutine.
type Session struct {
	hub      *hub
	conn     *quic.Conn
	tunnel   *http3.Tunnel
	id       uint64
	draft    Draft
	protocol string
	flow     *flow      // nil without flow control
	idle     *idleWatch // nil without Config.IdleTimeout
	ctx      context.Context
	cancel   context.CancelCauseFunc
	draining chan struct{}
	drain    sync.Once

	bidi queue.Queue[*Stream]        // to be accepted
	uni  queue.Queue[*ReceiveStream] // likewise

	telling     atomic.Bool // flushCapsules is going to be called
	drainWanted atomic.Bool // the peer is going to be asked to end the session

	ended atomic.Bool // err is set

	mu      sync.Mutex
	err     error                 // why the session ended
	streams map[uint64]openStream // with a half that is not over
	ending  map[uint64]openStream // those of a session that has ended, until they are reset
	kept    int                   // bytes kept of streams to be read after the end

	// Of the loop's goroutine:
	capsules h3.CapsuleReader
	closed   bool        // the peer's WT_CLOSE_SESSION has arrived
	linger   *time.Timer // after the end, while the peer has not finished
}

func newSession(h *hub, t *http3.Tunnel, d Draft, protocol string) *Session {
	s := &Session{
		hub: h, conn: t.QUIC(), tunnel: t, id: t.StreamID(), draft: d, protocol: protocol,
		draining: make(chan struct{}),
		streams:  make(map[uint64]openStream),
		capsules: h3.NewCapsuleReader(capsuleLimit),
	}
	if h.flowControlled(d) {
		s.flow = newFlow(h.conf, &h.offer)
		s.flow.owe = s.tell
	}
	if timeout := h.conf.IdleTimeout; timeout > 0 {
		s.idle = newIdleWatch(s, timeout)
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// begin makes the session live.
func (s *Session) begin() {
	if s.idle != nil {
		s.idle.begin()
	}
	// The connection may end, and be forgotten, before its loop gets here.
	stop := context.AfterFunc(s.conn.Context(), func() { s.end(s.conn.Err()) })
	s.conn.Run(func(t *quic.Turn) {
		stop()
		s.hub.addSession(t, s)
	})
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

// Context is cancelled when the session has ended, with the error as its cause: a
// *SessionError when it was closed, otherwise the error of the CONNECT stream or
// of the connection.
func (s *Session) Context() context.Context { return s.ctx }

// Draining returns a channel that is closed when the peer, or this end's server in
// its shutdown, asks for the session to be ended soon.
func (s *Session) Draining() <-chan struct{} { return s.draining }

// Drain asks the peer to end the session soon (WT_DRAIN_SESSION).
func (s *Session) Drain() {
	s.drainWanted.Store(true)
	s.tell()
}

func (s *Session) drainBegun() { s.drain.Do(func() { close(s.draining) }) }

// QUIC returns the connection, which other sessions may share.
func (s *Session) QUIC() *quic.Conn { return s.conn }

// ConnectionStats returns the figures of the connection.
func (s *Session) ConnectionStats() quic.Stats { return s.conn.Stats() }

// LocalAddr returns this end's address.
func (s *Session) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// RemoteAddr returns the peer's address.
func (s *Session) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// ConnectionState returns what TLS agreed on.
func (s *Session) ConnectionState() tls.ConnectionState { return s.conn.ConnectionState() }

// ExportKeyingMaterial returns keying material of the session, which differs from
// that of others on the same connection (Section 4.8). label and context have at
// most 255 bytes.
func (s *Session) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if len(label) > 255 || len(context) > 255 {
		return nil, errors.New("webtransport: label or context of an exporter is longer than 255 bytes")
	}
	b := binary.BigEndian.AppendUint64(nil, s.id)
	b = append(append(b, byte(len(label))), label...)
	b = append(append(b, byte(len(context))), context...)
	state := s.conn.ConnectionState()
	return state.ExportKeyingMaterial("EXPORTER-WebTransport", b, length)
}

// SendDatagram sends p unreliably and unordered. It does not wait and does not
// keep p. The error is http3.ErrDatagramsDisabled, a *quic.DatagramTooLargeError
// in bytes of p, or the session's.
//
// A server does not send empty datagrams to clients of draft 2: Chromium's reader
// never gets over one.
func (s *Session) SendDatagram(p []byte) error {
	if err := s.endedWith(); err != nil {
		return err
	}
	if len(p) == 0 && s.draft == Draft02 && s.hub.conn.IsServer() {
		return nil
	}
	return s.tunnel.SendDatagram(p)
}

// MaxDatagramSize returns how many bytes a datagram may have now, 0 if none may be
// sent.
func (s *Session) MaxDatagramSize() int { return s.tunnel.MaxDatagramSize() }

// ReceiveDatagram waits for the next datagram. The bytes are the caller's. Those
// that nobody receives wait, up to a bound; beyond it the oldest is dropped. The
// error is the cause of ctx's end or, when none is left, the session's.
func (s *Session) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	p, err := s.tunnel.ReceiveDatagram(ctx)
	if err == nil {
		s.received()
	}
	if err != nil && ctx.Err() == nil {
		if ended := s.endedWith(); ended != nil {
			err = ended
		}
	}
	return p, err
}

// DatagramsDropped returns how many datagrams were dropped because nobody received
// them in time.
func (s *Session) DatagramsDropped() uint64 { return s.tunnel.DatagramsDropped() }

// endedWith returns why the session ended, nil while it lives.
func (s *Session) endedWith() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// isCancelled reports whether err is that of a cancelled stream.
func isCancelled(err error) bool {
	var cancelled *quic.StreamError
	return errors.As(err, &cancelled)
}

var _ io.ReadWriteCloser = (*Stream)(nil)
