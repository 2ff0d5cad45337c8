package port

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// wtStream carries the bytes of a stream of a session, and is told of it.
type wtStream struct {
	wt      *wtConn
	session *session // nil while it is not known
	ref     event.Stream
	machine *wt.Stream // nil before one of this end's may be wanted
	stream  *stream    // nil while the host does not know of it
	now     bool       // it is to be opened at once, or not at all
}

// HandleReadable implements event.StreamHandler: the header, and what follows it.
func (x *wtStream) HandleReadable(t event.Turn, ref event.Stream) {
	h := x.wt.http
	h.turn = t
	var buf [8]byte
	for missing := x.machine.Missing(); missing > 0 && x.stream == nil; missing = x.machine.Missing() {
		n, err := t.Read(ref, buf[:min(missing, len(buf))])
		switch {
		case n > 0:
			x.wt.machine.HandleHeader(now(t), x.machine, buf[:n])
			x.wt.pump()
		case err != nil:
			x.wt.machine.HandleHeaderEnd(x.machine)
			x.wt.pump()
			return
		default:
			return
		}
	}
	if x.stream != nil {
		x.stream.deliver(t)
	}
}

// HandleWritable implements event.StreamHandler.
func (x *wtStream) HandleWritable(t event.Turn, _ event.Stream) {
	x.wt.http.turn = t
	if x.stream != nil {
		x.stream.flush(t)
	}
}

// HandleEnd implements event.StreamHandler.
func (x *wtStream) HandleEnd(t event.Turn, ref event.Stream, end event.End) {
	x.wt.http.turn = t
	switch end.Kind {
	case event.PeerReset:
		if x.stream != nil {
			x.stream.peerFailed(x.describe(end.Err))
			ref.CancelRead(end.Err.Code) // what came before is not wanted
		}
	case event.ReceivingCut:
		x.machine.HandleDiscarded(end.Lost)
		x.machine.HandleReset()
		if x.stream != nil {
			x.machine.ReceiveOver()
		}
	case event.SendingCut:
		x.machine.Unused(end.Lost)
		x.machine.SendOver()
		if x.stream != nil && end.Err.Remote {
			x.stream.peerStopped(x.describe(end.Err))
		}
	case event.StreamEnded:
		if x.stream != nil {
			x.stream.end(&none)
		}
		if x.session != nil {
			delete(x.session.streams, x)
		}
		t.Release(ref)
	}
}

// describe describes how a half was cancelled, with an application's code if it has one.
func (x *wtStream) describe(err *quic.StreamError) *failure {
	f := describe(err)
	if code, ok := wt.FromHTTP(err.Code); ok {
		f.code = uint64(code)
	} else {
		f.kind = ErrHTTP
	}
	return f
}

// accept tells the host of a stream of the peer's.
func (x *wtStream) accept(s *session) {
	h := x.wt.http
	x.session = s
	s.streams[x] = struct{}{}
	x.stream = h.newStream(h.newID(), x)
	x.stream.remote, x.stream.session = true, s.id
	x.stream.uni = x.machine.Kind() == wt.Uni
	x.stream.out.over = x.stream.uni
	h.put(x.stream.info(EvStream, s.id))
	x.stream.deliver(h.turn)
}

// want has a stream of the host's opened, in a session that is there.
func (x *wtStream) want() {
	if x.stream.ended {
		return
	}
	x.session.streams[x] = struct{}{}
	kind := wt.Bidi
	if x.stream.uni {
		kind = wt.Uni
	}
	x.machine = x.session.machine.Open(kind)
	x.machine.App = x
	may, _ := x.machine.MayOpen()
	switch {
	case may:
		x.mayOpen()
	case x.now:
		x.refuse()
	}
}

// mayOpen opens a stream that the session's limits allow, or whose session has ended.
func (x *wtStream) mayOpen() {
	if _, err := x.machine.MayOpen(); err != nil || x.stream.ended {
		x.abandon()
		if err != nil {
			x.stream.end(describe(err))
		}
		return
	}
	if x.now && (len(x.wt.opening) > 0 || !x.openNow()) {
		x.refuse()
	} else if !x.now {
		x.wt.open(x.openNow)
	}
}

// refuse ends a stream that could not be opened at once.
func (x *wtStream) refuse() {
	x.abandon()
	x.stream.end(errNoStream)
}

// abandon gives up a stream that was never open.
func (x *wtStream) abandon() {
	x.machine.Abandon()
	delete(x.session.streams, x)
}

// openNow opens a stream of QUIC's, if the peer allows one, and writes the header that
// ties it to the session.
func (x *wtStream) openNow() bool {
	t := x.wt.http.turn
	if x.stream.ended {
		x.abandon()
		return true
	}
	ref, err := t.Open(x.stream.uni, x)
	switch {
	case err == event.ErrStreamLimit:
		return false
	case err != nil:
		x.abandon()
		x.stream.end(describe(err))
		return true
	}
	x.ref = ref
	_, _ = t.Write(ref, x.machine.AppendHeader(nil)) // its error is that of the next
	ref.MarkReliable()
	if x.machine.Opened(ref.ID()) != nil {
		return true // the session has ended, and the machine cancels the stream
	}
	x.wt.http.put(x.stream.info(EvOpened, x.session.id))
	x.stream.begin(t)
	return true
}

// A wtStream is a carrier.

func (x *wtStream) open(event.Turn, *stream) error { return nil } // want does

func (x *wtStream) streamID() uint64 { return x.ref.ID() }

func (x *wtStream) read(t event.Turn, p []byte) (int, error) {
	n, err := t.Read(x.ref, p)
	if n > 0 {
		x.machine.Consumed(now(t), n)
	}
	if err != nil {
		x.machine.ReceiveOver()
	}
	return n, err
}

func (x *wtStream) write(t event.Turn, p []byte, fin bool) (n int, err error) {
	for n < len(p) {
		rest := p[n:]
		allowed, err := x.machine.Allow(len(rest)) // also after a part, so that an event tells when the rest may
		if err != nil || allowed == 0 {
			return n, err
		}
		if fin && allowed == len(rest) && (len(rest) <= smallLast || x.ref.Room() >= len(rest)) {
			x.machine.Finish(now(t), 0) // which need not wait, as there are bytes
			m, err := t.WriteLast(x.ref, rest)
			return n + m, err
		}
		m, err := t.Write(x.ref, rest[:allowed])
		x.machine.Unused(uint64(allowed - m))
		n += m
		if err != nil {
			x.machine.SendOver()
			return n, err
		}
		if m < allowed {
			return n, nil
		}
	}
	if len(p) == 0 && fin && x.machine.Finish(now(t), x.wt.http.q.Stats().SmoothedRTT) {
		_, err = t.WriteLast(x.ref, nil)
	}
	return n, err
}

func (x *wtStream) reset(_ event.Turn, code uint64) {
	x.ref.CancelWrite(wt.ToHTTP(uint32(min(code, 1<<32-1))))
	x.machine.SendOver()
}

func (x *wtStream) stop(_ event.Turn, code uint64) {
	x.ref.CancelRead(wt.ToHTTP(uint32(min(code, 1<<32-1))))
	x.machine.ReceiveOver()
}

func (x *wtStream) prioritize(urgency uint8, incremental bool) {
	x.ref.SetPriority(urgency, incremental)
}

func (x *wtStream) commit() { x.ref.MarkReliable() }

// failed describes a reset. The session's or the connection's end is told in its own
// event.
func (x *wtStream) failed(err error) *failure {
	var cancelled *quic.StreamError
	if errors.As(err, &cancelled) {
		return x.describe(cancelled)
	}
	return nil
}
