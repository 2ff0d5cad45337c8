package http3

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// Tunnel is the stream of an extended CONNECT request (RFC 9220) after the
// server has accepted it, at either end: content in both directions, in DATA
// frames, and datagrams. A server gets it from AcceptTunnel, a client from
// Transport.Connect.
//
// It is used in one of two ways: with Read, Write and Close, which block, or with
// Serve, which makes it event-driven, so that a tunnel on which nothing happens
// needs no goroutine.
type Tunnel struct {
	conn      *conn
	ref       quic.StreamRef
	stream    *quic.Stream // once it is detached
	detaching sync.Once
	detached  atomic.Bool
	content   *body
	datagrams datagramQueue
	release   func() // tells that the tunnel has ended

	readOver, writeOver, over atomic.Bool

	// Of the loop's goroutine:
	handler  TunnelHandler
	whenOver []func()
}

// TunnelHandler is told what happens on an event-driven tunnel. Its methods run
// on the connection's loop and must not block.
type TunnelHandler interface {
	// HandleData: content arrived. p is valid until the call returns.
	HandleData(t *quic.Turn, p []byte)
	// HandleEnd: no more content will arrive. err is io.EOF when the peer has
	// finished the stream, an *Error when it was reset or the content is
	// malformed, or the connection's error. It is the last call, and comes once;
	// it does not come after Abort.
	HandleEnd(t *quic.Turn, err error)
}

// TunnelWriter is what a TunnelHandler implements in addition to be told when all of
// what Send was given has been sent, after a call of Unsent that found that it had
// not.
type TunnelWriter interface {
	// HandleWritable is called on the connection's loop and must not block.
	HandleWritable(t *quic.Turn)
}

// newTunnel makes the tunnel of a request, whose datagrams are to be taken next. On the
// loop.
func (c *conn) newTunnel(s quic.StreamRef, content *body, release func()) *Tunnel {
	t := &Tunnel{conn: c, ref: s, content: content, release: release}
	t.datagrams.total = &c.datagramBytes
	if c.tunnels == nil {
		c.tunnels = make(map[uint64]*Tunnel)
	}
	c.tunnels[s.ID()] = t
	return t
}

// StreamID returns the ID of the request's stream.
func (t *Tunnel) StreamID() uint64 { return t.ref.ID() }

// QUIC returns the connection, for its statistics and addresses.
func (t *Tunnel) QUIC() *quic.Conn { return t.conn.qc }

// Extension returns the connection's extension, nil if it has none.
func (t *Tunnel) Extension() ConnExtension { return t.conn.ext }

// Read reads content and waits until there is some. The error is io.EOF when the
// peer has finished, an *Error when the stream was reset or the content is malformed,
// or the connection's. One goroutine at a time may read.
func (t *Tunnel) Read(p []byte) (int, error) {
	t.detach()
	return t.content.Read(p)
}

// Write sends content, in a DATA frame of its own, and waits until all of it is
// buffered. It does not keep p. One goroutine at a time may write.
func (t *Tunnel) Write(p []byte) (int, error) {
	t.detach()
	var header [h3.MaxFrameHeaderSize]byte
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
	_ = t.conn.do(func(*quic.Turn) error {
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
// wait: on the connection's loop it may be called as well, after Send.
func (t *Tunnel) Close() error {
	if t.detached.Load() {
		err := t.stream.Close()
		t.endWrite()
		return describe(err)
	}
	running := t.conn.qc.Run(func(turn *quic.Turn) {
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

// Abort resets both directions with a code. Any goroutine may call it, in either
// way of using the tunnel.
func (t *Tunnel) Abort(code ErrorCode) {
	cancel(t.ref, code)
	t.endRead(&Error{Code: code})
	t.endWrite()
}

// Serve makes the tunnel event-driven. Content that has arrived already is told
// at once. It must be called on the connection's loop, and Read and Write not at
// all.
func (t *Tunnel) Serve(turn *quic.Turn, h TunnelHandler) {
	t.handler = h
	t.conn.turn = turn
	t.readContent(turn)
}

// Send sends content of an event-driven tunnel, in one DATA frame. It does not
// wait and does not keep p: of what the stream does not take now a copy is kept. Who
// sends more than the peer reads should look at Unsent, and wait for TunnelWriter:
// when MaxTunnelUnsent bytes are kept already, Send resets the tunnel with
// H3_EXCESSIVE_LOAD, and the handler is told. It must be called on the connection's
// loop.
func (t *Tunnel) Send(turn *quic.Turn, p []byte) {
	t.conn.turn = turn
	if err := t.content.rs.Send(p); err != nil {
		t.fail(turn, err)
	}
}

// SendLast is Send for the last content, and finishes the sending half. Whatever
// the peer's flow control says, it does not wait. It leaves before what other streams
// have to send, and before resets of them that come later.
func (t *Tunnel) SendLast(turn *quic.Turn, p []byte) {
	t.conn.turn = turn
	t.ref.SetPriority(0, true)
	t.content.rs.SendLast(p)
	t.endWrite()
}

// MaxTunnelUnsent is how many bytes an event-driven tunnel keeps that its stream does
// not take, before Send gives up: more than any control protocol has to say, and than
// a relay should let wait.
const MaxTunnelUnsent = h3.MaxUnsent

// Unsent returns how many bytes given to Send have not been sent, as the peer's flow
// control or the network holds them back. If there are any, a TunnelWriter is told
// when all have been. It must be called on the connection's loop.
func (t *Tunnel) Unsent(turn *quic.Turn) int { return t.content.rs.Unsent() + turn.Unsent(t.ref) }

// StopReading tells the peer with a code that nothing further will be read. No
// HandleEnd follows. Any goroutine may call it.
func (t *Tunnel) StopReading(code ErrorCode) {
	t.ref.CancelRead(uint64(code))
	t.endRead(&Error{Code: code})
}

// CloseDatagrams makes ReceiveDatagram return err once no datagram is left.
func (t *Tunnel) CloseDatagrams(err error) { t.datagrams.close(err) }

// readContent reads what has arrived of an event-driven tunnel.
func (t *Tunnel) readContent(turn *quic.Turn) {
	sc := getScratch()
	defer sc.release()
	for t.handler != nil && !t.readOver.Load() {
		n, err := t.content.rs.Read(sc.buf[:])
		if n > 0 {
			t.handler.HandleData(turn, sc.buf[:n])
		}
		switch {
		case err == io.EOF:
			t.handleEnd(turn, io.EOF)
		case err != nil:
			if isViolation(err) {
				t.endWrite() // the machine has reset it
			}
			t.handleEnd(turn, describe(err))
		case n == 0:
			return
		}
	}
}

// isViolation reports whether err says that the peer broke the protocol.
func isViolation(err error) bool {
	var stream *h3.StreamError
	_, wholeConn := h3.Code(err)
	return wholeConn || errors.As(err, &stream) || errors.Is(err, h3.ErrSectionTooLarge)
}

// tellWritable tells a handler that wants to know that everything has been sent.
func (t *Tunnel) tellWritable(turn *quic.Turn) {
	if w, ok := t.handler.(TunnelWriter); ok && t.Unsent(turn) == 0 {
		w.HandleWritable(turn)
	}
}

// fail resets the tunnel for an error.
func (t *Tunnel) fail(turn *quic.Turn, err error) {
	code, _ := h3.Code(err)
	cancel(t.ref, code)
	t.endWrite()
	t.handleEnd(turn, describe(err))
}

// handleEnd tells the handler of the end.
func (t *Tunnel) handleEnd(turn *quic.Turn, err error) {
	if !t.readOver.Load() {
		if t.handler != nil {
			t.handler.HandleEnd(turn, err)
		}
		t.endRead(err)
	}
}

// kill resets the tunnel from any goroutine and tells the handler.
func (t *Tunnel) kill(code ErrorCode) {
	cancel(t.ref, code)
	t.conn.qc.Run(func(turn *quic.Turn) {
		t.endWrite()
		t.handleEnd(turn, &Error{Code: code})
	})
}

func (t *Tunnel) endRead(err error) {
	if err == io.EOF || err == nil {
		err = errTunnelEnded
	}
	t.datagrams.close(err)
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
		t.conn.qc.Run(func(*quic.Turn) { t.conn.dropTunnel(t) })
	}
}

// WhenOver calls f on the loop when both directions have ended, or the
// connection; at once if they have. It must be called on the connection's loop.
func (t *Tunnel) WhenOver(f func()) {
	if t.over.Load() {
		f()
		return
	}
	t.whenOver = append(t.whenOver, f)
}

// dropTunnel forgets a tunnel. On the loop.
func (c *conn) dropTunnel(t *Tunnel) {
	delete(c.tunnels, t.ref.ID())
	if len(c.tunnels) == 0 {
		c.tunnels = nil
	}
	t.content.rs.DropDatagrams()
	t.datagrams.settle()
	for _, f := range t.whenOver {
		f()
	}
	t.whenOver = nil
}

// endTunnels ends the tunnels of a connection that has ended, for a reason that
// describe knows.
func (c *conn) endTunnels(turn *quic.Turn, reason error) {
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
