package wt

import (
	"maps"
	"slices"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Conn is what one end keeps of WebTransport on one HTTP/3 connection.
type Conn struct {
	side wire.Side
	conf *Config

	settled bool // offer is there
	offer   offer
	refused error // why the server cannot be used
	over    error // why the connection has ended, nil while it has not

	admitted  int                 // sessions, and requests about to become one
	newcomers []*Admission        // requests that wait for a place, the first to get one first
	sessions  map[uint64]*Session // by ID; those that have not ended
	lingering []*Session          // those that have, while the peer has not finished; the first to be given up first
	buffered  []bufferedStream    // whose session is not there yet, the oldest first
	rejected  []rejected          // streams of sessions that are not there yet, the oldest first
	gone      []uint64            // IDs of the last sessions that ended, the oldest first
	early     h3.EarlyDatagrams
	held      int // bytes of datagrams that wait, of all sessions
	capsules  int // bytes of capsules that are not complete, likewise

	account Account
	counted int // bytes that it knows of

	idleAt   monotime.Time // when to look for idle sessions, zero for never
	lateEnds []lateEnd     // the first due first

	events    []Event
	eventRoom [4]Event
}

// NewConn returns the state of a connection on which nothing has happened. All
// fields of conf must be set: see Config.WithDefaults.
func NewConn(side wire.Side, conf *Config) *Conn {
	return &Conn{side: side, conf: conf, sessions: make(map[uint64]*Session)}
}

// Account counts n bytes more, or less, that are kept of what a peer sent and that QUIC's
// flow control does not see any more, and reports whether there is room for them.
type Account interface{ CountBuffered(n int) (within bool) }

// SetAccount has a count what the connection keeps: datagrams, and capsules that are not
// complete. Where there is no room they are dropped, and sessions end. To be called before
// anything has happened.
func (c *Conn) SetAccount(a Account) { c.account = a }

// count tells the account what has changed, and reports whether there is room for it.
func (c *Conn) count() (within bool) {
	_, early := c.early.Held()
	more := c.held + c.capsules + early - c.counted
	if c.account == nil || more == 0 {
		return true
	}
	c.counted += more
	return c.account.CountBuffered(more) || more < 0
}

// HandleSettings takes note of the peer's SETTINGS, and of whether its transport
// parameters say that it understands RESET_STREAM_AT. EventSettled follows, or
// EventFail.
func (c *Conn) HandleSettings(peer *h3.Settings, resetStreamAt bool) {
	if c.side == wire.ClientSide {
		for _, s := range peer.Extra {
			if s.ID == SettingDraft15 && s.Value > 1 { // Section 3.1
				c.refused = &h3.ConnError{Code: h3.SettingsError, Reason: "SETTINGS_WT_ENABLED is neither 0 nor 1"}
				c.fail(c.refused)
				return
			}
		}
	}
	c.settled, c.offer = true, c.conf.readOffer(peer, resetStreamAt)
	c.emit(Event{Kind: EventSettled})
}

// HandleGoAway takes note of a GOAWAY of either end: sessions should end soon
// (Section 4.7).
func (c *Conn) HandleGoAway() {
	for _, s := range c.ordered() {
		s.drainBegun()
		if c.side == wire.ServerSide {
			s.Drain()
		}
	}
}

// HandleClose ends everything for the end of the connection.
func (c *Conn) HandleClose(err error) {
	if c.over != nil {
		return
	}
	c.over = err
	c.buffered, c.rejected, c.lingering, c.lateEnds, c.idleAt = nil, nil, nil, nil, 0
	for len(c.newcomers) > 0 {
		c.refuseNewcomers(c.newcomers[0].until)
	}
	for _, s := range c.ordered() {
		s.finished = true // there is nothing to send on
		s.end(err)
	}
}

// ordered returns the sessions in the order of their IDs.
func (c *Conn) ordered() []*Session {
	return slices.SortedFunc(maps.Values(c.sessions), func(a, b *Session) int { return int(int64(a.id - b.id)) })
}

// fail closes the connection for a violation of the protocol.
func (c *Conn) fail(err error) {
	code, _ := h3.Code(err)
	c.emit(Event{Kind: EventFail, Code: code, Err: err})
}

// drop forgets a session that has ended.
func (c *Conn) drop(s *Session) {
	delete(c.sessions, s.id)
	c.remember(s.id)
	c.release()
}

// remember notes that a session has ended, or will never be.
func (c *Conn) remember(id uint64) {
	if len(c.gone) >= rememberedSessions {
		c.gone = append(c.gone[:0], c.gone[1:]...)
	}
	c.gone = append(c.gone, id)
}
