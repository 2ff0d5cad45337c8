package loop

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/udp"
)

// Loop is an event loop: see the package comment.
type Loop struct {
	sock      Socket
	versatile versatile // the same, nil if it is not
	endpoint  *engine.Endpoint
	config    Config
	start     time.Time // where the loop's clock has its origin

	sharing
	neighbors neighbors // of the loop's goroutine

	mail     mailbox
	stopping atomic.Bool
	done     chan struct{}

	// Of the loop's goroutine alone:
	now        monotime.Time // of this turn
	turns      uint64
	unread     []udp.Message // received, and left for the next turn
	messages   uint64        // received
	pressure   pressure      // of the socket
	mixed      monotime.Time // as the last crowd knew it
	crowd      *crowd        // nil unless the loop is crowded
	shed       uint64        // datagrams dropped as their flow had its share
	items      []item        // taken from the mailbox, and left for the next turn
	commands   bool          // the Source has some left for the next turn
	spare      []item        // the mailbox's next slice
	conns      connList
	count      int // of conns
	unanswered int // dialled, and nothing has come from the peer
	dirty      dirtyList
	untold     []*Conn // for which DATAGRAM frames have come
	handshakes handshakes
	deadlines  deadlines[Conn]
	events     [64]engine.Event
	buf        []byte // trains are built here
	relief     relief
	broken     error // why the socket failed

	shared struct {
		mu    sync.Mutex
		stats Stats
	}
}

// Stats are a loop's counters at one moment.
type Stats struct {
	Endpoint engine.EndpointStats
	Conns    int // not yet released
	Turns    uint64
	Evicted  uint64 // connections ended for what they held
	Shed     uint64 // datagrams dropped, as others waited and their flow had its share
	// Overdue counts deadlines that were still due after they had been
	// handled: errors of the engine, which would make the loop spin.
	Overdue uint64
}

// Config is what a Loop is made of. Its functions are called on the loop's
// goroutine.
type Config struct {
	Endpoint engine.EndpointConfig
	// Accept is called with each connection that a client opens, and returns
	// its handler. It may be nil if the loop never gets a server.
	Accept func(*Conn) Handler
	// SendBatch is how many datagrams of a connection leave in one call at most, 64
	// for 0 or more than that. ReceiveBatch is how many messages the socket reads in
	// one call, 8 for 0.
	SendBatch, ReceiveBatch int
	// Foreign, if not nil, is offered what is no QUIC packet by its first byte (RFC 9443,
	// Section 3), and reports whether it has taken it. The bytes are the loop's.
	Foreign func(data []byte, from netip.AddrPort) bool
	// Ended, if not nil, is the loop's last call, with the socket's failure if
	// that is why it ended.
	Ended func(err error)
	// Source, if not nil, is where the loop has work from beside its socket and its
	// mailbox.
	Source Source
	// Panicked, if not nil, is the loop's last call, in place of Ended, after a panic,
	// which goes no further. The connections are left as they are.
	Panicked func(value any, stack []byte)
}

// Start makes a loop that owns sock and starts its goroutine. Close ends it.
func Start(sock Socket, cfg Config) *Loop {
	return StartGroup([]Socket{sock}, func(int) Config { return cfg }).Loops[0]
}

func newLoop(sock Socket, cfg Config) *Loop {
	if cfg.SendBatch <= 0 || cfg.SendBatch > maxTrainSegments {
		cfg.SendBatch = maxTrainSegments
	}
	if cfg.ReceiveBatch <= 0 {
		cfg.ReceiveBatch = defaultReceiveBatch
	}
	if cfg.Endpoint.ConnectionIDs == nil {
		cfg.Endpoint.ConnectionIDs = connid.Default
	}
	cfg.Endpoint.DeferHandshakes = true
	addresses, _ := sock.(versatile)
	return &Loop{
		sharing:   sharing{guests: new(guests)},
		sock:      sock,
		versatile: addresses,
		endpoint:  engine.NewEndpoint(cfg.Endpoint),
		config:    cfg,
		start:     time.Now(),
		done:      make(chan struct{}),
		buf:       make([]byte, maxTrainBytes),
	}
}

// clock returns the present moment. It starts at 1, as zero means "never".
func (l *Loop) clock() monotime.Time { return monotime.Time(time.Since(l.start)) + 1 }

// Moment returns a time as the loop's clock has it. Any goroutine may call it.
func (l *Loop) Moment(t time.Time) monotime.Time {
	return max(monotime.Time(t.Sub(l.start))+1, 1)
}

// time returns the time.Time of a moment, zero for "never".
func (l *Loop) time(at monotime.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	return l.start.Add(time.Duration(at - 1))
}

func (l *Loop) run() {
	defer close(l.done)
	if l.config.Panicked != nil {
		defer l.recover()
	}
	for !l.stopping.Load() && l.broken == nil {
		l.turn()
	}
	l.shutdown()
}

// turn is what the loop does over and over. Handshakes come last, as they cost most.
func (l *Loop) turn() {
	l.receive()
	l.expire()
	l.serve()
	if l.shake() {
		l.serve()
	}
	l.publish()
}

// serve does what was brought about. Handlers run before the mailbox is emptied and
// before anything is sent, so that what they answer leaves together with the
// acknowledgments of what they answer to.
func (l *Loop) serve() {
	woke := false
	for c := l.dirty.head; c != nil; c = c.nextDirty {
		if l.dispatch(c); c.told {
			c.told = false
			woke = c.handler.Woke() || woke
		}
	}
	if woke {
		// The goroutines that were just woken run first: what they write then
		// leaves in this turn, in one packet with the acknowledgments, and not
		// in a turn of its own. For small requests that halves the system calls.
		runtime.Gosched()
	}
	l.drain()
	l.relieve()
	l.flush()
}

// expire tells the engines whose deadline has come.
func (l *Loop) expire() {
	for e := l.deadlines.next(); e != nil && !e.at.After(l.now); e = l.deadlines.next() {
		c := e.of
		l.deadlines.set(e, 0)
		if at := c.engine.Deadline(); !at.IsZero() && !at.After(l.now) {
			c.firedAt = l.now
			c.engine.SetHeld(l.now, c.held())
			c.engine.HandleDeadline(l.now)
			c.noteLapse()
		}
		c.touch()
		c.fireTimers()
	}
}

// maxEventBatches is how many batches of events a connection's handler is told of in
// a row: a client that opens and cancels streams can bring about thousands.
const maxEventBatches = 4

// dispatch tells a connection's handler what happened, which it notes in told. What is
// left is noted in untold.
func (l *Loop) dispatch(c *Conn) {
	c.untold = false
	for range maxEventBatches {
		n := c.engine.PollEvents(l.events[:])
		c.told = c.told || n > 0
		for i := range l.events[:n] {
			c.tell(&l.events[i])
		}
		clear(l.events[:n])
		if n < len(l.events) {
			return
		}
	}
	c.untold = true
}

// tell calls the handler's method for an event.
func (c *Conn) tell(e *engine.Event) {
	h := c.handler
	switch e.Kind {
	case engine.EventEarly:
		h.HandleEarly()
	case engine.EventHandshakeComplete:
		h.HandleHandshakeComplete()
	case engine.EventStreamOpened:
		h.HandleStreamOpened(e.Stream)
	case engine.EventStreamReadable:
		h.HandleReadable(e.Stream)
	case engine.EventStreamWritable:
		h.HandleWritable(e.Stream)
	case engine.EventStreamSent:
		h.HandleSent(e.Stream)
	case engine.EventStreamEnded:
		h.HandleStreamEnded(e.Stream)
	case engine.EventStreamsAvailable:
		h.HandleStreamsAvailable()
	case engine.EventDatagrams:
		c.handleDatagrams()
	case engine.EventPathChanged:
		h.HandlePathChanged()
	case engine.EventPaths:
		h.HandlePaths()
	case engine.EventSilent:
		h.HandleSilent()
	case engine.EventClosed:
		h.HandleClosed(e.Err)
	case engine.EventReleased:
		c.release()
	}
}

// release forgets the connection.
func (c *Conn) release() {
	if c.released {
		return
	}
	c.released = true
	c.loop.noteAnswer(c)
	c.timers = nil
	c.leaveSockets()
	c.loop.deadlines.set(&c.entry, 0)
	c.loop.conns.remove(c)
	c.loop.count--
	if c.loop.crowd != nil {
		c.loop.crowd.leave(c.engine)
	}
	c.handler.HandleReleased()
}

// At most maxTurnItems things that the mailbox holds are done at a time, and none is
// begun after turnItemsTime. What is left comes first the next time.
const (
	maxTurnItems  = 4096
	turnItemsTime = 2 * time.Millisecond
	itemsPerLook  = 32 // at the clock
)

// drain does what the source and the mailbox hold.
func (l *Loop) drain() {
	if s := l.config.Source; s != nil {
		l.commands = s.Poll()
	}
	if len(l.items) == 0 {
		l.items, l.spare = l.mail.take(l.spare), nil
	}
	done := l.handleItems(l.items)
	clear(l.items[:done])
	if done < len(l.items) {
		l.items = l.items[done:]
		return
	}
	l.spare, l.items = l.items[:0], nil
	if cap(l.spare) > keptItems {
		l.spare = nil
	}
}

// handleItems does the first items, as many as drain may, and returns their number.
func (l *Loop) handleItems(items []item) int {
	var end monotime.Time
	for i := range items {
		if i%itemsPerLook == 0 && i > 0 {
			now := l.clock()
			if end == 0 {
				end = now.Add(turnItemsTime)
			}
			if i == maxTurnItems || now.After(end) {
				return i
			}
		}
		items[i].handle()
	}
	return len(items)
}

func (it *item) handle() {
	switch {
	case it.stream != nil:
		it.stream.handle()
	case it.conn != nil && it.conn.released:
	case it.do != nil:
		it.do()
	default:
		it.conn.sendDatagrams()
	}
}

// publish makes the counters visible to Stats.
func (l *Loop) publish() {
	s := &l.shared
	endpoint := l.endpoint.Stats()
	s.mu.Lock()
	s.stats.Endpoint, s.stats.Conns = endpoint, l.count
	s.stats.Evicted = l.relief.evicted
	s.stats.Turns, s.stats.Shed = l.turns, l.shed
	s.mu.Unlock()
}

// overdue counts a deadline that handling did not move.
func (l *Loop) overdue() {
	l.shared.mu.Lock()
	l.shared.stats.Overdue++
	l.shared.mu.Unlock()
}
