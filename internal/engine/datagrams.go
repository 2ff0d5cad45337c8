package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxDatagramFrame is the max_datagram_frame_size announced: any DATAGRAM
// frame that fits into a packet is taken (RFC 9221, Section 3).
const maxDatagramFrame = 65535

// Datagrams are the datagrams of a connection that takes them (RFC 9221).
type Datagrams struct {
	Out streambuf.DatagramQueue // to be sent by the next PollTransmit

	received [][]byte // and not polled
	dropped  uint64   // received, and not kept
	burst    datagramBurst
}

// Datagrams returns the connection's datagrams, nil when Config.Datagrams is
// off.
func (c *Conn) Datagrams() *Datagrams { return c.datagrams }

// updateDatagramLimit follows the size of packets.
func (c *Conn) updateDatagramLimit() {
	if c.datagrams == nil {
		return
	}
	if c.peer.maxDatagramFrame <= datagramHeader {
		c.datagrams.Out.SetLimit(0)
		return
	}
	c.paths.Current.MTU.Want() // the application asks how large a datagram may be, and does not try
	packet := c.datagramSize() - 1 - c.paths.Current.Peer.ID.Len() - maxPacketNumberLen - protect.Overhead
	c.datagrams.Out.SetLimit(max(0, min(packet, int(c.peer.maxDatagramFrame))-datagramHeader))
}

const (
	// datagramHeader is a DATAGRAM frame without data: type and length.
	datagramHeader     = 1 + 2
	maxPacketNumberLen = 4
)

// handleDatagramFrame takes a DATAGRAM frame (RFC 9221, Section 4).
func (c *Conn) handleDatagramFrame(t wire.FrameType, b []byte) (int, *TransportError) {
	if c.datagrams == nil {
		return 0, protocolError(wire.ProtocolViolation, t, "DATAGRAM was not negotiated") // Section 3
	}
	var f wire.Datagram
	n := wire.ConsumeDatagram(t, b, &f)
	if n < 0 {
		return n, nil
	}
	d := c.datagrams
	switch len(d.received) {
	case 0:
		d.received = c.endpoint.spare.datagrams[:0]
		c.endpoint.spare.datagrams = nil
		c.event(EventDatagrams, nil)
	case maxReceivedDatagrams:
		d.dropped++
		return n, nil
	}
	d.received = append(d.received, f.Data[:len(f.Data):len(f.Data)])
	return n, nil
}

// maxReceivedDatagrams bounds the datagrams that wait to be polled: what packets of
// usual size hold of the smallest. A driver polls after a few packets.
const maxReceivedDatagrams = 1024

// ReceivedDatagrams returns how many datagrams PollDatagrams would return.
func (c *Conn) ReceivedDatagrams() int {
	if c.datagrams == nil {
		return 0
	}
	return len(c.datagrams.received)
}

// PollDatagrams returns the datagrams that have arrived and were not polled, in their
// order. The list is the caller's until the endpoint handles the next packet. The
// datagrams lie in what Endpoint.HandleDatagram was given, and are valid as long as
// that is.
func (c *Conn) PollDatagrams() [][]byte {
	if c.datagrams == nil {
		return nil
	}
	list := c.datagrams.received
	c.datagrams.received = nil
	if cap(list) > 0 {
		c.endpoint.spare.datagrams = list
	}
	return list
}

// appendDatagrams writes DATAGRAM frames, as many as fit. They are not
// repeated when lost.
func (c *Conn) appendDatagrams(w *frameWriter) {
	if c.datagrams == nil || c.datagrams.burst.left == 0 {
		return
	}
	b, n := c.datagrams.Out.AppendTo(w.b, w.max, c.datagrams.burst.left, datagramHeader, wire.AppendDatagramHeader)
	if n > 0 {
		w.b = b
		w.sent.AckEliciting = true
		c.datagrams.burst.left -= n
	}
}

// endDatagramTrain follows a train that left allowed DATAGRAM frames in.
func (c *Conn) endDatagramTrain(now monotime.Time, allowed int) {
	d := c.datagrams
	if at := d.burst.end(now, allowed-d.burst.left, d.Out.Len()); !at.IsZero() {
		c.deadlines[slotPacing] = monotime.Earliest(c.deadlines[slotPacing], at)
	}
}

// datagramFits reports whether a datagram waits that fits into a packet of size bytes.
func (c *Conn) datagramFits(size int) bool {
	if c.datagrams == nil || c.datagrams.burst.left == 0 || !c.confirmed() {
		return false
	}
	n, ok := c.datagrams.Out.Front()
	sent := &c.numberSpace(wire.AppSpace).sent
	header := 1 + c.paths.Current.Peer.ID.Len() + wire.PacketNumberLen(sent.Next(), sent.LargestAcked())
	return ok && header+datagramHeader+n+protect.Overhead <= size
}

// maxTrainPadding is how many bytes of PADDING a packet gets so that a train goes on: what
// an ACK frame takes in the first packet, and less than the system call that another
// train costs.
const maxTrainPadding = 48

// padForTrain makes a packet of a train as long as the others if a datagram is left for
// which it has no room, and little is missing.
func (c *Conn) padForTrain(w *frameWriter) {
	if missing := w.room(); missing > 0 && missing <= maxTrainPadding &&
		c.datagrams != nil && c.datagrams.burst.left > 0 && c.datagrams.Out.Len() > 0 {
		w.pad(missing)
	}
}
