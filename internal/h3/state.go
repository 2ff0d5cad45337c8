package h3

import (
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// state is what one end keeps of an HTTP/3 connection: what the peer's
// control stream said, which of its critical streams are open, and how much
// useless work it has caused. One goroutine at a time may use it.
type state struct {
	side  wire.Side
	local *Settings                // until AppendControlStream
	peer  atomic.Pointer[Settings] // nil until they arrived

	takesExtendedConnect bool              // as local says
	keepsExtra           bool              // of the peer's settings, as local has such
	critical             [numCritical]bool // the peer opened a stream of this type

	control     frameReader
	controlData []byte // payload so far of a frame whose payload is needed whole

	encoder atomic.Pointer[qpack.EncoderTable] // nil until it is needed
	decoder *qpack.DecoderTable

	peerGoAway   uint64 // the last identifier in a GOAWAY; noGoAway before
	sentGoAway   uint64 // likewise, ours
	maxPushID    uint64 // of the peer's last MAX_PUSH_ID, when hasMaxPushID
	hasMaxPushID bool
	nextRequest  uint64 // server: one past the highest request stream seen

	updates    []PriorityUpdate    // received, and not taken yet
	priorities map[uint64]Priority // of requests that have not begun; nil without any

	churn   churn
	useless churn // instructions on the decoder stream

	trace     func(quictrace.Event) // nil for nobody
	controlID uint64                // of the peer's control stream

	// Of an extension:
	reserved   []FrameType
	claimedUni StreamType // 0 for none
}

// noGoAway is larger than any stream or push ID.
const noGoAway = wire.MaxVarint + 1

// requestStep is the distance of the IDs of a client's request streams
// (RFC 9000, Section 2.1).
const requestStep = 4

// newState returns the state of a new connection. side is this end's, and local
// what its SETTINGS say.
func newState(side wire.Side, local Settings) *state {
	return &state{
		side:       side,
		local:      &local,
		decoder:    qpack.NewDecoderTable(local.QPACKMaxTableCapacity, int(local.QPACKBlockedStreams)),
		peerGoAway: noGoAway,
		sentGoAway: noGoAway,

		takesExtendedConnect: local.ExtendedConnect,
		keepsExtra:           len(local.Extra) > 0,
	}
}

// staticEncoder is the encoder of all connections without a dynamic table.
var staticEncoder qpack.EncoderTable

// Encoder returns the dynamic table for the sections this end sends, one that is
// never used before EnableEncoder. Any goroutine may call it and use the table.
func (c *state) Encoder() *qpack.EncoderTable {
	if e := c.encoder.Load(); e != nil {
		return e
	}
	return &staticEncoder
}

// EnableEncoder makes the encoder use a dynamic table: see
// qpack.EncoderTable.Enable.
func (c *state) EnableEncoder(maxCapacity, maxBlocked uint64) {
	c.ownEncoder().Enable(maxCapacity, maxBlocked)
}

// ownEncoder makes the encoder if there is none.
func (c *state) ownEncoder() *qpack.EncoderTable {
	e := c.encoder.Load()
	if e == nil {
		e = new(qpack.EncoderTable)
		c.encoder.Store(e)
	}
	return e
}

// Decoder returns the dynamic table for the sections the peer sends. Any
// goroutine may use it.
func (c *state) Decoder() *qpack.DecoderTable { return c.decoder }

// AddSettings adds settings of an extension to this end's, before
// AppendControlStream.
func (c *state) AddSettings(extra ...Setting) {
	c.local.Extra = append(c.local.Extra, extra...)
	c.keepsExtra = true
}

// Reserve makes frames of these types an error on the control stream: see
// MessageReader.Reserve.
func (c *state) Reserve(types ...FrameType) { c.reserved = types }

// TakesExtendedConnect reports whether this end's SETTINGS allow CONNECT requests
// with :protocol.
func (c *state) TakesExtendedConnect() bool { return c.takesExtendedConnect }

// AppendControlStream appends the beginning of this end's control stream: its
// type and SETTINGS. random picks the reserved setting among them. It may be
// called once.
func (c *state) AppendControlStream(b []byte, random uint64) []byte {
	b = wire.AppendVarint(b, uint64(StreamControl))
	b = appendSettings(b, c.local, random)
	c.local = nil
	return b
}

// PeerSettings returns what the peer's SETTINGS said, which does not change; nil
// before they arrived. Any goroutine may call it.
func (c *state) PeerSettings() *Settings { return c.peer.Load() }

// PeerGoAway returns the identifier in the peer's last GOAWAY: for a client, the
// first request stream that the server will not process (RFC 9114, Section 5.2).
func (c *state) PeerGoAway() (id uint64, ok bool) { return c.peerGoAway, c.peerGoAway != noGoAway }

// HandleRequestStream takes note of a bidirectional stream the peer opened. The
// error is a *StreamError when the request is to be rejected, as it came after
// this end's GOAWAY, and a *ConnError at a client, where servers may not open
// such streams (RFC 9114, Section 6.1).
func (c *state) HandleRequestStream(id uint64) error {
	if c.side == wire.ClientSide {
		return &ConnError{StreamCreationError, "server opened a bidirectional stream"}
	}
	if id >= c.sentGoAway {
		return &StreamError{RequestRejected, "request after GOAWAY"}
	}
	c.nextRequest = max(c.nextRequest, id+requestStep)
	return nil
}

// HandleRequestDone takes note of a request that was answered.
func (c *state) HandleRequestDone() { c.churn.forgive() }

// HandleWaste takes note of a request that the peer cancelled or that had to be
// rejected. The error, H3_EXCESSIVE_LOAD, is returned when there were too many in
// short time: the "rapid reset" attack.
func (c *state) HandleWaste(now monotime.Time) error {
	if c.churn.add(now) {
		return &ConnError{ExcessiveLoad, "too many requests cancelled, or frames and streams without use"}
	}
	return nil
}
