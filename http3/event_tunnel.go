package http3

import (
	"errors"
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/quic/event"
)

// eventTunnel is a Tunnel whose user is an extension, which is told of what happens on
// the loop: an h3ext.Tunnel, where the methods are described.
type eventTunnel struct{ *Tunnel }

var _ h3ext.Tunnel = eventTunnel{}

// Conn returns the extension's part of the connection.
func (t eventTunnel) Conn() h3ext.Conn { return t.conn.ext }

// Serve makes the tunnel event-driven.
func (t eventTunnel) Serve(turn event.Turn, h h3ext.TunnelHandler) {
	t.handler = h
	t.conn.turn = turn
	t.readContent(turn)
}

// Send sends content, of which it may keep a copy.
func (t eventTunnel) Send(turn event.Turn, p []byte) {
	t.conn.turn = turn
	if err := t.content.rs.Send(p); err != nil {
		code, _ := h3.Code(err)
		cancel(t.ref, code)
		t.endWrite()
		t.handleEnd(turn, describe(err))
	}
}

// SendLast sends the last content.
func (t eventTunnel) SendLast(turn event.Turn, p []byte) {
	t.conn.turn = turn
	t.ref.SetPriority(0, true)
	t.content.rs.SendLast(p)
	t.endWrite()
}

// Unsent returns how many bytes given to Send have not been sent.
func (t eventTunnel) Unsent(turn event.Turn) int { return t.unsent(turn) }

// Reset is Abort.
func (t eventTunnel) Reset(code h3.ErrorCode) { t.Abort(ErrorCode(code)) }

// StopReading tells the peer that nothing further will be read.
func (t eventTunnel) StopReading(code h3.ErrorCode) {
	t.ref.CancelRead(uint64(code))
	t.endRead(resetBy(code, "", nil))
}

// PushDatagram takes a datagram that has come in a capsule.
func (t eventTunnel) PushDatagram(p []byte) {
	queue.PushDatagrams(&t.datagrams, [][]byte{p})
}

// CloseDatagrams makes ReceiveDatagram return err once none is left.
func (t eventTunnel) CloseDatagrams(err error) { t.datagrams.Close(err) }

// WhenOver calls f when both directions have ended.
func (t eventTunnel) WhenOver(_ event.Turn, f func()) {
	if t.over.Load() {
		f()
		return
	}
	t.whenOver = append(t.whenOver, f)
}

// readContent reads what has arrived of an event-driven tunnel.
func (t *Tunnel) readContent(turn event.Turn) {
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

// unsent returns how many bytes of an event-driven tunnel have not been sent.
func (t *Tunnel) unsent(turn event.Turn) int { return t.content.rs.Unsent() + t.ref.Unsent() }

// tellWritable tells the handler that everything has been sent.
func (t *Tunnel) tellWritable(turn event.Turn) {
	if t.handler != nil && t.unsent(turn) == 0 {
		t.handler.HandleWritable(turn)
	}
}
