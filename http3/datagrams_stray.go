package http3

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// errStrayDatagram is how a request ends that has no use for datagrams when one comes.
var errStrayDatagram = &h3.StreamError{Code: h3.DatagramError, Reason: "a datagram for a request that has no use for it"}

// handlerOf returns who is told of a stream, nil for nobody.
func (c *conn) handlerOf(id uint64) event.StreamHandler {
	if s := c.turn.StreamByID(id); s != (event.Stream{}) {
		return c.turn.Handler(s)
	}
	return nil
}

// HandleStrayDatagrams ends a request that is not for a tunnel (RFC 9297, Section 2). The
// datagrams of a tunnel that has ended or was refused are dropped.
func (c *serverConn) HandleStrayDatagrams(id uint64) bool {
	x, ok := c.handlerOf(id).(*exchange)
	if !ok || x.handed == nil {
		return false // it may become a tunnel
	}
	if x.tunnel == nil {
		cancel(x.Ref, errStrayDatagram.Code)
		x.peerReset(&quic.StreamError{StreamID: id, Code: uint64(errStrayDatagram.Code)})
	}
	return true
}

// HandleStrayDatagrams does the same at a client, where nothing is kept for requests to come.
func (c *clientConn) HandleStrayDatagrams(id uint64) bool {
	st, ok := c.handlerOf(id).(*clientStream)
	switch {
	case !ok:
	case st.over:
		cancel(st.Ref, errStrayDatagram.Code) // whoever reads learns of it
	default:
		st.endWith(errStrayDatagram, errStrayDatagram.Code)
	}
	return true
}
