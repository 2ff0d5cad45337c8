package engine

import "github.com/godwit-quic/godwit/internal/wire"

// streamKind is an index for what exists for both kinds of streams.
type streamKind uint8

const (
	bidi streamKind = iota
	uni
	numKinds
)

func kindOf(unidirectional bool) streamKind {
	if unidirectional {
		return uni
	}
	return bidi
}

// localStreams are the streams of one kind that this side opens.
type localStreams struct {
	next    uint64  // sequence number of the next one
	max     uint64  // the peer's limit
	blocked sentVal // STREAMS_BLOCKED
}

// remoteStreams are the streams of one kind that the peer opens.
type remoteStreams struct {
	next   uint64 // sequence number of the first one not yet opened
	max    uint64 // the limit the peer knows of
	open   uint64 // opened and not finished
	limit  uint64 // how many may be open at once
	update sentVal
}

// streams are all streams of a connection.
type streams struct {
	table   streamTable
	local   [numKinds]localStreams
	remote  [numKinds]remoteStreams
	control streamQueue // with control frames to send
	data    dataQueues  // with data to send
	held    *dataQueues // with new data only, for which the connection's window has no room
}

func (ss *streams) init(c *Conn) {
	for kind, limit := range []uint64{c.config.MaxBidiStreams, c.config.MaxUniStreams} {
		ss.remote[kind] = remoteStreams{max: limit, limit: limit}
	}
}

// get returns a stream that is not finished, or nil.
func (ss *streams) get(id wire.StreamID) *Stream { return ss.table.get(id) }

// OpenStream opens a stream of this side. Without leave from the peer it
// returns ErrStreamLimit, and EventStreamsAvailable tells when to try again.
func (c *Conn) OpenStream(unidirectional bool) (*Stream, error) {
	if c.state >= stateClosing || c.leaving() {
		return nil, ErrClosed
	}
	k := kindOf(unidirectional)
	l := &c.streams.local[k]
	if l.next >= l.max {
		if !l.blocked.isSet() {
			l.blocked.set()
		}
		return nil, ErrStreamLimit
	}
	s := c.newStream(wire.NewStreamID(c.side, unidirectional, l.next))
	l.next++
	return s, nil
}

// PeerStreamLimit returns how many streams of a kind the peer lets this side open in
// all (RFC 9000, Section 4.6). EventStreamsAvailable tells when it has risen.
func (c *Conn) PeerStreamLimit(unidirectional bool) uint64 {
	return c.streams.local[kindOf(unidirectional)].max
}

// newStream makes the state of a stream with the halves its ID implies.
func (c *Conn) newStream(id wire.StreamID) *Stream {
	local := id.Initiator() == c.side
	receives, sends := !local || !id.Uni(), local || !id.Uni()
	s := c.endpoint.spare.makeStream(receives, sends)
	s.ID, s.conn, s.urgency = id, c, DefaultUrgency
	if sends {
		s.out.state = sendSend
		s.out.max = c.initialSendLimit(local, id.Uni())
		s.out.buf.Init(&c.flow.account.Account, s.out.max)
	}
	if receives {
		w := c.config.InitialStreamWindow
		s.in.state = recvRecv
		s.in.window = recvWindow{max: w, window: w}
		s.in.buf.Init(&c.flow.account.Account)
		s.in.setNotify()
	}
	c.streams.table.add(s)
	s.traceStream()
	return s
}

func (c *Conn) initialSendLimit(local, unidirectional bool) uint64 {
	switch {
	case unidirectional:
		return c.peer.uni
	case local:
		return c.peer.bidiRemote // as the peer sees it
	}
	return c.peer.bidiLocal
}

// remoteStream returns the stream of a frame about one that the peer opened,
// opening it and all before it (RFC 9000, Section 3.2). It returns nil for a
// finished one.
func (c *Conn) remoteStream(id wire.StreamID, t wire.FrameType) (*Stream, *TransportError) {
	k := kindOf(id.Uni())
	r := &c.streams.remote[k]
	if id.Seq() < r.next {
		return c.streams.get(id), nil
	}
	if id.Seq() >= r.max {
		return nil, protocolError(wire.StreamLimitError, t, "more streams than allowed")
	}
	for ; r.next <= id.Seq(); r.next++ {
		s := c.newStream(wire.NewStreamID(c.side.Peer(), id.Uni(), r.next))
		r.open++
		c.event(EventStreamOpened, s)
	}
	return c.streams.get(id), nil
}

// localStream returns the stream of a frame about one that this side opened,
// nil for a finished one. One never opened is an error (RFC 9000, Section 19).
func (c *Conn) localStream(id wire.StreamID, t wire.FrameType) (*Stream, *TransportError) {
	if id.Seq() >= c.streams.local[kindOf(id.Uni())].next {
		return nil, protocolError(wire.StreamStateError, t, "frame for a stream that was never opened")
	}
	return c.streams.get(id), nil
}

// receiveStream returns the stream of a frame that a sender sends.
func (c *Conn) receiveStream(id wire.StreamID, t wire.FrameType) (*Stream, *TransportError) {
	if id.Initiator() != c.side {
		return c.remoteStream(id, t)
	}
	if id.Uni() {
		return nil, protocolError(wire.StreamStateError, t, "frame for a stream that only sends")
	}
	return c.localStream(id, t)
}

// sendStream returns the stream of a frame that a receiver sends.
func (c *Conn) sendStream(id wire.StreamID, t wire.FrameType) (*Stream, *TransportError) {
	if id.Initiator() == c.side {
		return c.localStream(id, t)
	}
	if id.Uni() {
		return nil, protocolError(wire.StreamStateError, t, "frame for a stream that only receives")
	}
	return c.remoteStream(id, t)
}

// raise takes a MAX_STREAMS frame.
func (ss *streams) raise(c *Conn, k streamKind, limit uint64) {
	l := &ss.local[k]
	if limit <= l.max {
		return
	}
	for seq := l.max; seq < min(limit, l.next); seq++ { // opened early
		if s := ss.get(wire.NewStreamID(c.side, k == uni, seq)); s != nil {
			c.parkStream(s, false)
		}
	}
	l.max = limit
	l.blocked.clear()
	c.event(EventStreamsAvailable, nil)
}

// remove forgets a finished stream and lets the peer open another in its
// place, once a few have gathered.
func (ss *streams) remove(c *Conn, s *Stream) {
	ss.table.remove(s)
	if s.ID.Initiator() == c.side {
		return
	}
	r := &ss.remote[kindOf(s.ID.Uni())]
	r.open--
	if r.allowed()-r.max >= (r.limit+3)/4 {
		r.update.set()
	}
}

// allowed is the limit that the peer may have now: max once it is told.
func (r *remoteStreams) allowed() uint64 {
	return min(r.next+r.limit-r.open, maxStreamsLimit)
}

// queueData puts a stream at the end of the queue of those with data to send
// that are as urgent, unless it waits there or for the connection's window.
func (ss *streams) queueData(s *Stream) {
	if !s.parked {
		ss.data[s.urgency].push(dataQueue, s)
	}
}

// queueResend does so for a stream that can send without room in the connection's
// window, or has to be looked at.
func (ss *streams) queueResend(s *Stream) {
	if s.held {
		ss.unqueue(s)
	}
	ss.queueData(s)
}

// hold puts a stream at the end of the queue of those that wait for the
// connection's window.
func (ss *streams) hold(s *Stream) {
	if ss.held == nil {
		ss.held = new(dataQueues)
	}
	s.held = true
	ss.held[s.urgency].push(dataQueue, s)
}

// unqueue takes a stream out of the queue it is in, for data or for the
// connection's window.
func (ss *streams) unqueue(s *Stream) {
	q := &ss.data[s.urgency]
	if s.held {
		q = &ss.held[s.urgency]
	}
	s.held = false
	q.removeAfter(dataQueue, s.before)
}

// nextData returns the queue of the first stream of an urgency to send data of, nil
// if there is none. Those that waited for the connection's window come first once
// it has room.
func (ss *streams) nextData(u int, credit uint64) *streamQueue {
	if credit > 0 && ss.held != nil && ss.held[u].tail != nil {
		return &ss.held[u]
	}
	if ss.data[u].tail != nil {
		return &ss.data[u]
	}
	return nil
}

// queueControl does so for control frames.
func (ss *streams) queueControl(s *Stream) {
	if !s.parked {
		ss.control.push(controlQueue, s)
	}
}

// queueIndex names a kind of queue that a stream may be in.
type queueIndex uint8

const (
	controlQueue queueIndex = iota
	dataQueue
	numQueues
)

// queueLinks are, for each kind of queue, the stream that follows; nil when a
// stream is in none.
type queueLinks [numQueues]*Stream

// streamQueue is a first-in-first-out queue linked through the streams, in a
// ring: the last one leads to the first. Its methods are told of which kind it is.
type streamQueue struct{ tail *Stream }

// head returns the first one, nil in an empty queue.
func (q *streamQueue) head(kind queueIndex) *Stream {
	if q.tail == nil {
		return nil
	}
	return q.tail.links[kind]
}

// push puts s at the end unless it is in the queue already.
func (q *streamQueue) push(kind queueIndex, s *Stream) {
	if s.links[kind] != nil {
		return
	}
	s.links[kind] = s
	if q.tail != nil {
		s.links[kind], q.tail.links[kind] = q.tail.links[kind], s
	}
	if kind == dataQueue {
		s.links[kind].before = s
		if s.before == nil {
			s.before = q.tail
		}
	}
	q.tail = s
}

// pop takes the first one out.
func (q *streamQueue) pop(kind queueIndex) { q.removeAfter(kind, q.tail) }

// removeAfter takes the one out that follows before.
func (q *streamQueue) removeAfter(kind queueIndex, before *Stream) {
	s := before.links[kind]
	before.links[kind] = s.links[kind]
	if s == q.tail {
		q.tail = before
	}
	if s == before { // it was the only one
		q.tail = nil
	}
	if kind == dataQueue {
		before.links[kind].before = before
		s.before = nil
	}
	s.links[kind] = nil
}

// Incoming returns how many bidirectional streams that the peer opened have not
// ended: what was sent on one that ended has arrived.
func (c *Conn) Incoming() int { return int(c.streams.remote[bidi].open) }

// StreamByID returns a stream that has begun and not ended, nil for others.
func (c *Conn) StreamByID(id wire.StreamID) *Stream { return c.streams.get(id) }
