package udp

import "sync/atomic"

// Stats is a snapshot of what a socket has done and what it may use. Counters
// start at zero with the socket. They are read one by one, so a snapshot taken
// while the loop runs may be off by one call between them.
type Stats struct {
	// Datagrams and payload bytes handed to the owner, and the calls that
	// brought any.
	ReceivedDatagrams, ReceivedBytes, ReceiveCalls uint64

	// Datagrams and payload bytes that the kernel took, and the calls for it.
	SentDatagrams, SentBytes, SendCalls uint64

	// ReceiveDrops counts datagrams that came truncated, because larger than
	// a receive buffer, and were not handed on.
	ReceiveDrops uint64

	// SendDrops counts datagrams given up because the kernel had no room for
	// them within the time that Send waits.
	SendDrops uint64

	// ReceiveErrors and SendErrors count errors that say nothing about the
	// socket, such as an ICMP port unreachable, and were ignored.
	ReceiveErrors, SendErrors uint64

	// GSO, GRO and ECN tell which facilities are in use. GSO turns false when
	// the route in use cannot do it.
	GSO, GRO, ECN bool

	// ReadBuffer and WriteBuffer are what the kernel gave, in bytes of the
	// unit in which they are asked for; 0 where the system does not tell.
	ReadBuffer, WriteBuffer int
}

// counters are Stats in the making: written by the owner, read by anybody.
type counters struct {
	receivedDatagrams, receivedBytes, receiveCalls atomic.Uint64
	sentDatagrams, sentBytes, sendCalls            atomic.Uint64
	receiveDrops, sendDrops                        atomic.Uint64
	receiveErrors, sendErrors                      atomic.Uint64

	gso                     atomic.Bool
	gro, ecn                bool // set before the socket is shared
	readBuffer, writeBuffer int  // likewise
}

// received notes one call that brought messages.
func (c *counters) received(msgs []Message) {
	if len(msgs) == 0 {
		return
	}
	var datagrams, size int
	for i := range msgs {
		datagrams += msgs[i].Count()
		size += len(msgs[i].Data)
	}
	c.receiveCalls.Add(1)
	c.receivedDatagrams.Add(uint64(datagrams))
	c.receivedBytes.Add(uint64(size))
}

// sent notes one call that the kernel accepted.
func (c *counters) sent(size, segment int) {
	c.sendCalls.Add(1)
	c.sentDatagrams.Add(uint64(segments(size, segment)))
	c.sentBytes.Add(uint64(size))
}

func (c *counters) snapshot() Stats {
	return Stats{
		ReceivedDatagrams: c.receivedDatagrams.Load(),
		ReceivedBytes:     c.receivedBytes.Load(),
		ReceiveCalls:      c.receiveCalls.Load(),
		SentDatagrams:     c.sentDatagrams.Load(),
		SentBytes:         c.sentBytes.Load(),
		SendCalls:         c.sendCalls.Load(),
		ReceiveDrops:      c.receiveDrops.Load(),
		SendDrops:         c.sendDrops.Load(),
		ReceiveErrors:     c.receiveErrors.Load(),
		SendErrors:        c.sendErrors.Load(),
		GSO:               c.gso.Load(),
		GRO:               c.gro,
		ECN:               c.ecn,
		ReadBuffer:        c.readBuffer,
		WriteBuffer:       c.writeBuffer,
	}
}
