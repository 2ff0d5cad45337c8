package sim

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// strays are connections that the network made up: an old first packet of the
// client, repeated, is a new client to a server. No application speaks on
// them; they must end by themselves and be forgotten.
type strays struct{ list []*engine.Conn }

// note takes the connection that a datagram went to, when it is not the host's.
func (s *strays) note(c *engine.Conn) {
	if c == nil || c.Deadline().IsZero() {
		return
	}
	for _, known := range s.list {
		if c == known {
			return
		}
	}
	s.list = append(s.list, c)
}

// work fires what is due, sends, and drops the connections that have ended.
func (s *strays) work(h *host, now monotime.Time) error {
	kept := s.list[:0]
	for _, c := range s.list {
		if d := c.Deadline(); !d.After(now) {
			c.HandleDeadline(now)
		}
		for t, ok := c.PollTransmit(now, h.buf, 8); ok; t, ok = c.PollTransmit(now, h.buf, 8) {
			if err := h.transmit(t); err != nil {
				return err
			}
		}
		var events [4]engine.Event
		for c.PollEvents(events[:]) > 0 {
		}
		if !c.Deadline().IsZero() {
			kept = append(kept, c)
		}
	}
	s.list = kept
	return nil
}

// deadline is the earliest of all.
func (s *strays) deadline() (at monotime.Time) {
	for _, c := range s.list {
		at = monotime.Earliest(at, c.Deadline())
	}
	return at
}
