package engine

import (
	"fmt"
	"slices"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/streambuf"
)

// What tests outside of the package may see of a connection's inside.

// Bounds that tests compare with.
const (
	MaxPathAnswers         = maxPathAnswers
	MaxPeerIDs             = maxPeerIDs
	MaxLocalIDs            = maxLocalIDs
	MaxRetiring            = maxRetiring
	MaxCryptoBuffer        = maxCryptoBuffer
	MaxInitialCryptoBuffer = maxInitialCryptoBuffer
	MaxCryptoGaps          = maxCryptoGaps
	MaxSendGaps            = maxSendGaps
	MaxAckRanges           = maxAckRanges
	MaxEarlyPackets        = maxEarlyPackets
	MaxEarlyBytes          = maxEarlyBytes
	MaxAckDelay            = maxAckDelay
	MinResetLen            = minResetLen
	MaxResetLen            = maxResetLen
	ResetsPerSecond        = resetsPerSecond
	RetryLifetime          = retryTokenLifetime
	NewTokenLifetime       = newTokenLifetime
	MaxClockSkew           = maxClockSkew
	MaxClientToken         = maxClientToken
	MaxHurries             = maxHurries
	OriginalLifetime       = originalLifetime
	MaxLateCryptoBuffer    = maxLateCryptoBuffer
	MinSilentTime          = minSilentTime
	MaxStrayPackets        = maxStrayPackets
	MaxStraysOfOne         = maxStraysOfOne
	StrayLifetime          = strayLifetime
)

// Bounds on answers to strangers.
var (
	MaxVersionAnswers = maxAnswers[answerVersions]
	MaxRetryAnswers   = maxAnswers[answerRetry]
	MaxResetAnswers   = maxAnswers[answerReset]
	MaxCloseAnswers   = maxAnswers[answerClose]
)

// StrayPackets and StrayBytes are what the endpoint keeps of 0-RTT packets to no connection.
func (e *Endpoint) StrayPackets() int { return len(e.strays.list) }

// StrayBytes is described there.
func (e *Endpoint) StrayBytes() int {
	n := 0
	for i := range e.strays.list {
		n += len(e.strays.list[i].datagram.Data)
	}
	return n
}

// Held is how much a connection keeps of what a peer can make it keep.
type Held struct {
	Streams, Events             int
	PathAnswers                 int
	LocalIDs, PeerIDs, Retiring int
	AckRanges                   int
	SendGaps                    int // the most of a stream, lost or acknowledged out of order
	CryptoBytes, CryptoGaps     int // the largest of all spaces
	EarlyPackets, EarlyBytes    int
	Tracked                     int // ack-eliciting packets waiting for news
	Handshake                   bool
	Control                     int // control frames to be sent, and streams with some
}

// Held returns what c keeps now.
func (c *Conn) Held() Held {
	h := Held{
		Streams: c.streams.table.count, Events: len(c.events) - int(c.polled), PathAnswers: c.answers.len(),
		LocalIDs: len(c.ids.local), PeerIDs: c.countPeerIDs(), Retiring: len(c.ids.retiring),
		Handshake: c.hs != nil,
	}
	for _, s := range c.allSpaces() {
		h.AckRanges = max(h.AckRanges, len(s.received.ranges))
		if b := s.crypto.cryptoBuffers; b != nil {
			h.CryptoBytes = max(h.CryptoBytes, len(b.in))
			h.CryptoGaps = max(h.CryptoGaps, len(b.got))
		}
		h.Tracked += s.sent.AckEliciting()
	}
	for s := range c.streams.table.all() {
		for _, set := range s.out.sets() {
			h.SendGaps = max(h.SendGaps, len(set))
		}
	}
	h.Control = c.countControl()
	if c.hs != nil {
		h.EarlyPackets, h.EarlyBytes = len(c.hs.early.list), c.hs.early.bytes
	}
	return h
}

// countControl counts the control frames that wait to be sent; those of a stream, of
// which there are four kinds, as one.
func (c *Conn) countControl() (n int) {
	n = c.answers.len()
	due := []sentVal{c.handshakeDone, c.flow.update, c.flow.blocked}
	for k := range c.streams.remote {
		due = append(due, c.streams.remote[k].update, c.streams.local[k].blocked)
	}
	for _, id := range c.ids.local {
		due = append(due, id.sent)
	}
	for _, id := range c.ids.retiring {
		due = append(due, id.sent)
	}
	for _, v := range due {
		if v.due() {
			n++
		}
	}
	if c.space.tokenDue {
		n++
	}
	for s := range c.streams.table.all() {
		if s.links[controlQueue] != nil {
			n++
		}
	}
	return n
}

func (c *Conn) allSpaces() []*numberSpace {
	spaces := []*numberSpace{&c.space}
	if c.hs != nil {
		spaces = append(spaces, &c.hs.spaces[0], &c.hs.spaces[1])
	}
	return spaces
}

// RecvWindow returns the connection's receive window and the limit the peer
// was told.
func (c *Conn) RecvWindow() (window, limit uint64) { return c.flow.recv.window, c.flow.recv.max }

// StreamWindow returns a stream's receive window and limit.
func (s *Stream) StreamWindow() (window, limit uint64) { return s.in.window.window, s.in.window.max }

// PTO returns the probe timeout without backoff.
func (c *Conn) PTO() int64 { return int64(c.loss.PTO()) }

// CheckInvariants returns what is not as it must be after everything was
// polled at now.
func (c *Conn) CheckInvariants(now monotime.Time) error {
	checks := []func(monotime.Time) error{c.checkDeadlines, c.checkBounds, c.checkFlow, c.checkAccount, c.checkStreams, c.checkRanges}
	for _, check := range checks {
		if err := check(now); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) checkDeadlines(now monotime.Time) error {
	d := c.Deadline()
	switch {
	case c.state == stateReleased && !d.IsZero():
		return fmt.Errorf("released, but a deadline is set")
	case c.state < stateClosing && d.IsZero():
		return fmt.Errorf("alive without a deadline")
	case !d.IsZero() && !d.After(now):
		return fmt.Errorf("deadline %v before now: %v", now.Sub(d), c.deadlines)
	}
	return nil
}

func (c *Conn) checkBounds(monotime.Time) error {
	h := c.Held()
	for _, x := range []struct {
		what       string
		value, max int
	}{
		{"answers to path challenges", h.PathAnswers, maxPathAnswers},
		{"own connection IDs", h.LocalIDs, maxLocalIDs},
		{"ranges of received packets", h.AckRanges, maxAckRanges},
		{"gaps in what was sent of a stream", h.SendGaps, maxSendGaps},
		{"early packets", h.EarlyPackets, maxEarlyPackets},
		{"bytes of early packets", h.EarlyBytes, maxEarlyBytes},
	} {
		if x.value > x.max {
			return fmt.Errorf("%d %s, more than %d", x.value, x.what, x.max)
		}
	}
	if c.state >= stateClosing {
		return nil // what was over a bound closed the connection
	}
	for _, x := range []struct {
		what       string
		value, max int
	}{
		{"connection IDs of the peer", h.PeerIDs, maxPeerIDs},
		{"connection IDs to retire", h.Retiring, maxRetiring},
		{"handshake bytes out of order", h.CryptoBytes, maxCryptoBuffer},
		{"pieces of handshake bytes", h.CryptoGaps, maxCryptoGaps},
	} {
		if x.value > x.max {
			return fmt.Errorf("%d %s, more than %d", x.value, x.what, x.max)
		}
	}
	if h.PeerIDs == 0 || h.LocalIDs == 0 {
		return fmt.Errorf("no connection ID left: %d own, %d of the peer", h.LocalIDs, h.PeerIDs)
	}
	for p := range c.paths.All() {
		if err := p.CheckInvariants(); err != nil {
			return err
		}
	}
	for i := range c.answers.len() {
		if a := c.answers.list[i].path; c.paths.Find(a.Addrs) != a {
			return fmt.Errorf("an answer waits for a path to %v that is forgotten", a.Remote)
		}
	}
	return nil
}

func (c *Conn) checkFlow(monotime.Time) error {
	f := &c.flow
	switch {
	case f.received > f.recv.max:
		return fmt.Errorf("received %d bytes, the limit is %d", f.received, f.recv.max)
	case f.recv.consumed > f.received:
		return fmt.Errorf("consumed %d bytes of %d received", f.recv.consumed, f.received)
	case f.recv.window > c.config.MaxConnWindow:
		return fmt.Errorf("window %d above its limit %d", f.recv.window, c.config.MaxConnWindow)
	case f.sent > f.sendMax:
		return fmt.Errorf("sent %d bytes, the peer's limit is %d", f.sent, f.sendMax)
	}
	var sent, received uint64
	for s := range c.streams.table.all() {
		sent += s.out.next
		received += s.in.highest
	}
	if sent > f.sent || received > f.received {
		return fmt.Errorf("streams count %d bytes sent and %d received, the connection %d and %d", sent, received, f.sent, f.received)
	}
	return nil
}

// checkAccount compares what is counted with what there is.
func (c *Conn) checkAccount(monotime.Time) error {
	if c.state >= stateClosing {
		return nil
	}
	var t streambuf.Tally
	for s := range c.streams.table.all() {
		t.AddSend(&s.out.buf)
		if err := t.AddRecv(&s.in.buf, s.in.highest); err != nil {
			return fmt.Errorf("stream %d: %w", s.ID, err)
		}
	}
	if d := c.datagrams; d != nil {
		t.AddDatagrams(&d.Out)
	}
	return t.Check(&c.flow.account.Account)
}

func (c *Conn) checkStreams(monotime.Time) error {
	var open [numKinds]uint64
	for _, s := range slices.Collect(c.streams.table.all()) {
		id, in, out := s.ID, s.in, s.out
		switch {
		case c.streams.table.get(id) != s || s.done:
			return fmt.Errorf("stream %d: wrong place or forgotten", id)
		case in.highest > in.window.max:
			return fmt.Errorf("stream %d: received up to %d, the limit is %d", id, in.highest, in.window.max)
		case out.next > out.max && s.Sends():
			return fmt.Errorf("stream %d: sent up to %d, the limit is %d", id, out.next, out.max)
		case out.ackedTo > out.next || out.next > out.end:
			return fmt.Errorf("stream %d: acknowledged %d, sent %d, written %d", id, out.ackedTo, out.next, out.end)
		}
		for _, set := range out.sets() {
			if err := set.Check(); err != nil {
				return fmt.Errorf("stream %d: %w", id, err)
			}
		}
		if id.Initiator() != c.side {
			open[kindOf(id.Uni())]++
		}
	}
	for k := range open {
		r := &c.streams.remote[k]
		if c.state < stateClosing && (open[k] != r.open || r.open > r.limit || r.next > r.max) {
			return fmt.Errorf("peer's streams: %d known, %d open of %d, %d opened of %d", open[k], r.open, r.limit, r.next, r.max)
		}
	}
	return nil
}

func (c *Conn) checkRanges(monotime.Time) error {
	for _, s := range c.allSpaces() {
		for i, r := range s.received.ranges {
			if r.Smallest > r.Largest || i > 0 && r.Largest >= s.received.ranges[i-1].Smallest-1 {
				return fmt.Errorf("received packets: ranges %v", s.received.ranges)
			}
		}
		if s.crypto.cryptoBuffers == nil {
			continue
		}
		for _, set := range []streambuf.RangeSet{s.crypto.got, s.crypto.acked, s.crypto.resend} {
			if err := set.Check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// sets returns the sets of ranges that h keeps.
func (h *sendHalf) sets() []streambuf.RangeSet {
	if h.gaps == nil {
		return nil
	}
	return []streambuf.RangeSet{h.gaps.acked, h.gaps.resend}
}

// Unread returns how many bytes of a stream can be read now.
func (s *Stream) Unread() int {
	from, to := s.in.buf.Readable()
	return int(to - from)
}

// Spare returns how many bytes of blocks and how many streams the endpoint keeps for
// those who need them next.
func (e *Endpoint) Spare() (bytes, streams int) {
	return e.spare.blocks.Spare(), len(e.spare.streams)
}

// MaxSpareStreams bounds the streams of them.
const MaxSpareStreams = maxSpareStreams

const MaxReceivedDatagrams = maxReceivedDatagrams

// DatagramsDropped returns how many received datagrams were not kept to be polled.
func (c *Conn) DatagramsDropped() uint64 { return c.datagrams.dropped }
