package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxPathAnswers bounds the PATH_CHALLENGE frames waiting to be answered.
// Only the newest matter: a peer that sends many learns no more from many
// answers (RFC 9000, Section 8.2.2).
const maxPathAnswers = 4

// pathAnswer is a PATH_RESPONSE to be sent on the path its challenge came on.
type pathAnswer struct {
	path Path
	data wire.PathData
	room int // bytes that may be sent there for it (RFC 9000, Section 8.2.2)
}

// pathAnswers are the answers waiting; nil are none.
type pathAnswers struct{ list []pathAnswer }

func (a *pathAnswers) len() int {
	if a == nil {
		return 0
	}
	return len(a.list)
}

// take takes the oldest answer out.
func (a *pathAnswers) take() pathAnswer {
	first := a.list[0]
	a.list = append(a.list[:0], a.list[1:]...)
	return first
}

// add takes a PATH_CHALLENGE that came in d; before says how many came in the
// same datagram before it. All of a datagram's answers together stay within
// what may be sent to an address that is not validated.
func (a *pathAnswers) add(d *Datagram, data wire.PathData, before int) {
	room := amplificationFactor*len(d.Data) - before*minDatagramSize
	if room <= 0 {
		return
	}
	if len(a.list) == maxPathAnswers {
		a.take()
	}
	a.list = append(a.list, pathAnswer{path: d.Path, data: data, room: room})
}

// peerMoved handles a packet from another address (RFC 9000, Section 9.3).
// active says that it was the newest one and not a mere probe: then the peer
// uses the new path. A NAT that forgot its mapping looks the same.
func (c *Conn) peerMoved(now monotime.Time, d *Datagram, active bool) {
	if c.side == wire.ClientSide || !active || !c.established() {
		return
	}
	if p := c.previous; p != nil && p.Path == d.Path {
		// Back on the path that was validated before.
		c.path, c.previous = *p, nil
		c.pathChosen(now)
		return
	}
	old := c.path
	onlyPort := old.Remote.Addr() == d.Path.Remote.Addr()
	c.path = pathState{d.Path, &pathValidation{received: uint64(len(d.Data))}}
	if old.validation == nil {
		c.previous = &old
	}
	c.challenge(now)
	c.ids.next(c)
	if !onlyPort {
		c.resetPathEstimates()
	}
	c.event(EventPathChanged, nil)
}

// resetPathEstimates forgets what was known of the old path (RFC 9000,
// Section 9.4). A change of port alone is most likely a NAT's, and keeps it.
func (c *Conn) resetPathEstimates() {
	c.cc = c.config.newController()
	c.loss.RTT = recovery.RTT{}
	c.loss.ForgetOrder()
	c.mtu.init(c.mtu.limit)
	c.mtu.start(c.peer.maxUDPPayload)
	c.ecn = ecnState{}
	c.sizeChanged()
}

// pathGiveUp is the time after which an unanswered validation has failed, in
// probe timeouts (RFC 9000, Section 8.2.4).
const pathGiveUp = 3

// challenge starts the validation of the path in use.
func (c *Conn) challenge(now monotime.Time) {
	v := c.path.validation
	c.endpoint.randomBytes(v.challenge[:])
	v.challengeVal.set()
	v.giveUpAt = now.Add(pathGiveUp * max(c.loss.PTO(), 2*recovery.InitialRTT))
}

// handlePathResponse takes a PATH_RESPONSE frame.
func (c *Conn) handlePathResponse(now monotime.Time, data wire.PathData) {
	if v := c.path.validation; v != nil && v.challengeVal.isSet() && data == v.challenge {
		c.path.validation, c.previous = nil, nil
		c.pathChosen(now)
	}
}

// pathChosen ends a validation.
func (c *Conn) pathChosen(now monotime.Time) {
	c.deadlines[slotPath] = 0
	c.event(EventPathChanged, nil)
}

// handlePathDeadline repeats the challenge, or gives up and goes back to the
// path before.
func (c *Conn) handlePathDeadline(now monotime.Time) {
	v := c.path.validation
	if v == nil || !v.challengeVal.isSet() {
		return
	}
	if now.Before(v.giveUpAt) {
		v.challengeVal.set()
		return
	}
	v.challengeVal.clear()
	if c.previous != nil {
		c.path, c.previous = *c.previous, nil
		c.pathChosen(now)
	}
}

// pollPath sends what belongs to a certain path: answers to challenges and our
// own challenge. Such datagrams are padded, so that the path is known to
// carry full-sized ones (RFC 9000, Section 8.2.1).
func (c *Conn) pollPath(now monotime.Time, buf []byte) (Transmit, bool) {
	// Answers may go a little beyond the congestion window, so that a path can
	// be validated while it is full, but not without end (Section 8.2.2).
	for c.answers.len() > 0 && c.keys.CanWrite() && c.loss.InFlight() < c.cc.Window()+maxPathAnswers*minDatagramSize {
		a := c.answers.take()
		room := minDatagramSize
		if a.path != c.path.Path || c.path.validation != nil {
			room = min(room, a.room)
		}
		if a.path == c.path.Path {
			room = int(min(uint64(room), c.path.allowance()))
		}
		if t, ok := c.pathDatagram(now, buf, a.path, room, wire.FramePathResponse, a.data); ok {
			return t, true
		}
	}
	v := c.path.validation
	if v == nil || !v.challengeVal.due() {
		return Transmit{}, false
	}
	v.challengeVal = valSent // answered by its data, not by an ACK
	c.deadlines[slotPath] = now.Add(max(c.loss.PTO(), time.Millisecond))
	room := int(min(minDatagramSize, c.path.allowance()))
	return c.pathDatagram(now, buf, c.path.Path, room, wire.FramePathChallenge, v.challenge)
}

// pathDatagram builds a datagram with one path frame, padded to room bytes.
func (c *Conn) pathDatagram(now monotime.Time, buf []byte, to Path, room int, t wire.FrameType, data wire.PathData) (Transmit, bool) {
	var w frameWriter
	if c.space.sent.Full(c.config.maxUnacked()) || !c.begin(&w, wire.AppSpace, buf[:0], room) {
		return Transmit{}, false
	}
	if t == wire.FramePathChallenge {
		w.b = wire.AppendPathChallenge(w.b, data)
	} else {
		w.b = wire.AppendPathResponse(w.b, data)
	}
	w.sent.Eliciting = true
	w.sent.MTUProbe = true // its loss says nothing about the path in use
	w.pad(w.room())
	out := c.finish(now, &w)
	if to == c.path.Path {
		c.sentDatagram(len(out))
		return Transmit{Data: out, Segment: len(out), Path: to, ECN: c.ecn.mark()}, true
	}
	c.counters.SentBytes += uint64(len(out))
	return Transmit{Data: out, Segment: len(out), Path: to, ECN: ecnNotECT}, true
}
