package h3

import (
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Config is how a Conn is to be.
type Config struct {
	Side wire.Side
	// Settings are this end's. MaxFieldSectionSize is also the size of the largest
	// header or trailer section that is read; 0 stands for DefaultMaxSection.
	Settings Settings
	// MaxFields is how many fields a header or trailer section may have, 0 for any
	// number: each takes more memory than its bytes.
	MaxFields int
	// LoopSection is the size of the largest header section that is decoded by the
	// Conn itself, in bytes as SETTINGS_MAX_FIELD_SECTION_SIZE counts them; 0 for any.
	// Larger ones, for which all other connections would wait, are given to
	// Handler.HandleLargeSection.
	LoopSection int
	// HeaderTimeout is how long a header section may take to arrive, once a part of it
	// has; 0 for any time.
	HeaderTimeout time.Duration
	// Trace, when set, is told what the Conn does with streams, frames and datagrams, by
	// any goroutine that does it, so that it must be quick.
	Trace func(quictrace.Event)
}

// DefaultMaxSection is the largest field section that is read unless the Config says
// otherwise, in bytes: what most servers accept of a header.
const DefaultMaxSection = 64 << 10

// Conn is one end of an HTTP/3 connection (RFC 9114). It decides everything about it
// and does no I/O: its host gives it the streams that the peer opens and the
// datagrams that come, tells it what happens on them, and is told by a Handler what
// it means.
//
// One goroutine at a time may use a Conn, its loop's, unless a method says otherwise.
type Conn struct {
	state     *state
	transport Transport
	handler   Handler
	now       monotime.Time // of the call under way

	// Of the Config:
	maxSection    int32 // Settings.MaxFieldSectionSize
	maxFields     int32
	loopSection   int32
	headerTimeout time.Duration

	control          controlStream
	encoder, decoder *qpackStream // nil until they are needed

	encoderSettled bool        // whether there is a dynamic table for sending
	manyRequests   bool        // the client has sent more than one
	toldSetting    bool        // the handler knows of the peer's SETTINGS
	closed         bool        // the connection has ended
	flushing       atomic.Bool // flushQPACK is going to be called

	held int64 // bytes of header sections that are unfinished or not decoded

	claimed    FrameType // signal of an extension's streams, 0 for none
	toldGoAway uint64    // of the peer's GOAWAY with this identifier

	late, last *RequestStream // whose header section is awaited, the longest first
	datagrams  map[uint64]*RequestStream
	early      *countedDatagrams // nil before the first
	goodbye    goodbye

	answered, wasted atomic.Int64 // requests, since they were counted
}

// NewConn returns a connection. Nothing is sent before Start.
func NewConn(conf Config, t Transport, h Handler) *Conn {
	if conf.Settings.MaxFieldSectionSize == 0 {
		conf.Settings.MaxFieldSectionSize = DefaultMaxSection
	}
	c := &Conn{
		state:         newState(conf.Side, conf.Settings),
		transport:     t,
		handler:       h,
		maxSection:    int32(min(conf.Settings.MaxFieldSectionSize, math.MaxInt32)),
		maxFields:     int32(min(conf.MaxFields, math.MaxInt32)),
		loopSection:   int32(min(conf.LoopSection, math.MaxInt32)),
		headerTimeout: conf.HeaderTimeout,
		toldGoAway:    noGoAway,
	}
	c.control.conn = c
	c.state.trace = conf.Trace
	return c
}

// AddSettings adds settings of an extension to this end's, before Start.
func (c *Conn) AddSettings(extra ...Setting) { c.state.AddSettings(extra...) }

// Claim says, before Start, which of the peer's streams are an extension's:
// unidirectional ones of type uni, and bidirectional ones whose first bytes are the
// signal, a variable-length integer like a frame's type, which is an error anywhere
// else.
func (c *Conn) Claim(uni StreamType, signal FrameType) {
	c.state.ClaimUni(uni)
	c.state.Reserve(signal)
	c.claimed = signal
}

// Start sends SETTINGS, or has them sent once the peer allows a stream. random picks
// the reserved setting among them.
func (c *Conn) Start(random uint64) { c.control.send(c.state.AppendControlStream(nil, random)) }

// Side returns which end this is. Any goroutine may call it.
func (c *Conn) Side() wire.Side { return c.state.side }

// PeerSettings returns what the peer's SETTINGS said, which does not change; nil
// before they arrived. Any goroutine may call it.
func (c *Conn) PeerSettings() *Settings { return c.state.PeerSettings() }

// HandleStream takes a stream that the peer opened. The Conn calls SetHandler with
// what the stream is.
func (c *Conn) HandleStream(now monotime.Time, id uint64, s Stream) {
	c.now = now
	switch {
	case id&2 != 0: // RFC 9000, Section 2.1
		s.SetHandler(&uniStream{conn: c, stream: s, uni: peerStream{id: id}})
	case c.state.side == wire.ServerSide:
		c.handleRequestStream(id, s)
	case c.claimed != 0:
		s.SetHandler(&serverStream{conn: c, stream: s, id: id})
	default:
		c.Abort(c.state.HandleRequestStream(id))
	}
}

// HandleStreamsAvailable is to be called when the peer allows more unidirectional
// streams.
func (c *Conn) HandleStreamsAvailable(now monotime.Time) {
	c.now = now
	c.control.flush()
	c.openQPACK()
}

// HandleClose takes note that the connection has ended. Nothing is told of its
// streams any more.
func (c *Conn) HandleClose() {
	c.closed = true
	if c.datagrams = nil; c.early != nil {
		c.early.Drop()
		c.countEarly()
	}
}

// AbortSoon is Abort for any goroutine.
func (c *Conn) AbortSoon(err error) { c.transport.Post(func() { c.Abort(err) }) }

// Abort closes the connection for an error of this package or of qpack.
func (c *Conn) Abort(err error) {
	code, _ := Code(err)
	reason := err.Error()
	if violation := (*ConnError)(nil); errors.As(err, &violation) {
		reason = violation.Reason
	}
	c.transport.Close(code, reason)
}

// Deadline returns when HandleDeadline is to be called, zero for never. It changes
// with every other call.
func (c *Conn) Deadline() monotime.Time {
	at := c.goodbye.next
	if c.late != nil {
		at = monotime.Earliest(at, c.late.deadline)
	}
	return at
}

// HandleDeadline does what is due.
func (c *Conn) HandleDeadline(now monotime.Time) {
	c.now = now
	for c.late != nil && !c.late.deadline.After(now) {
		c.late.abandon(errLateHeader)
	}
	if next := c.goodbye.next; !next.IsZero() && !next.After(now) {
		c.stepGoodbye(now)
	}
}

// AnsweredRequest notes that a request was answered, and WastedRequest that one has
// cost something and was of no use to anybody: too many of these in a short time
// close the connection (RFC 9114, Section 10.5). Any goroutine may call them.
func (c *Conn) AnsweredRequest() { c.answered.Add(1) }

// WastedRequest is described there.
func (c *Conn) WastedRequest() { c.wasted.Add(1) }

// account counts what AnsweredRequest and WastedRequest have noted.
func (c *Conn) account() error {
	for range take(&c.answered) {
		c.state.HandleRequestDone()
	}
	for range take(&c.wasted) {
		if err := c.state.HandleWaste(c.now); err != nil {
			return err
		}
	}
	return nil
}

// take returns the value of a counter and sets it to 0. It writes only if it has to:
// that is dear when other processors count.
func take(counter *atomic.Int64) int64 {
	if counter.Load() == 0 {
		return 0
	}
	return counter.Swap(0)
}

// waste counts a request that was of no use.
func (c *Conn) waste() {
	if err := c.state.HandleWaste(c.now); err != nil {
		c.Abort(err)
	}
}
