package h3

import (
	"errors"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// RequestStream is a request and its response on their stream, at either end. It lies
// in memory of the host's: at a server that of Handler.NewRequest, at a client that
// given to BeginRequest.
//
// It belongs to the goroutine of its Conn until Detach, after which one goroutine at
// a time may read and another write, over a Stream that may wait.
type RequestStream struct {
	// App is the host's own: nothing here touches it.
	App any

	conn      *Conn
	stream    Stream
	id        uint64
	phase     phase
	elsewhere bool // detached
	whole     bool // there is nothing but the header section, which has been decoded
	ended     bool // the stream ends with pending
	extended  bool // an extended CONNECT request, whose content is a tunnel's
	request   requestKind
	signal    varintReader

	// Of the reading half:
	reader     MessageReader
	sections   qpack.ReadStream // those of the stream
	pending    []byte           // of the stream, read along with a header section
	early      []byte           // the memory of pending, which serves the next request too
	held       *LargeSection    // the header section waits for insertions, or is decoded elsewhere
	trailing   []byte           // a trailer section that waits for insertions
	trailers   []qpack.Field
	err        error       // what every further Read returns
	complete   atomic.Bool // read to its end, or failed
	waited     bool        // somebody may still come back to it
	interim    int         // bytes of interim responses
	anyInterim bool        // there may be any number of them

	// While the header section is awaited:
	deadline   monotime.Time
	next, prev *RequestStream
	heldBytes  int

	quarter [8]byte // what begins its datagrams, once TakeDatagrams was called
	// Of the sending half:
	unsent    []byte
	frameLeft int // bytes that the DATA frame at hand is still to have
}

// phase is how far the reading half has come:
//
//	phaseSignal ──▶ phaseHeader ──▶ phaseContent
//	                 │       ▲
//	                 ├▶ phaseHeld: insertions, or a decoder elsewhere
//	                 └▶ phasePaused: the host
//
// phaseOver is that of a stream that was read to its end, or is not read any more.
type phase uint8

const (
	phaseSignal phase = iota
	phaseHeader
	phaseHeld
	phasePaused
	phaseContent
	phaseOver
)

// requestKind is what a client has to know of its request to read the response.
type requestKind uint8

const (
	requestOther requestKind = iota
	requestHead
	requestConnect
)

// begin makes rs a request stream.
func (rs *RequestStream) begin(c *Conn, id uint64, s Stream) {
	app, early := rs.App, rs.early
	*rs = RequestStream{App: app, early: early, conn: c, stream: s, id: id, phase: phaseHeader}
	rs.reader = NewMessageReader(c.state.side, int(c.maxSection))
	rs.sections.ID = id
	if c.claimed != 0 {
		rs.reader.Reserve(c.state.reserved...)
	}
	if c.state.trace != nil {
		c.state.traceStream(id, rs.isServer(), quictrace.HTTPRequestStream, 0)
		rs.reader.begun = func(t FrameType, length uint64) {
			if t != FrameHeaders { // of which traceSection tells
				c.state.traceParsed(id, t, length)
			}
		}
	}
}

// handleRequestStream begins a stream that a client opened.
func (c *Conn) handleRequestStream(id uint64, s Stream) {
	if err := c.account(); err != nil {
		c.Abort(err)
		return
	}
	rs := c.handler.NewRequest(s)
	rs.begin(c, id, s)
	s.SetHandler(rs)
	if c.claimed != 0 {
		rs.phase = phaseSignal
	} else if !rs.isRequest() {
		return
	}
	if id > 0 && !c.encoderSettled {
		c.manyRequests = true
		c.openQPACK()
	}
	if p, ok := c.state.TakePriority(id); ok {
		c.handler.HandlePriority(id, p)
	}
}

// isRequest takes note of a request. It reports whether it is to be read.
func (rs *RequestStream) isRequest() bool {
	if err := rs.conn.state.HandleRequestStream(rs.id); err != nil {
		rs.refuse(err)
		return false
	}
	return true
}

// BeginRequest makes rs the request stream s, which the host of a client has opened,
// for a request of this method; extended says that it has :protocol. Its fields are to
// be sent next.
func (c *Conn) BeginRequest(rs *RequestStream, id uint64, s Stream, method string, extended bool) {
	rs.begin(c, id, s)
	switch rs.extended = extended; {
	case method == "HEAD":
		rs.request = requestHead
	case method == "CONNECT":
		rs.request = requestConnect
	}
	s.SetHandler(rs)
}

// LimitSection has header and trailer sections of rs be no larger than n bytes, where
// the Config allows more.
func (rs *RequestStream) LimitSection(n int) { rs.reader.maxSection = min(rs.reader.maxSection, n) }

// AnyInterim has interim responses be told of without end, for a host that bounds them
// itself.
func (rs *RequestStream) AnyInterim() { rs.anyInterim = true }

// ID returns the ID of the stream.
func (rs *RequestStream) ID() uint64 { return rs.id }

// Conn returns the connection.
func (rs *RequestStream) Conn() *Conn { return rs.conn }

// Stream returns the stream below.
func (rs *RequestStream) Stream() Stream { return rs.stream }

// Whole reports whether the message is nothing but the header section that has been
// told.
func (rs *RequestStream) Whole() bool { return rs.whole }

// Ended reports whether all of the message has arrived, and n how many bytes of it,
// frames' headers included, Read has kept from before.
func (rs *RequestStream) Ended() (ended bool, n int) { return rs.ended, len(rs.pending) }

// Reusable reports whether the memory can be that of another request: nothing here
// comes back to it.
func (rs *RequestStream) Reusable() bool { return !rs.waited }

// Detach says that rs is used on other goroutines from now on, over s: its header section
// has been told. The host tells nothing of the stream any more.
func (rs *RequestStream) Detach(s Stream) { rs.stream, rs.elsewhere = s, true }

// Cancel ends both directions of the stream. Any goroutine may call it.
func (rs *RequestStream) Cancel(code ErrorCode) {
	rs.stream.Stop(code)
	rs.stream.Reset(code)
}

// StopReading tells the peer, with a code, that nothing further of its message will
// be read. Any goroutine may call it.
func (rs *RequestStream) StopReading(code ErrorCode) {
	if rs.whole || rs.complete.Load() {
		return
	}
	rs.stream.Stop(code)
	rs.Abandon()
}

// Abandon tells the peer's encoder that no further section of the stream will be
// decoded, unless all have been (RFC 9204, Section 2.2.2.2). Any goroutine may call
// it, as often as it likes.
func (rs *RequestStream) Abandon() {
	if rs.whole || rs.complete.Load() {
		return
	}
	rs.abandonSections()
}

func (rs *RequestStream) abandonSections() {
	rs.conn.state.Decoder().Abandon(&rs.sections)
	rs.conn.tellDecoded()
}

// HandleReadable reads what has arrived of the header section, or tells that there is
// content to be read.
func (rs *RequestStream) HandleReadable(now monotime.Time) {
	rs.conn.now = now
	switch {
	case rs.phase == phaseSignal && !rs.readSignal(now):
	case rs.phase == phaseHeader:
		rs.readHeader(now)
	case rs.phase == phaseHeld, rs.phase == phasePaused:
		rs.checkHeld()
	case rs.phase == phaseContent:
		rs.conn.handler.HandleContent(now, rs)
	}
}

// HandleWritable sends what has waited.
func (rs *RequestStream) HandleWritable(now monotime.Time) {
	rs.conn.now = now
	if len(rs.unsent) > 0 && !rs.flush() {
		return
	}
	rs.conn.handler.HandleWritable(now, rs)
}

// errGivenUp is what Read returns after the stream was given up.
var errGivenUp = errors.New("h3: the stream is not read any more")

// Errors of requests that come to nothing.
var (
	errLateHeader = &StreamError{RequestRejected, "header section took too long"}
	errBusy       = &StreamError{RequestRejected, "no room for the request"}
	errInterim    = &StreamError{ExcessiveLoad, "too many 1xx responses"}
)

// isServer reports whether requests are read.
func (rs *RequestStream) isServer() bool { return rs.conn.state.side == wire.ServerSide }

// fail gives the stream up, whose header section is not decoded, and tells so.
func (rs *RequestStream) fail(err error) {
	rs.phase, rs.err = phaseOver, errGivenUp
	rs.headerArrived()
	rs.held = nil
	rs.reader.Drop() // the client may leave the stream open
	rs.Abandon()
	rs.stream.SetHandler(nil)
	rs.conn.handler.HandleFailed(rs, err)
}

// refuse ends a message, or the connection, for what has come of the header section.
func (rs *RequestStream) refuse(err error) {
	c := rs.conn
	if rs.isServer() && errors.Is(err, ErrSectionTooLarge) {
		rs.respond(statusTooLarge)
		rs.fail(err)
		c.waste()
		return
	}
	rs.punish(err)
	rs.fail(err)
	if rs.isServer() {
		c.waste()
	}
}

// punish closes the connection for an error of the message, or ends the stream. A client
// gives its request up also for errors that are not the server's.
func (rs *RequestStream) punish(err error) {
	var violation *StreamError
	code, wholeConn := Code(err)
	switch {
	case wholeConn && rs.elsewhere:
		rs.conn.AbortSoon(err)
	case wholeConn:
		rs.conn.Abort(err)
	case errors.As(err, &violation), errors.Is(err, ErrSectionTooLarge), errors.Is(err, qpack.ErrBlockedTooLarge):
		rs.Cancel(code)
	case !rs.isServer() && !rs.extended:
		rs.Cancel(RequestCancelled)
	}
}

// abandon ends a message of which no more is to be read: the stream has failed, or the
// peer keeps too many busy.
func (rs *RequestStream) abandon(err error) {
	if !rs.isServer() {
		rs.Cancel(RequestCancelled)
		rs.fail(err)
		return
	}
	rs.Cancel(RequestRejected)
	rs.fail(err)
	rs.conn.waste()
}

// reject turns a request away for want of room. The client may send it again (RFC
// 9114, Section 4.1.1).
func (rs *RequestStream) reject() {
	rs.Cancel(RequestRejected)
	rs.fail(errBusy)
}
