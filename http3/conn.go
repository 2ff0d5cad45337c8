package http3

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// conn is what both roles have in common: package h3's machine, which decides, and what
// it needs of package quic. Its methods run on the connection's loop, unless they say
// otherwise.
type conn struct {
	qc      *quic.Conn
	tls     atomic.Pointer[tls.ConnectionState] // other than at first once the handshake is complete
	machine *h3.Conn
	turn    event.Turn // of the callback under way

	isServer      bool
	toldGoAway    bool               // the extension knows of a GOAWAY
	awaitSettings []func()           // called when the peer's SETTINGS arrive
	tunnels       map[uint64]*Tunnel // by stream ID
	datagrams     datagramBytes      // received, and not taken from their tunnels

	ext h3ext.Conn // nil for none
}

// start sends SETTINGS, or has them sent once the peer allows a stream.
func (c *conn) start(t event.Turn, e h3ext.Extension) {
	c.turn = t
	c.datagrams.qc = c.qc
	if e != nil {
		c.ext = e(t, c.machine)
	}
	c.machine.Start(rand.Uint64())
}

// HandleHandshakeComplete implements event.EarlyHandler.
func (c *conn) HandleHandshakeComplete(t event.Turn) { c.tls.Store(t.TLS()) }

// HandleStreamsAvailable is called when the peer allows more streams.
func (c *conn) HandleStreamsAvailable(t event.Turn) {
	c.turn = t
	c.machine.HandleStreamsAvailable(h3event.Now(t))
}

// HandleDatagrams hands out the DATAGRAM frames that have arrived.
func (c *conn) HandleDatagrams(t event.Turn, list [][]byte) {
	c.turn = t
	c.machine.HandleDatagrams(h3event.Now(t), list)
}

// A conn is the machine's Transport.

// OpenUni opens a stream of the machine's.
func (c *conn) OpenUni(h h3.StreamHandler) h3.Stream { return h3event.OpenUni(&c.turn, h) }

// SendDatagram sends a DATAGRAM frame. Any goroutine may call it.
func (c *conn) SendDatagram(quarterID, p []byte) error { return c.qc.SendDatagram(quarterID, p) }

// Close closes the connection for a violation of the protocol.
func (c *conn) Close(code h3.ErrorCode, reason string) { c.turn.Close(uint64(code), reason) }

// CountBuffered counts what is kept of header sections.
func (c *conn) CountBuffered(n int) bool { return event.CountBuffered(c.qc, n) }

// Post calls f on the loop, later. Any goroutine may call it.
func (c *conn) Post(f func()) {
	event.Run(c.qc, func(t event.Turn) {
		c.turn = t
		f()
	})
}

// do calls f on the loop, and waits for it. In a goroutine.
func (c *conn) do(f func(t event.Turn) error) error {
	result := make(chan error, 1)
	event.Run(c.qc, func(t event.Turn) {
		c.turn = t
		result <- f(t)
	})
	select {
	case err := <-result:
		return err
	case <-c.qc.Done():
		return c.qc.Err()
	}
}

// Of the machine's Handler, what both roles have in common:

// HandleSettings is called when the peer's SETTINGS have arrived.
func (c *conn) HandleSettings(monotime.Time) {
	if c.ext != nil {
		c.ext.HandleSettings(c.turn)
	}
	for _, f := range c.awaitSettings {
		f()
	}
	c.awaitSettings = nil
}

// HandleExtensionStream is called when the peer opened a stream that the extension has
// claimed.
func (c *conn) HandleExtensionStream(_ monotime.Time, _, _ uint64, s h3.Stream) {
	c.ext.HandleStream(c.turn, h3event.Of(s))
}

// tunnelOwner is what has a tunnel: the App of a RequestStream.
type tunnelOwner interface{ ownTunnel() *Tunnel }

// tunnelOf returns the tunnel of a request stream, nil if it has none.
func tunnelOf(rs *h3.RequestStream) *Tunnel {
	if owner, ok := rs.App.(tunnelOwner); ok {
		return owner.ownTunnel()
	}
	return nil
}

// HandleContent is called when a tunnel that is event-driven has content.
func (c *conn) HandleContent(_ monotime.Time, rs *h3.RequestStream) {
	if t := tunnelOf(rs); t != nil {
		t.readContent(c.turn)
	}
}

// HandleWritable is called when a tunnel has sent what it was given.
func (c *conn) HandleWritable(_ monotime.Time, rs *h3.RequestStream) {
	if t := tunnelOf(rs); t != nil {
		t.tellHeadSent()
		t.tellWritable(c.turn)
	}
}

// HandleHTTPDatagrams takes HTTP datagrams of a tunnel.
func (c *conn) HandleHTTPDatagrams(_ monotime.Time, rs *h3.RequestStream, list [][]byte) {
	if t := tunnelOf(rs); t != nil {
		queue.PushDatagrams(&t.datagrams, list)
	}
}

// bodyHolder is what has a body: the App of a RequestStream.
type bodyHolder interface{ content() *body }

// HandleUnblocked is called, on any goroutine, when one that reads may go on.
func (c *conn) HandleUnblocked(rs *h3.RequestStream) { rs.App.(bodyHolder).content().signal() }

// noticeGoAway tells the extension that this end or the peer has sent GOAWAY.
func (c *conn) noticeGoAway() {
	if c.ext != nil && !c.toldGoAway {
		c.toldGoAway = true
		c.ext.HandleGoAway(c.turn)
	}
}

// whenSettings calls f on the loop when the peer's SETTINGS have arrived, which they may
// have already.
func (c *conn) whenSettings(f func()) {
	if c.machine.PeerSettings() != nil {
		f()
		return
	}
	c.awaitSettings = append(c.awaitSettings, f)
}

// settled waits until the peer's SETTINGS have arrived, in a goroutine.
func (c *conn) settled(ctx context.Context) error {
	known := make(chan struct{})
	c.Post(func() { c.whenSettings(func() { close(known) }) })
	select {
	case <-known:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.qc.Done():
		return c.qc.Err()
	}
}

// appendTrailers appends a HEADERS frame with trailers unless there are none.
func appendTrailers(b []byte, rs *h3.RequestStream, trailer http.Header) []byte {
	if len(trailer) == 0 {
		return b
	}
	return rs.AppendHeaders(b, appendFields([]qpack.Field(nil), trailer, validTrailer))
}

// cancel ends both directions of a request stream. Any goroutine may call it. Whoever reads
// may close the stream when that fails: it has been reset by then.
func cancel(s event.Stream, code h3.ErrorCode) {
	s.CancelWrite(uint64(code))
	s.CancelRead(uint64(code))
}

// isUni reports whether a stream is unidirectional (RFC 9000, Section 2.1).
func isUni(s event.Stream) bool { return s.ID()&2 != 0 }
