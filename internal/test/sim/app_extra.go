package sim

import (
	"encoding/binary"
	"fmt"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Streams of Work.Resets: the first reliableBytes must arrive in spite of the
// reset, of what follows as much as chance will have it.
const (
	reliableBytes = 700
	unreliable    = 20_000
	resetCode     = 9
)

// writeAndReset writes, marks the beginning reliable and resets at once.
func (a *app) writeAndReset(c *engine.Conn, t *transfer) error {
	b := make([]byte, reliableBytes+unreliable)
	for i := range b {
		b[i] = pattern(a.host.side, t.stream.ID, i)
	}
	if _, err := t.stream.Send.Write(b[:reliableBytes]); err != nil {
		return err
	}
	t.stream.Send.MarkReliable()
	if _, err := t.stream.Send.Write(b[reliableBytes:]); err != nil {
		return err
	}
	t.closed = true
	c.StreamWritten(t.stream)
	c.ResetStream(t.stream, resetCode)
	return nil
}

// exchangeDatagrams sends the client's datagrams, a few at a time, and echoes
// them on the server. They may be lost, but must not change or multiply.
func (a *app) exchangeDatagrams(c *engine.Conn) error {
	w := a.host.run.Work
	d := c.Datagrams()
	if w.Datagrams == 0 || d == nil {
		return nil
	}
	for _, in := range c.PollDatagrams() {
		if err := a.takeDatagram(d, in); err != nil {
			return err
		}
	}
	for n := 0; a.host.side == wire.ClientSide && a.datagrams < w.Datagrams && n < 5; n++ {
		if err := d.Out.Send(datagram(a.datagrams)); err != nil {
			return fmt.Errorf("datagram %d: %w", a.datagrams, err)
		}
		a.datagrams++
	}
	return nil
}

func (a *app) takeDatagram(d *engine.Datagrams, b []byte) error {
	if len(b) < 4 || string(b) != string(datagram(int(binary.BigEndian.Uint32(b)))) {
		return fmt.Errorf("datagram of %d bytes differs", len(b))
	}
	if a.echoed++; a.echoed > a.host.run.Work.Datagrams {
		return fmt.Errorf("more datagrams than were sent")
	}
	if a.host.side == wire.ServerSide {
		return d.Out.Send(b)
	}
	return nil
}

// datagram returns the datagram number n; they have different lengths.
func datagram(n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	return append(b, make([]byte, n*37%1000)...)
}

// datagramsDone reports whether the client has sent all its datagrams.
func (a *app) datagramsDone() bool {
	return a.host.side == wire.ServerSide || a.datagrams == a.host.run.Work.Datagrams
}
