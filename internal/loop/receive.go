package loop

import (
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	// maxBatches is how many batches of messages a turn reads before what
	// they brought about is sent. Each may hold half a megabyte.
	maxBatches = 4
	// defaultReceiveBatch is the number of messages from which a batch counts as
	// full, so that more may be waiting: the slots of a udp.Socket with GRO.
	defaultReceiveBatch = 8
	// turnReceiveTime is for how long a turn takes datagrams: usual ones cost one or
	// two microseconds, but not all are. What is left waits for the next turn.
	turnReceiveTime = 2 * time.Millisecond
	// datagramsPerLook is after how many datagrams the loop looks at the clock, or
	// after the message that they end in.
	datagramsPerLook = 32
)

// receive takes what has arrived. When there is nothing else to do, it sleeps
// until something arrives, the earliest deadline or a post in the mailbox.
func (l *Loop) receive() {
	msgs, err := l.unread, error(nil)
	if len(msgs) == 0 {
		msgs, err = l.await()
	}
	l.now = l.clock()
	l.turns++
	l.takeRefusals()
	end := l.now.Add(turnReceiveTime)
	var left bool
	if l.crowd != nil {
		left, l.broken = l.receiveCrowd(msgs, err, end)
	} else {
		left, l.broken = l.receiveSome(msgs, err, end, maxBatches)
	}
	l.noteRest(left)
}

// receiveSome takes messages, those given and further ones, up to a number of batches and
// while it is not late, and reports whether something is left. What was read of it is in
// unread.
func (l *Loop) receiveSome(msgs []udp.Message, err error, end monotime.Time, batches int) (left bool, _ error) {
	rest := len(l.unread) > 0 // of a full batch
	for batch := 1; err == nil; batch++ {
		l.unread = msgs[l.handleMessages(msgs, end):]
		full := rest || len(msgs) >= l.config.ReceiveBatch
		rest = false
		if len(l.unread) > 0 || !full || batch >= batches {
			return len(l.unread) > 0 || full, nil
		}
		msgs, err = l.sock.TryRecv()
	}
	return false, err
}

// handleMessages takes messages, but no further one when it is late, and returns how
// many.
func (l *Loop) handleMessages(msgs []udp.Message, end monotime.Time) int {
	datagrams := 0
	for i := range msgs {
		l.handleMessage(&msgs[i])
		if datagrams += msgs[i].Count(); datagrams >= datagramsPerLook {
			if l.clock().After(end) {
				return i + 1
			}
			datagrams = 0
		}
	}
	return len(msgs)
}

// await reads the first batch of a turn.
func (l *Loop) await() ([]udp.Message, error) {
	if l.dirty.head != nil || l.handshakes.length > 0 || len(l.items) > 0 || l.commands || l.crowded() || !l.mail.park() {
		return l.sock.TryRecv()
	}
	defer l.mail.unpark()
	if s := l.config.Source; s != nil {
		if !s.Park() {
			return l.sock.TryRecv()
		}
		defer s.Unpark()
	}
	first := l.deadlines.next()
	if first == nil {
		return l.sock.Recv(l.time(0))
	}
	return l.sock.Recv(l.time(first.at))
}

// handleMessage feeds the datagrams of a message to the endpoint, and tells of the
// DATAGRAM frames in them while the message is there.
func (l *Loop) handleMessage(m *udp.Message) {
	l.messages++
	d := engine.Datagram{
		Path: path.Addrs{Local: m.Local, Remote: m.Remote},
		ECN:  path.ECN(m.ECN),
	}
	var train guestTrain
	at := 0
	for data := range m.Datagrams() {
		d.Data = data
		at += len(data)
		if g, ok := l.guestOf(data); ok {
			train.add(m, g, at-len(data), len(data))
			continue
		}
		if l.config.Foreign != nil && !wire.IsQUIC(data) && l.config.Foreign(data, m.Remote) {
			continue
		}
		if l.group == nil || !l.handOver(&d) {
			l.take(&d)
		}
	}
	train.handHome(m)
	l.tellDatagrams()
}

// handleDatagram feeds one datagram to the endpoint, or to a neighbor.
func (l *Loop) handleDatagram(d *engine.Datagram) {
	if l.neighbors.any && l.passOn(d) {
		return
	}
	l.handleOwn(d)
}

// handleOwn feeds one datagram to the endpoint.
func (l *Loop) handleOwn(d *engine.Datagram) {
	e := l.endpoint.HandleDatagram(l.now, *d)
	if e == nil {
		return
	}
	c, known := e.App.(*Conn)
	if !known {
		c = l.newConn(e)
		c.handler = l.config.Accept(c)
	}
	l.received(c)
	l.noteDatagrams(c)
}
