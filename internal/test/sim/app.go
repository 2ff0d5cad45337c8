package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Work is what the two applications do: the client opens Streams
// bidirectional streams and sends Upload bytes on each, the server answers
// each with Download bytes, and as many unidirectional streams carry Upload
// bytes each way. Then the client closes, or with Idle neither side does.
type Work struct {
	Streams, UniStreams int
	Upload, Download    int
	Idle                bool
	UpdateKeys          bool // both sides update keys as often as they may
	Resets              int  // further unidirectional streams of the client, reset with a reliable beginning
	Datagrams           int  // datagrams of the client, echoed by the server
}

// doneCode is the application error code with which the client closes.
const doneCode = 7

// app is the application on one side.
type app struct {
	host      *host
	rand      *rand.Rand
	ready     bool // the handshake is complete
	readyAt   monotime.Time
	doneAt    monotime.Time // when the client had all and closed
	opened    int
	uni       int
	streams   map[wire.StreamID]*transfer
	datagrams int // sent by the client, or received by it
	echoed    int
	arrived   int // streams received whole
	sent      int // streams acknowledged whole
	closing   bool
}

// transfer is one stream's progress.
type transfer struct {
	stream  *engine.Stream
	toSend  int
	want    int
	written int
	read    int
	closed  bool // FIN written, or reset
	resets  bool // one of Work.Resets
	whole   bool // FIN read
}

func newApp(h *host, r *rand.Rand) *app {
	return &app{host: h, rand: r, streams: make(map[wire.StreamID]*transfer)}
}

// pattern is the byte at an offset of what side sends on a stream.
func pattern(side wire.Side, id wire.StreamID, off int) byte {
	return byte(off) ^ byte(off>>8)*3 ^ byte(id)*7 ^ byte(side)*0x55
}

func (a *app) handle(now monotime.Time, e engine.Event) error {
	switch e.Kind {
	case engine.EventHandshakeComplete:
		a.ready, a.readyAt = true, now
	case engine.EventEarly:
		a.ready = true
	case engine.EventStreamOpened:
		if a.streams[e.Stream.ID] != nil {
			return fmt.Errorf("stream %d opened twice", e.Stream.ID)
		}
		a.add(e.Stream)
	case engine.EventStreamSent:
		a.sent++
	}
	return nil
}

func (a *app) add(s *engine.Stream) *transfer {
	w := a.host.run.Work
	t := &transfer{stream: s}
	t.resets = s.ID.Uni() && s.ID.Initiator() == wire.ClientSide && int(s.ID.Seq()) >= w.UniStreams
	mine := s.ID.Initiator() == a.host.side
	if s.Sends() {
		t.toSend = w.Upload
		if !s.ID.Uni() && a.host.side == wire.ServerSide {
			t.toSend = w.Download
		}
	}
	if s.Receives() {
		t.want = w.Upload
		if !s.ID.Uni() && mine && a.host.side == wire.ClientSide {
			t.want = w.Download
		}
	}
	a.streams[s.ID] = t
	return t
}

// act opens, writes, reads and closes as far as it can go now.
func (a *app) act(now monotime.Time) error {
	if !a.ready || a.host.closed != nil {
		return nil
	}
	c := a.host.conn
	a.open(c)
	for id := range a.ordered() {
		t := a.streams[id]
		if err := a.write(c, t); err != nil {
			return err
		}
		if err := a.read(now, c, t); err != nil {
			return err
		}
	}
	if err := a.exchangeDatagrams(c); err != nil {
		return err
	}
	w := a.host.run.Work
	if w.UpdateKeys {
		_ = c.UpdateKeys(now) // too soon, mostly
	}
	if a.host.side == wire.ClientSide && !w.Idle && !a.closing && a.done() {
		a.closing, a.doneAt = true, now
		c.Close(now, doneCode, "done")
	}
	return nil
}

// ordered yields the stream IDs in order: maps have none.
func (a *app) ordered() func(func(wire.StreamID) bool) {
	return func(yield func(wire.StreamID) bool) {
		w := a.host.run.Work
		limit := wire.StreamID(4 * (w.Streams + w.UniStreams + w.Resets + 1))
		for id := wire.StreamID(0); id < limit; id++ {
			if a.streams[id] != nil && !yield(id) {
				return
			}
		}
	}
}

func (a *app) open(c *engine.Conn) {
	w := a.host.run.Work
	for a.host.side == wire.ClientSide && a.opened < w.Streams {
		s, err := c.OpenStream(false)
		if err != nil {
			break
		}
		a.opened++
		a.add(s)
	}
	wanted := w.UniStreams
	if a.host.side == wire.ClientSide {
		wanted += w.Resets
	}
	for a.uni < wanted {
		s, err := c.OpenStream(true)
		if err != nil {
			break
		}
		a.uni++
		a.add(s)
	}
}

func (a *app) write(c *engine.Conn, t *transfer) error {
	if !t.stream.Sends() || t.closed {
		return nil
	}
	if t.resets {
		return a.writeAndReset(c, t)
	}
	for t.written < t.toSend {
		b := make([]byte, min(1+a.rand.IntN(50_000), t.toSend-t.written))
		for i := range b {
			b[i] = pattern(a.host.side, t.stream.ID, t.written+i)
		}
		n, err := t.stream.Send.Write(b)
		if err != nil {
			return fmt.Errorf("write to stream %d: %w", t.stream.ID, err)
		}
		t.written += n
		if n < len(b) {
			c.StreamWritten(t.stream)
			return nil
		}
	}
	t.closed = true
	if err := t.stream.Send.CloseWrite(); err != nil {
		return err
	}
	c.StreamWritten(t.stream)
	return nil
}

func (a *app) read(now monotime.Time, c *engine.Conn, t *transfer) error {
	if !t.stream.Receives() || t.whole {
		return nil
	}
	b := make([]byte, 1+a.rand.IntN(20_000))
	for {
		n, err := t.stream.Recv.Read(b)
		for i, got := range b[:n] {
			if want := pattern(a.host.side.Peer(), t.stream.ID, t.read+i); got != want {
				return fmt.Errorf("stream %d: byte %d is %#x, want %#x", t.stream.ID, t.read+i, got, want)
			}
		}
		t.read += n
		if t.stream.Recv.Consumed() {
			c.StreamConsumed(now, t.stream)
		}
		switch {
		case t.resets && err != nil:
			var reset *engine.StreamError
			if !errors.As(err, &reset) || reset.Code != resetCode || !reset.Remote || t.read < reliableBytes {
				return fmt.Errorf("stream %d ended after %d bytes with %v, want a reset after %d", t.stream.ID, t.read, err, reliableBytes)
			}
			t.whole = true
			a.arrived++
			return nil
		case err == io.EOF:
			if t.read != t.want {
				return fmt.Errorf("stream %d: %d bytes, want %d", t.stream.ID, t.read, t.want)
			}
			t.whole = true
			a.arrived++
			return nil
		case err != nil:
			return fmt.Errorf("read from stream %d: %w", t.stream.ID, err)
		case n == 0:
			return nil
		}
	}
}

// done reports whether everything was sent, acknowledged and received.
func (a *app) done() bool {
	w := a.host.run.Work
	return a.arrived == w.Streams+w.UniStreams && a.sent == w.Streams+w.UniStreams+w.Resets && a.datagramsDone()
}

func (a *app) describe() string {
	return fmt.Sprintf("ready %v, %d streams known, %d whole, %d acknowledged", a.ready, len(a.streams), a.arrived, a.sent)
}

// checkEnd looks at how the run ended.
func (r *Run) checkEnd() error {
	if r.Work.Idle {
		if !errors.As(r.client.closed, new(*engine.IdleTimeoutError)) {
			return fmt.Errorf("client ended with %v, not with an idle timeout", r.client.closed)
		}
		return r.checkWhole()
	}
	var own *engine.ApplicationError
	if !errors.As(r.client.closed, &own) || own.Remote || own.Code != doneCode {
		return fmt.Errorf("client ended with %v: %s", r.client.closed, r.describe())
	}
	if r.server.conn == nil {
		return errors.New("the server never saw the client")
	}
	if n := r.client.mover.moves; n < r.Moves.Least {
		return fmt.Errorf("the client moved %d times: %s", n, r.describe())
	}
	// The CONNECTION_CLOSE may have been lost: then the server idles out.
	var code *engine.ApplicationError
	var reset = errors.Is(r.server.closed, engine.ErrStatelessReset)
	if errors.As(r.server.closed, &code) {
		if !code.Remote || code.Code != doneCode || code.Reason != "done" {
			return fmt.Errorf("server ended with %v", r.server.closed)
		}
	} else if r.Early == AcceptedEarlyData && r.closedEarly() {
		// The client was done before the server's handshake was.
	} else if !reset && !errors.As(r.server.closed, new(*engine.IdleTimeoutError)) {
		return fmt.Errorf("server ended with %v", r.server.closed)
	}
	return r.checkWhole()
}

// closedEarly reports whether the server was told that the client's application closed,
// which does not say more before the handshake is complete (RFC 9000, Section 10.2.3).
func (r *Run) closedEarly() bool {
	var err *engine.TransportError
	return errors.As(r.server.closed, &err) && err.Remote && err.Code == wire.ApplicationError
}

func (r *Run) checkWhole() error {
	for _, h := range []*host{r.client, r.server} {
		w := r.Work
		want := w.Streams + w.UniStreams
		if h.side == wire.ServerSide {
			want += w.Resets
		}
		if h.app.arrived != want {
			return fmt.Errorf("%v received %d of %d streams whole", h.side, h.app.arrived, want)
		}
		if n := h.endpoint.Conns(); n != 0 {
			return fmt.Errorf("%v still has %d connections", h.side, n)
		}
		if err := h.endpoint.CheckEmpty(); err != nil {
			return fmt.Errorf("%v: %w", h.side, err)
		}
	}
	return nil
}
