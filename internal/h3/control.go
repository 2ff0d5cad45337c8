package h3

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// handleControl takes bytes of the peer's control stream.
func (c *state) handleControl(now monotime.Time, b []byte) error {
	r := &c.control
	for len(b) > 0 {
		if !r.inFrame {
			b = b[r.readHeader(b):]
			if !r.inFrame {
				return nil
			}
			if err := c.beginControlFrame(now); err != nil {
				return err
			}
			if !c.needsPayload(r.typ) {
				c.traceParsed(c.controlID, r.typ, r.left)
			}
		}
		p := r.payload(b)
		b = b[len(p):]
		if c.needsPayload(r.typ) {
			c.controlData = append(c.controlData, p...)
		}
		if r.left > 0 {
			continue
		}
		r.inFrame = false
		if c.needsPayload(r.typ) {
			c.traceControl(r.typ, c.controlData)
		}
		if err := c.endControlFrame(r.typ, c.controlData); err != nil {
			return err
		}
		c.controlData = nil
	}
	return nil
}

// needsPayload reports whether the payload of a frame means anything to this
// end; that of others is skipped without being stored.
func (c *state) needsPayload(t FrameType) bool {
	switch t {
	case FrameSettings, FrameGoAway, FrameMaxPushID, FrameCancelPush, FramePriorityUpdate:
		return true
	}
	return false
}

// beginControlFrame checks the header of a frame on the control stream against
// the order of frames (RFC 9114, Section 7, Table 1) and its length against what
// a frame of its type can need.
func (c *state) beginControlFrame(now monotime.Time) error {
	t, length := c.control.typ, c.control.left
	if c.reserved != nil && slices.Contains(c.reserved, t) {
		return misplaced(t)
	}
	if c.peer.Load() == nil {
		switch {
		case t != FrameSettings:
			return &ConnError{MissingSettings, "control stream begins with " + t.String()}
		case length > maxSettingsPayload:
			return &ConnError{ExcessiveLoad, "SETTINGS are too long"}
		}
		return nil
	}
	switch t {
	case FrameData, FrameHeaders, FramePushPromise:
		return unexpected(t, "on the control stream")
	case FrameSettings:
		return unexpected(t, "for the second time")
	case FrameMaxPushID:
		if c.side == wire.ClientSide {
			return unexpected(t, "from a server")
		}
		fallthrough
	case FrameGoAway, FrameCancelPush:
		if length < 1 || length > 8 {
			return &ConnError{FrameError, t.String() + " is not one integer"}
		}
	case FramePriorityUpdate, FramePriorityUpdatePush:
		switch {
		case c.side == wire.ClientSide:
			return unexpected(t, "from a server")
		case t == FramePriorityUpdatePush:
			return &ConnError{IDError, "PRIORITY_UPDATE for an unknown push"}
		case length > maxPriorityUpdate:
			return &ConnError{ExcessiveLoad, "PRIORITY_UPDATE is too long"}
		}
	default:
		if t.isHTTP2() {
			return unexpected(t, "of HTTP/2")
		}
	}
	return c.HandleWaste(now)
}

// endControlFrame acts on a complete frame.
func (c *state) endControlFrame(t FrameType, payload []byte) (err error) {
	if t == FrameSettings {
		peer, err := parseSettings(payload, c.keepsExtra)
		if err == nil {
			c.peer.Store(peer)
		}
		return err
	}
	switch {
	case !c.needsPayload(t):
		return nil
	case t == FramePriorityUpdate:
		return c.handlePriorityUpdate(payload)
	}
	id, n := wire.ConsumeVarint(payload)
	if n != len(payload) {
		return &ConnError{FrameError, t.String() + " is not one integer"}
	}
	switch t {
	case FrameGoAway:
		return c.handleGoAway(id)
	case FrameMaxPushID:
		if c.hasMaxPushID && id < c.maxPushID {
			return &ConnError{IDError, "MAX_PUSH_ID goes down"}
		}
		c.maxPushID, c.hasMaxPushID = id, true
	case FrameCancelPush:
		// Nothing was promised in either direction: a client never allowed a
		// push ID, a server has used none, whatever the client allows
		// (RFC 9114, Section 7.2.3).
		return &ConnError{IDError, "CANCEL_PUSH for an unknown push"}
	}
	return nil
}

// handleGoAway takes the identifier of a GOAWAY (RFC 9114, Sections 5.2 and
// 7.2.6).
func (c *state) handleGoAway(id uint64) error {
	if c.side == wire.ClientSide && id%requestStep != 0 {
		return &ConnError{IDError, "GOAWAY with an ID that is not a request's"}
	}
	if id > c.peerGoAway {
		return &ConnError{IDError, "GOAWAY with a larger ID than before"}
	}
	c.peerGoAway = id
	return nil
}
