package engine

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Bounds on datagrams waiting to be sent, and received ones waiting to be read
// (RFC 9221, Section 5: they may be dropped for want of room). The oldest goes
// first: what applications send unreliably ages fast.
const (
	maxQueuedDatagrams     = 1024
	maxQueuedDatagramBytes = 1 << 20
)

// maxDatagramFrame is the max_datagram_frame_size announced: any DATAGRAM
// frame that fits into a packet is taken (RFC 9221, Section 3).
const maxDatagramFrame = 65535

// Errors of sending datagrams.
var (
	// ErrDatagramsOff: the peer, or this side, does not take datagrams.
	ErrDatagramsOff = errors.New("datagrams are not enabled on both sides")
	// ErrDatagramTooLarge: the datagram does not fit into a packet.
	ErrDatagramTooLarge = errors.New("datagram too large")
)

// DatagramQueue holds datagrams between the application and the engine, within
// bounds. Its methods may be called by any goroutine.
type DatagramQueue struct {
	mu      sync.Mutex
	account *account // the connection's
	list    [][]byte // from head on
	head    int
	bytes   int
	dropped uint64
	free    [][]byte // buffers to use again
}

const (
	// maxFreeDatagrams bounds the spare buffers a queue keeps.
	maxFreeDatagrams = 64
	// minQueuedDatagramBytes is what a queue may hold when memory is short.
	minQueuedDatagramBytes = 4 << 10
)

// Push appends a copy of data made of the parts given. When the queue is full
// its oldest datagram is dropped and counted.
func (q *DatagramQueue) Push(parts ...[]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var b []byte
	if n := len(q.free); n > 0 {
		b, q.free = q.free[n-1][:0], q.free[:n-1]
	}
	had := cap(b)
	for _, p := range parts {
		b = append(b, p...)
	}
	q.account.holdReceived(int64(cap(b) - had))
	room := q.room()
	for q.len() > 0 && (q.len() >= maxQueuedDatagrams || q.bytes+len(b) > room) {
		q.recycle(q.take())
		q.dropped++
	}
	if q.head > 0 && len(q.list) == cap(q.list) {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, b)
	q.bytes += len(b)
}

// Pop appends the oldest datagram to dst. It returns false when there is none.
func (q *DatagramQueue) Pop(dst []byte) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.len() == 0 {
		return dst, false
	}
	b := q.take()
	dst = append(dst, b...)
	q.recycle(b)
	return dst, true
}

// Len returns how many datagrams wait.
func (q *DatagramQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.len()
}

// Dropped returns how many datagrams were dropped because the queue was full.
func (q *DatagramQueue) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// front returns the length of the oldest datagram.
func (q *DatagramQueue) front() (n int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.len() == 0 {
		return 0, false
	}
	return len(q.list[q.head]), true
}

// discard drops the oldest datagram.
func (q *DatagramQueue) discard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.len() > 0 {
		q.recycle(q.take())
		q.dropped++
	}
}

func (q *DatagramQueue) len() int { return len(q.list) - q.head }

func (q *DatagramQueue) take() []byte {
	b := q.list[q.head]
	q.list[q.head] = nil
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	q.bytes -= len(b)
	return b
}

// room returns how many bytes the queue may hold now.
func (q *DatagramQueue) room() int {
	if q.account == nil || q.account.memory == nil {
		return maxQueuedDatagramBytes
	}
	spare := int64(q.bytes) + q.account.memory.share() - q.account.held()
	return int(min(max(spare, minQueuedDatagramBytes), maxQueuedDatagramBytes))
}

func (q *DatagramQueue) recycle(b []byte) {
	if len(q.free) < maxFreeDatagrams {
		q.free = append(q.free, b)
		return
	}
	q.account.holdReceived(-int64(cap(b)))
}

// trim gives the spare buffers back.
func (q *DatagramQueue) trim() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.free {
		q.account.holdReceived(-int64(cap(b)))
	}
	q.free = nil
}

// Datagrams are the datagrams of a connection that takes them (RFC 9221).
type Datagrams struct {
	In  DatagramQueue // received; EventDatagrams tells of them
	Out DatagramQueue // to be sent by the next PollTransmit

	burst datagramBurst
	limit atomic.Int64 // bytes of data that fit into a packet now, 0: the peer takes none
}

// Limit returns how many bytes of data a datagram may have now, 0 when the
// peer takes none. It may be called by any goroutine.
func (d *Datagrams) Limit() int { return int(d.limit.Load()) }

// Send queues a datagram made of the parts given. It returns ErrDatagramsOff
// or ErrDatagramTooLarge. It may be called by any goroutine.
func (d *Datagrams) Send(parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	switch limit := d.Limit(); {
	case limit == 0:
		return ErrDatagramsOff
	case n > limit:
		return ErrDatagramTooLarge
	}
	d.Out.Push(parts...)
	return nil
}

// Datagrams returns the connection's datagrams, nil when Config.Datagrams is
// off.
func (c *Conn) Datagrams() *Datagrams { return c.datagrams }

// updateDatagramLimit follows the size of packets.
func (c *Conn) updateDatagramLimit() {
	if c.datagrams == nil || c.peer.maxDatagramFrame <= datagramHeader {
		return
	}
	c.mtu.wanted = true // the application asks how large a datagram may be, and does not try
	packet := c.datagramSize() - 1 - c.ids.remote[0].id.Len() - maxPacketNumberLen - protect.Overhead
	c.datagrams.limit.Store(int64(max(0, min(packet, int(c.peer.maxDatagramFrame))-datagramHeader)))
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
	c.datagrams.In.Push(f.Data)
	c.event(EventDatagrams, nil)
	return n, nil
}

// appendDatagrams writes DATAGRAM frames, as many as fit. They are not
// repeated when lost.
func (c *Conn) appendDatagrams(w *frameWriter) {
	if c.datagrams == nil {
		return
	}
	for q := &c.datagrams.Out; c.datagrams.burst.left > 0; {
		n, ok := q.front()
		if !ok {
			return
		}
		if n > c.datagrams.Limit() {
			q.discard() // the path has shrunk since it was queued
			continue
		}
		if w.room() < datagramHeader+n {
			return // in the next packet
		}
		w.b = wire.AppendDatagramHeader(w.b, n)
		w.b, _ = q.Pop(w.b)
		w.sent.Eliciting = true
		c.datagrams.burst.left--
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
	if c.datagrams == nil || c.datagrams.burst.left == 0 || c.hs != nil && !c.hs.confirmed {
		return false
	}
	n, ok := c.datagrams.Out.front()
	sent := &c.numberSpace(wire.AppSpace).sent
	header := 1 + c.ids.remote[0].id.Len() + wire.PacketNumberLen(sent.Next(), sent.LargestAcked())
	return ok && header+datagramHeader+n+protect.Overhead <= size
}
