package loop

import (
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/udp"
)

// All who send to a socket share its buffer. When a loop takes out less than comes in,
// the kernel loses what does not fit, whoever it is of, and those who send the most get
// the most of what is left. So a loop that is crowded reads on until the socket is empty,
// and chooses itself: a flow, which is a connection or a source of strangers, has a share
// of each turn; what it sends beyond that waits, and is handled when all others had their
// share; and what finds no room to wait is dropped, as in a network that is crowded. As
// long as one flow is there alone, nothing of that happens.
const (
	// crowdedTime is for how long a loop counts as crowded after the last turn that left
	// something, and crowdedMost for how long without dropping one in crowdedShed: of what
	// congestion control sends, less is dropped.
	crowdedTime = 100 * time.Millisecond
	crowdedMost = time.Second
	crowdedShed = 4
	// A turn handles flowShare datagrams of a flow as they come: about what a handshake or
	// a burst of requests takes. Many flows have less each, turnShares together, but
	// leastShare. So many are also handled of one that waits before the next one's.
	flowShare  = 16
	leastShare = 2
	turnShares = 256
	// calmTurns is after how many turns without a datagram a flow is not to blame for the
	// crowd: what comes of it then does not wait as long as there is any time.
	calmTurns = 4
	// crowdReadTime is for how long a turn handles datagrams as they come; later ones wait.
	// The rest of turnReceiveTime is for those that do.
	crowdReadTime = turnReceiveTime / 2
	// maxCrowdRead is how many datagrams a turn reads of a crowded socket: more than most
	// sockets hold, and about a millisecond's work if all are dropped.
	maxCrowdRead = 1 << 14
	// littleWaiting is less than a flow of strangers has that is to blame for the crowd.
	littleWaiting = MaxWaitingBytes / 8
	// aloneTime is for how long nothing of another flow must have come for one to be
	// alone.
	aloneTime = time.Second
)

// crowd is what a loop remembers while it is crowded.
type crowd struct {
	flows
	until           monotime.Time // when it is over
	since           monotime.Time // of what follows
	shed, datagrams uint64        // the counters then
	mixed           monotime.Time // when datagrams of two flows came one after the other last
	share           int           // of a flow in this turn
	late            bool          // this turn handles no more of them as they come, but of calm flows
	over            bool          // nor of those

	// stops says that what else is in the socket stays there: a stranger's found no room
	// to wait who has sent little, and may be as honest as any other.
	stops bool
}

// alone reports whether one flow has the loop for itself.
func (c *crowd) alone(now monotime.Time) bool {
	return c.mixed.IsZero() || now.Sub(c.mixed) > aloneTime
}

// noteRest takes note of whether a turn has left something.
func (l *Loop) noteRest(left bool) {
	switch c := l.crowd; {
	case c == nil && !left:
		l.pressure.row = row{}
	case c == nil:
		if l.isCrowded() {
			l.crowd = &crowd{flows: flows{byKey: make(map[flowKey]*flow)}, until: l.now.Add(crowdedTime), mixed: l.mixed}
			l.crowd.count(l)
		}
	case left:
		c.until = l.now.Add(crowdedTime)
	case l.now.After(c.until):
		l.disperse()
	default:
		c.spare = nil
	}
}

// count begins another time in which drops count.
func (c *crowd) count(l *Loop) {
	c.since, c.shed, c.datagrams = l.now, l.shed, l.sock.Stats().ReceivedDatagrams
}

// isOld reports whether little had to be dropped for long, so that the socket has room
// for everybody.
func (c *crowd) isOld(l *Loop) bool {
	if l.now.Sub(c.since) <= crowdedMost {
		return false
	}
	if (l.shed-c.shed)*crowdedShed <= l.sock.Stats().ReceivedDatagrams-c.datagrams {
		return true
	}
	c.count(l)
	return false
}

// disperse ends the crowd, of which nothing waits.
func (l *Loop) disperse() {
	l.mixed = l.crowd.mixed
	l.crowd, l.pressure = nil, pressure{}
}

// receiveCrowd is receiveSome of a crowded loop, for all that a turn takes.
func (l *Loop) receiveCrowd(msgs []udp.Message, err error, end monotime.Time) (left bool, _ error) {
	c := l.crowd
	c.late, c.over, c.stops = false, false, false
	c.share = min(flowShare, max(leastShare, turnShares/max(c.active, 1)))
	c.active = 0
	if old := c.isOld(l); old || c.alone(l.now) {
		if l.handleWaiting(end); c.head != nil { // of what came before
			l.unread = msgs
			return true, err
		}
		if old {
			l.disperse()
		}
		left, err = l.receiveSome(msgs, err, end, maxBatches)
		return left || l.crowded(), err
	}
	left, err = l.readCrowd(msgs, err, end)
	l.handleWaiting(end)
	return left || c.head != nil, err
}

// readCrowd reads the socket, and handles what may be handled at once.
func (l *Loop) readCrowd(msgs []udp.Message, err error, end monotime.Time) (left bool, _ error) {
	c := l.crowd
	read, look := 0, datagramsPerLook
	rest := len(l.unread) > 0 // of a full batch
	for err == nil {
		for i := range msgs {
			l.handleMessage(&msgs[i])
			if read += msgs[i].Count(); read >= look && !c.over {
				look = read + datagramsPerLook
				now := l.clock()
				c.late, c.over = now.After(l.now.Add(crowdReadTime)), now.After(end)
			}
			if c.stops {
				l.unread = msgs[i+1:]
				return true, nil
			}
		}
		l.unread = nil
		if !rest && len(msgs) < l.config.ReceiveBatch {
			return false, nil
		}
		rest = false
		if read >= maxCrowdRead {
			return true, nil
		}
		msgs, err = l.sock.TryRecv()
	}
	return false, err
}

// crowded reports whether there are datagrams that wait for their turn.
func (l *Loop) crowded() bool { return l.crowd != nil && l.crowd.head != nil }

// take handles a datagram, unless others come first.
func (l *Loop) take(d *engine.Datagram) {
	c := l.crowd
	if c == nil {
		l.handleDatagram(d)
		return
	}
	owner := l.endpoint.Owner(d.Data)
	f, same := c.of(l.turns, owner, d.Path.Remote.Addr())
	if !same {
		c.mixed = l.now
	}
	switch {
	case f.first == nil && (f.taken < c.share && (!c.late || f.calm && !c.over) || c.alone(l.now)):
		f.taken++
		l.handleDatagram(d)
	case c.wait(f, d):
	case owner == nil:
		l.shed++
		c.stops = c.stops || f.bytes < littleWaiting
	default:
		// The newest datagrams of a connection say more than the oldest: what has arrived,
		// or that the connection has ended, which is said once.
		l.shed++
		for c.dropOldest(f) && !c.wait(f, d) {
			l.shed++
		}
	}
}

// handleWaiting handles what waits, of each flow some in turn, until it is late.
func (l *Loop) handleWaiting(end monotime.Time) {
	for c := l.crowd; c.head != nil; {
		f := c.pop()
		for n := 0; n < c.share && f.first != nil; n++ {
			w := c.next(f)
			l.handleDatagram(&w.datagram)
			l.tellDatagrams() // while they are there
			c.recycle(w)
		}
		if f.first != nil {
			c.push(f)
		}
		if l.clock().After(end) {
			return
		}
	}
}
