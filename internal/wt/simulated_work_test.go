package wt_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/test/simwt"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
)

// simWork is what one end does in a session: it opens streams of both kinds, of which
// it resets one; what comes on bidirectional ones it sends back; and it sends datagrams.
// When both have everything, the client closes.
type simWork struct {
	end       *simEnd
	wanted    [2]int // streams that were asked for, by kind
	streams   []*simStream
	waiting   []*wt.Stream // that the connection does not allow yet
	datagrams int
}

const (
	simStreams   = 5 // of each kind, of each end; more than may be open at a time
	simDatagrams = 20
	simReset     = 3 // which of them is reset
	simCode      = 77
)

// simStream is a stream of either end's.
type simStream struct {
	*simwt.Stream
	own     bool
	toSend  []byte
	got     bytes.Buffer
	number  int
	sent    bool // the end, or a reset
	over    bool // everything has been read
	lastErr error
}

// content is what is sent on stream number n of a kind.
func content(k wt.Kind, n int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%d-%d ", k, n)), 700*n)
}

func (w *simWork) act(now monotime.Time) {
	e := w.end
	for k := range w.wanted {
		for w.wanted[k] < simStreams {
			w.wanted[k]++
			st := e.session.Open(wt.Kind(k))
			if may, _ := st.MayOpen(); may {
				w.open(now, st)
			}
		}
		for st := e.sessions.Accept(e.session, wt.Kind(k)); st != nil; st = e.sessions.Accept(e.session, wt.Kind(k)) {
			w.add(now, st, false)
		}
	}
	waiting := w.waiting
	w.waiting = nil
	for _, st := range waiting {
		w.open(now, st)
	}
	for ; w.datagrams < simDatagrams; w.datagrams++ {
		text := fmt.Sprintf("datagram %d of side %d", w.datagrams, e.side)
		_ = e.requests[len(e.requests)-1].SendDatagram([]byte(text))
	}
	e.sessions.Run(now)
	if e.side == wire.ClientSide && w.done() && e.peer.work.done() {
		e.session.Close(now, 7, "done")
		e.sessions.Run(now)
	}
}

// open opens a stream, or has it opened when the connection allows it.
func (w *simWork) open(now monotime.Time, machine *wt.Stream) {
	if st := w.end.sessions.Open(now, machine); st != nil {
		w.add(now, st, true)
	} else {
		w.waiting = append(w.waiting, machine)
	}
}

func (w *simWork) add(now monotime.Time, st *simwt.Stream, own bool) {
	x := &simStream{Stream: st, own: own}
	st.App = x
	if own {
		for _, s := range w.streams {
			if s.own && s.Kind() == st.Kind() {
				x.number++
			}
		}
		x.toSend = content(st.Kind(), x.number)
		x.over = st.Kind() == wt.Uni
	} else if st.Kind() == wt.Uni {
		x.sent = true
	}
	w.streams = append(w.streams, x)
	w.write(now, st)
	w.read(now, st)
}

// write writes what there is to be written.
func (w *simWork) write(now monotime.Time, st *simwt.Stream) {
	x, ok := st.App.(*simStream)
	if !ok || x.sent {
		return
	}
	for len(x.toSend) > 0 {
		n, err := st.Write(now, x.toSend)
		x.toSend = x.toSend[n:]
		if err != nil {
			x.sent = true
			return
		}
		if n == 0 {
			return
		}
	}
	switch {
	case x.own && x.number == simReset:
		x.sent = true
		st.CancelWrite(now, simCode)
	case x.own || x.over:
		x.sent = true
		st.Close(now)
	}
}

// read reads what has come, and sends it back.
func (w *simWork) read(now monotime.Time, st *simwt.Stream) {
	x, ok := st.App.(*simStream)
	if !ok {
		return
	}
	var b [2000]byte
	for !x.over {
		n, err := st.Read(now, b[:])
		x.got.Write(b[:n])
		if !x.own && st.Kind() == wt.Bidi {
			x.toSend = append(x.toSend, b[:n]...)
		}
		if err != nil {
			x.over, x.lastErr = true, err
		} else if n == 0 {
			break
		}
	}
	w.write(now, st)
}

// HandleStreamWritable implements simwt.Application.
func (e *simEnd) HandleStreamWritable(now monotime.Time, st *simwt.Stream) { e.work.write(now, st) }

// done reports whether all streams of both ends are over.
func (w *simWork) done() bool {
	if len(w.streams) < 4*simStreams {
		return false
	}
	for _, x := range w.streams {
		if !x.over || !x.sent {
			return false
		}
	}
	return true
}

// check wants every stream to have brought what was sent.
func (w *simWork) check() error {
	seen := make(map[string]bool)
	for _, x := range w.streams {
		got := x.got.Bytes()
		cancelled, isReset := x.lastErr.(*simwt.ResetError)
		switch {
		case x.own && x.Kind() == wt.Uni:
			continue
		case isReset && !x.own:
			if code, ok := wt.FromHTTP(cancelled.Code); !ok || code != simCode || !bytes.HasPrefix(content(x.Kind(), simReset), got) {
				return fmt.Errorf("stream %d of kind %d was reset with %d after %d bytes", x.ID(), x.Kind(), code, len(got))
			}
			continue
		case x.own && x.number == simReset:
			continue // it is echoed in part
		case x.lastErr != io.EOF && w.end.side == wire.ClientSide:
			return fmt.Errorf("stream %d of kind %d ended with %v after %d bytes", x.ID(), x.Kind(), x.lastErr, len(got))
		}
		found := false
		for n := range simStreams {
			found = found || bytes.Equal(got, content(x.Kind(), n))
		}
		if !found && w.end.side == wire.ClientSide {
			return fmt.Errorf("stream %d of kind %d brought %d bytes of none's", x.ID(), x.Kind(), len(got))
		}
		seen[fmt.Sprint(x.Kind(), string(got))] = true
	}
	if want := 2 * (simStreams - 1); len(seen) < want && w.end.side == wire.ClientSide {
		return fmt.Errorf("%d streams were seen whole, want %d", len(seen), want)
	}
	return nil
}
