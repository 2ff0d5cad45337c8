package http3

import (
	"net/http"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// prioritize has a response sent as the client wants it: by the last
// PRIORITY_UPDATE, or else by the request's Priority field (RFC 9218, Section 7).
//
// Requests with neither take turns, though RFC 9218's default is one after the
// other: clients that say nothing do not know of priorities, and expect that a
// large download holds up nothing.
func (x *exchange) prioritize(header http.Header) {
	if x.prioritized {
		return
	}
	if values, ok := header["Priority"]; ok {
		x.setPriority(h3.ParsePriority(strings.Join(values, ",")))
	}
}

func (x *exchange) setPriority(p h3.Priority) {
	x.Ref.SetPriority(p.Urgency, p.Incremental)
}

// HandlePriority applies a PRIORITY_UPDATE frame to a request that has begun.
func (c *serverConn) HandlePriority(id uint64, p h3.Priority) bool {
	s := c.turn.StreamByID(id)
	if s == (event.Stream{}) {
		return false
	}
	s.SetPriority(p.Urgency, p.Incremental)
	x, ok := c.turn.Handler(s).(*exchange)
	if opening := c.opening; opening != nil && opening.Ref == s {
		x, ok = opening, true
	}
	if ok {
		x.prioritized = true
	}
	return true
}
