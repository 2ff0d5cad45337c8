package wtclient

import (
	"context"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/webtransport"
)

// readSize is how much of a stream is shown at a time, in bytes.
const readSize = 64 << 10

// touch notes that something has come.
func (c *client) touch() { c.lastReceived.Store(int64(time.Since(c.start))) }

// receiveDatagrams shows datagrams until the session ends.
func (c *client) receiveDatagrams() {
	for {
		p, err := c.session.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		now := time.Now()
		c.touch()
		c.received.datagrams.Add(1)
		c.received.bytes.Add(uint64(len(p)))
		if c.pinger != nil {
			if reply := c.pinger.receive(now, p); reply != nil {
				c.opts.Printer.print(reply)
				continue
			}
		}
		c.opts.Printer.print(&datagramEvent{stamp{Event: "datagram"}, newContent(p)})
	}
}

// acceptUni shows the server's unidirectional streams until the session ends.
func (c *client) acceptUni() {
	for {
		st, err := c.session.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		c.accepted()
		c.receiving(func() { c.readStream(st, "uni") })
	}
}

// acceptBidi shows the server's bidirectional streams, and answers nothing.
func (c *client) acceptBidi() {
	for {
		st, err := c.session.AcceptStream(context.Background())
		if err != nil {
			return
		}
		c.accepted()
		_ = st.Close()
		c.receiving(func() { c.readStream(&st.ReceiveStream, "bidi") })
	}
}

func (c *client) accepted() {
	c.touch()
	c.received.streams.Add(1)
}

// readStream shows what comes by a stream and how it ends.
func (c *client) readStream(st *webtransport.ReceiveStream, kind string) {
	id := st.ID()
	buf := make([]byte, readSize)
	kept, total := 0, 0 // bytes at the beginning of buf, and in all
	for {
		n, err := st.Read(buf[kept:])
		total += n
		c.received.bytes.Add(uint64(n))
		c.touch()
		ready := kept + n
		if err == nil {
			ready = wholeRunes(buf[:ready])
		}
		if ready > 0 {
			c.opts.Printer.print(&dataEvent{stamp{Event: "data"}, id, kind, newContent(buf[:ready])})
		}
		kept = copy(buf, buf[ready:kept+n])
		if err != nil {
			c.opts.Printer.print(newEnd(id, kind, total, err))
			return
		}
	}
}

// newEnd tells how a stream has ended.
func newEnd(id uint64, kind string, total int, err error) *endEvent {
	e := &endEvent{stamp: stamp{Event: "end"}, ID: id, Kind: kind, Bytes: total}
	var (
		cancelled *webtransport.StreamError
		closed    *webtransport.SessionError
	)
	switch {
	case err == io.EOF:
	case errors.As(err, &cancelled) && cancelled.IsApplication:
		e.ResetCode = &cancelled.Code
	case errors.As(err, &closed):
		e.Error = "the session has ended"
	default:
		e.Error = err.Error()
	}
	return e
}

// wholeRunes returns the length of p without a character at its end whose rest is
// still to come.
func wholeRunes(p []byte) int {
	for i := len(p) - 1; i >= max(0, len(p)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}
