package http3

import (
	"net/http"
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
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
	x.ref.SetPriority(p.Urgency, p.Incremental)
}

// takePriorities applies the PRIORITY_UPDATE frames that have arrived to the
// requests that have begun; the others wait.
func (c *serverConn) takePriorities(t *quic.Turn) {
	c.state.TakePriorities(func(u h3.PriorityUpdate) bool {
		s := t.StreamByID(u.StreamID)
		if s == (quic.StreamRef{}) {
			return c.state.Began(u.StreamID) // is over, then
		}
		s.SetPriority(u.Priority.Urgency, u.Priority.Incremental)
		if x, ok := t.Handler(s).(*exchange); ok {
			x.prioritized = true
		}
		return true
	})
}
