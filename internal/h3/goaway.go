package h3

import "github.com/godwit-quic/godwit/internal/wire"

// lastRequest is the largest ID of a request stream.
const lastRequest = 1<<62 - requestStep

// AppendGoAwayNotice appends a GOAWAY that refuses nothing yet: a server is about
// to end the connection, and says so a round trip before AppendGoAway, so that
// requests on their way are still answered (RFC 9114, Section 5.2).
func (c *state) AppendGoAwayNotice(b []byte) []byte {
	return c.appendGoAway(b, lastRequest)
}

// AppendGoAway appends a GOAWAY that refuses what the peer has not begun yet, to
// be sent on the control stream. A server rejects later requests from now on.
func (c *state) AppendGoAway(b []byte) []byte {
	if c.side == wire.ClientSide {
		return c.appendGoAway(b, 0) // refuses pushes, of which there are none
	}
	return c.appendGoAway(b, c.nextRequest)
}

func (c *state) appendGoAway(b []byte, id uint64) []byte {
	c.sentGoAway = id
	b = AppendFrameHeader(b, FrameGoAway, uint64(wire.SizeVarint(id)))
	return wire.AppendVarint(b, id)
}
