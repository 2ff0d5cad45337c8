package http3

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Tunnel is the stream of an extended CONNECT request (RFC 9220) after the
// server has accepted it, at either end: content in both directions, in DATA
// frames, and datagrams. A server gets it from AcceptTunnel, a client from
// Transport.Connect.
//
// One goroutine may read and another write at the same time; the other methods may be
// called from any.
//
// There are no deadlines. Abort ends a Read or Write that takes too long, and nothing else
// is left to do with the tunnel then. That the peer has ended it, Read and ReceiveDatagram
// tell; there is no context for that.
type Tunnel struct {
	conn      *conn
	ref       event.Stream
	stream    *quic.Stream // once it is detached
	detaching sync.Once
	detached  atomic.Bool
	content   *body
	datagrams queue.Queue[[]byte] // received
	release   func()              // tells that the tunnel has ended

	readOver, writeOver, over atomic.Bool

	// Of the loop's goroutine:
	handler  h3ext.TunnelHandler // nil unless it is event-driven
	whenOver []func()
	headSent chan struct{} // closed when a header section has left; nil if nobody waits
}

// newTunnel makes the tunnel of a request, whose datagrams are to be taken next. On the
// loop.
func (c *conn) newTunnel(s event.Stream, content *body, release func()) *Tunnel {
	t := &Tunnel{conn: c, ref: s, content: content, release: release}
	t.datagrams.Bound(queue.Bounds{Items: maxQueuedDatagrams, Bytes: maxQueuedDatagramBytes, Account: &c.datagrams})
	if c.tunnels == nil {
		c.tunnels = make(map[uint64]*Tunnel)
	}
	c.tunnels[s.ID()] = t
	return t
}

// StreamID returns the ID of the request's stream (RFC 9000, Section 2.1).
func (t *Tunnel) StreamID() uint64 { return t.ref.ID() }

// QUIC returns the connection, for its statistics, addresses, and Context, which ends with
// it. Other requests share it; its streams are HTTP/3's.
func (t *Tunnel) QUIC() *quic.Conn { return t.conn.qc }

// Read reads content and waits until there is some. The error is io.EOF when the
// peer has finished, an *Error when the stream was reset or the content is malformed,
// or the connection's. One goroutine at a time may read.
func (t *Tunnel) Read(p []byte) (int, error) {
	t.detach()
	return t.content.Read(p)
}

// Write sends content, in a DATA frame of its own, and waits until all of it is
// buffered. It does not keep p. The error is an *Error when the stream was reset, or the
// connection's, with the number of bytes taken before. One goroutine at a time may write.
func (t *Tunnel) Write(p []byte) (int, error) {
	t.detach()
	var header [h3.MaxFrameHeaderSize]byte
	t.content.rs.TraceData(len(p))
	_, err := t.stream.Write(h3.AppendFrameHeader(header[:0], h3.FrameData, uint64(len(p))))
	n := 0
	if err == nil {
		n, err = t.stream.Write(p)
	}
	return n, describe(err)
}

// detach makes the tunnel's stream one for goroutines. The loop may be using it; when the
// connection has ended it does not.
func (t *Tunnel) detach() {
	if t.detached.Load() {
		return
	}
	_ = t.conn.do(func(event.Turn) error {
		t.detaching.Do(t.detachNow)
		return nil
	})
	t.detaching.Do(t.detachNow)
}

func (t *Tunnel) detachNow() {
	t.stream = t.ref.Detach()
	t.content.detach(t.stream)
	t.detached.Store(true)
}

// Close finishes the sending half: the peer reads io.EOF. Reading goes on. It does not
// wait.
func (t *Tunnel) Close() error {
	if t.detached.Load() {
		err := t.stream.Close()
		t.endWrite()
		return describe(err)
	}
	running := event.Run(t.conn.qc, func(turn event.Turn) {
		t.conn.turn = turn
		if !t.writeOver.Load() {
			t.content.rs.SendLast(nil)
		}
		t.endWrite()
	})
	if !running {
		t.endWrite()
		return describe(t.conn.qc.Err())
	}
	return nil
}

// Abort resets both directions with a code. Any goroutine may call it.
func (t *Tunnel) Abort(code ErrorCode) {
	cancel(t.ref, h3.ErrorCode(code))
	t.endRead(resetBy(h3.ErrorCode(code), "", nil))
	t.endWrite()
}

// handleEnd tells the handler of the end.
func (t *Tunnel) handleEnd(turn event.Turn, err error) {
	if !t.readOver.Load() {
		if t.handler != nil {
			t.handler.HandleEnd(turn, err)
		}
		t.endRead(err)
	}
}

// kill resets the tunnel from any goroutine and tells the handler.
func (t *Tunnel) kill(code h3.ErrorCode) {
	cancel(t.ref, code)
	event.Run(t.conn.qc, func(turn event.Turn) {
		t.endWrite()
		t.handleEnd(turn, resetBy(code, "", nil))
	})
}

func (t *Tunnel) endRead(err error) {
	if err == io.EOF || err == nil {
		err = errTunnelEnded
	}
	t.datagrams.Close(err)
	t.readOver.Store(true)
	t.endIfOver()
}

func (t *Tunnel) endWrite() {
	t.writeOver.Store(true)
	t.endIfOver()
}

// errTunnelEnded is what ReceiveDatagram returns after a clean end.
var errTunnelEnded = errors.New("http3: the tunnel has ended")

// endIfOver forgets the tunnel when both directions are done.
func (t *Tunnel) endIfOver() {
	if t.readOver.Load() && t.writeOver.Load() && t.over.CompareAndSwap(false, true) {
		t.release()
		event.Run(t.conn.qc, func(event.Turn) { t.conn.dropTunnel(t) })
	}
}

// dropTunnel forgets a tunnel. On the loop.
func (c *conn) dropTunnel(t *Tunnel) {
	delete(c.tunnels, t.ref.ID())
	if len(c.tunnels) == 0 {
		c.tunnels = nil
	}
	t.content.rs.DropDatagrams()
	t.datagrams.Settle()
	for _, f := range t.whenOver {
		f()
	}
	t.whenOver = nil
}

// endTunnels ends the tunnels of a connection that has ended, for a reason that
// describe knows.
func (c *conn) endTunnels(turn event.Turn, reason error) {
	if len(c.tunnels) == 0 {
		return
	}
	err := describe(reason)
	for _, t := range c.tunnels {
		t.handleEnd(turn, err)
		t.endWrite()
		c.dropTunnel(t)
	}
}

// A Tunnel owns its content, which blocking calls read.

func (t *Tunnel) handleTrailers([]qpack.Field) {}

func (t *Tunnel) handleBodyEnd(err error) error {
	if err != io.EOF && err != http.ErrBodyReadAfterClose {
		err = describe(err)
	}
	t.endRead(err)
	return err
}

func (t *Tunnel) closeCode() h3.ErrorCode { return h3.NoError }
