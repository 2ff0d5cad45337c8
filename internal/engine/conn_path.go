package engine

import (
	"net/netip"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// maxPathAnswers bounds the PATH_CHALLENGE frames waiting to be answered.
// Only the newest matter: a peer that sends many learns no more from many
// answers (RFC 9000, Section 8.2.2).
const maxPathAnswers = 4

// pathAnswer is a PATH_RESPONSE to be sent on the path its challenge came on
// (RFC 9000, Section 8.2.2). That is one of the connection's: answers go with it.
type pathAnswer struct {
	path *path.Path
	data wire.PathData
}

// pathAnswers are the answers waiting; nil are none.
type pathAnswers struct{ list []pathAnswer }

func (a *pathAnswers) len() int {
	if a == nil {
		return 0
	}
	return len(a.list)
}

// take takes the oldest answer out that may leave; ok is false if there is none. A path
// on which none may does not keep back the others' answers.
func (a *pathAnswers) take() (answer pathAnswer, ok bool) {
	if a == nil {
		return answer, false
	}
	i := slices.IndexFunc(a.list, func(x pathAnswer) bool { return mayAnswer(x.path) })
	if i < 0 {
		return answer, false
	}
	answer = a.list[i]
	a.list = slices.Delete(a.list, i, i+1)
	return answer, true
}

// forget drops the answers on a path.
func (a *pathAnswers) forget(p *path.Path) {
	if a != nil {
		a.list = slices.DeleteFunc(a.list, func(x pathAnswer) bool { return x.path == p })
	}
}

// handlePathChallenge takes a PATH_CHALLENGE frame that came in d.
func (c *Conn) handlePathChallenge(now monotime.Time, d *Datagram, data wire.PathData) {
	if c.answers == nil {
		c.answers = new(pathAnswers)
	}
	a := c.answers
	if len(a.list) == maxPathAnswers {
		a.list = slices.Delete(a.list, 0, 1)
	}
	p := c.pathOrNew(now, d)
	a.list = append(a.list, pathAnswer{p, data})
	if c.side == wire.ServerSide && p != c.paths.Current && !p.Validated() && !p.Challenging() {
		c.challenge(now, p) // Section 9.6.3: so that the client finds no limit when it moves there
	}
}

// pathOf returns the path that a datagram came on, nil when it is not known. Those of a
// client differ in their sockets and in where the server is, whatever address a socket
// tells for its own.
func (c *Conn) pathOf(d *Datagram) *path.Path {
	if d.Path == c.paths.Current.Addrs {
		return c.paths.Current
	}
	if c.side == wire.ServerSide {
		return c.paths.Find(d.Path)
	}
	for p := range c.paths.All() {
		if p.Socket == d.Path.Socket && isServer(p, d.Path.Remote) {
			return p
		}
	}
	return nil
}

// isServer reports whether the server may be at a as seen on a client's path: servers do
// not move (RFC 9000, Section 9). One dialled at an unspecified address is on this
// machine and answers from another.
func isServer(p *path.Path, a netip.AddrPort) bool {
	return a == p.Remote || p.Remote.Addr().IsUnspecified()
}

// pathOrNew returns the path that a datagram came on, which may be the first.
func (c *Conn) pathOrNew(now monotime.Time, d *Datagram) *path.Path {
	p := c.pathOf(d)
	if p != nil && c.side == wire.ServerSide && c.paths.Stale(now, p) {
		c.forgetPath(p)
		p = nil
	}
	if p == nil {
		p = c.newPath(now, d.Path)
		p.Received(len(d.Data))
		if forgotten := c.paths.Add(p); forgotten != nil {
			c.pathForgotten(forgotten)
		}
	}
	return p
}

// newPath returns a path between two addresses of which nothing else is known.
func (c *Conn) newPath(now monotime.Time, addrs path.Addrs) *path.Path {
	e := c.paths.EstimatesFor(now, addrs)
	if e.MTU.Size() == 0 {
		e.MTU.Init(c.config.MaxDatagramSize)
		if c.established() {
			e.MTU.Start(int(c.peer.maxUDPPayload))
		}
	}
	return path.New(addrs, e)
}

// forgetPath drops a path that is not in use.
func (c *Conn) forgetPath(p *path.Path) {
	c.paths.Remove(p)
	c.pathForgotten(p)
}

// pathForgotten drops what was kept for a path that has left the set: what the path
// was given later nobody would take back.
func (c *Conn) pathForgotten(p *path.Path) {
	c.answers.forget(p)
	c.releasePeerID(p)
}

// usePath sends on a path from now on.
func (c *Conn) usePath(now monotime.Time, p *path.Path) {
	if p.Controller == nil {
		c.controlPath(now, p)
	}
	c.givePeerID(p)
	c.paths.Use(now, p)
	c.loss.UsePath(&p.PathState)
	c.sizeChanged(p.Estimates)
}

// controlPath gives a path a congestion controller that knows nothing.
func (c *Conn) controlPath(now monotime.Time, p *path.Path) {
	cfg := congestion.Config{
		MaxDatagramSize: p.MTU.Size(),
		InitialWindow:   c.config.InitialCongestionWindow,
		MaxWindow:       c.config.MaxCongestionWindow,
		Now:             time.Duration(now),
		Rand:            c.endpoint.rand,
	}
	controller := c.config.NewCongestion(cfg)
	if controller == nil {
		controller = congestion.NewCUBIC(cfg)
	}
	p.Control(controller, c.config.MaxCongestionWindow)
}

// peerMoved handles a packet from another address (RFC 9000, Section 9.3).
// active says that it was the newest one and not a mere probe: then the peer
// uses the new path. A NAT that forgot its mapping looks the same.
func (c *Conn) peerMoved(now monotime.Time, d *Datagram, active bool) {
	if c.side == wire.ClientSide || !active || !c.established() {
		return
	}
	old, p := c.paths.Current, c.pathOrNew(now, d)
	if !p.Validated() && !sameEnd(p, old) {
		// Section 9.6.2: from another address of its own, which it prefers, a server sends
		// no more than probes before the client has answered them.
		if !p.Challenging() {
			c.challenge(now, p)
		}
		return
	}
	c.usePath(now, p)
	if p.Remote.Addr() != old.Remote.Addr() {
		c.giveToken() // once the address is proved
	}
	if !p.Validated() {
		c.challenge(now, p)
	}
	if old.Validated() {
		// Section 9.3.3: if somebody else has made the peer seem to move, packets
		// on the path before make it come back.
		c.challenge(now, old)
	} else if old.Challenging() {
		old.EndChallenge()
	}
	c.restPath(old)
	c.event(EventPathChanged, nil)
}

// sameEnd reports whether two paths begin at the same address of this side.
func sameEnd(a, b *path.Path) bool { return a.Socket == b.Socket && a.Local == b.Local }

// challenge begins the validation of a path.
func (c *Conn) challenge(now monotime.Time, p *path.Path) {
	var data wire.PathData
	c.endpoint.randomBytes(data[:])
	p.Challenge(now, data, max(c.loss.PTO(), c.ptoOf(p)))
}

// ptoOf returns the probe timeout of a path, which need not be the one in use: challenges are
// repeated no sooner (RFC 9000, Section 9.4).
func (c *Conn) ptoOf(p *path.Path) time.Duration { return p.RTT.PTO() + c.loss.MaxAckDelay }

// restPath gives back the connection ID of a path that is only kept in mind.
func (c *Conn) restPath(p *path.Path) {
	if c.paths.Idle(p) {
		c.releasePeerID(p)
	}
}

// handlePathResponse takes a PATH_RESPONSE frame. It validates the path on which the
// challenge left, whichever it comes on (RFC 9000, Section 8.2.3).
func (c *Conn) handlePathResponse(now monotime.Time, data wire.PathData) {
	for p := range c.paths.All() {
		if !p.Answers(data) {
			continue
		}
		small := p.Small()
		p.Validate()
		switch {
		case small: // Section 8.2.1: once more, in a full datagram, before there is no way back
			c.challenge(now, p)
		case c.side == wire.ClientSide:
			c.probeEnded(now, p, true)
		default:
			c.peerConfirmed(p)
		}
		c.deadlines[slotPath] = c.paths.Deadline()
		return
	}
}

// peerConfirmed goes on with a path of a server's that its client confirmed.
func (c *Conn) peerConfirmed(p *path.Path) {
	before := c.paths.Fallback()
	if p == c.paths.Current {
		c.paths.ForgetFallback()
		c.event(EventPathChanged, nil)
	}
	if c.paths.Used(p) {
		c.restPath(p) // otherwise the client is about to move there
	}
	if before != nil {
		c.restPath(before)
	}
}

// handlePathDeadline repeats challenges, or gives up: then packets go to the path
// before (RFC 9000, Section 9.3.2).
func (c *Conn) handlePathDeadline(now monotime.Time) {
	failed := false
	for p := range c.paths.All() {
		if !p.Expire(now) {
			continue
		}
		if c.side == wire.ClientSide {
			c.probeEnded(now, p, false)
		} else {
			failed = failed || p == c.paths.Current
			c.restPath(p)
		}
	}
	if p, back := c.paths.Current, c.paths.Fallback(); failed && back != nil {
		c.usePath(now, back)
		c.forgetPath(p)
		c.event(EventPathChanged, nil)
	}
	c.deadlines[slotPath] = c.paths.Deadline()
}

// pollPath sends what belongs to a certain path: answers to challenges and our
// own challenges. Such datagrams are padded, so that the path is known to
// carry full-sized ones (RFC 9000, Section 8.2.1).
func (c *Conn) pollPath(now monotime.Time, buf []byte) (Transmit, bool) {
	for c.keys.CanWrite() {
		a, ok := c.answers.take()
		if !ok {
			break
		}
		if t, ok := c.pathDatagram(now, buf, a.path, wire.FramePathResponse, a.data); ok {
			return t, true
		}
	}
	for c.keys.CanWrite() {
		p, data := c.paths.ChallengeDue()
		if p == nil {
			break
		}
		p.ChallengeSent(now, c.ptoOf(p))
		c.deadlines[slotPath] = c.paths.Deadline()
		if t, ok := c.pathDatagram(now, buf, p, wire.FramePathChallenge, data); ok {
			return t, true
		}
	}
	return Transmit{}, false
}

// mayAnswer reports whether a PATH_RESPONSE may leave on a path. Answers may go a
// little beyond the congestion window, so that a path can be validated while it is
// full, but not without end (RFC 9000, Section 8.2.2).
func mayAnswer(p *path.Path) bool {
	return p.InFlight() < p.Window()+maxPathAnswers*minDatagramSize
}

// pathDatagram builds a full datagram with one path frame for a path, as far as more
// may be sent there.
func (c *Conn) pathDatagram(now monotime.Time, buf []byte, p *path.Path, t wire.FrameType, data wire.PathData) (Transmit, bool) {
	if c.givePeerID(p); !p.HasPeer() {
		return Transmit{}, false
	}
	allowance := p.Allowance()
	if t == wire.FramePathResponse && p.Preferred {
		// The server may have named somebody else's address, and seem to send from there: what
		// it asks from there is not answered with more than for any address (Section 8).
		allowance = p.Earned()
	}
	room := int(min(minDatagramSize, allowance))
	var w frameWriter
	if c.space.sent.Full(c.config.maxUnacked()) || !c.begin(&w, p, wire.OneRTTLevel, buf[:0], room) {
		return Transmit{}, false
	}
	if t == wire.FramePathChallenge {
		w.b = wire.AppendPathChallenge(w.b, data)
		if room < minDatagramSize {
			p.SentSmall()
		}
	} else {
		w.b = wire.AppendPathResponse(w.b, data)
		if p == c.paths.Current {
			w.b = wire.AppendPing(w.b) // no probing frame: this path is in use (Section 9.3.3)
		}
	}
	w.sent.AckEliciting = true
	if p != c.paths.Current {
		w.sent.Probe = recovery.PathProbe
	}
	w.pad(w.room())
	return c.transmit(p, c.finish(now, &w)), true
}
