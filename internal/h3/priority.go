package h3

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/wire"
)

// The types of PRIORITY_UPDATE frames (RFC 9218, Section 7.2).
const (
	FramePriorityUpdate     FrameType = 0xf0700 // of a request
	FramePriorityUpdatePush FrameType = 0xf0701 // of a push
)

// Priority is how a client wants a response to be sent (RFC 9218, Section 4).
type Priority struct {
	Urgency     uint8 // 0 for the first to 7 for the last
	Incremental bool  // of use in pieces, so that it may share with others
}

// DefaultPriority is that of a request with a Priority field that says nothing.
var DefaultPriority = Priority{Urgency: 3}

// PriorityUpdate is what a PRIORITY_UPDATE frame says of a request.
type PriorityUpdate struct {
	StreamID uint64
	Priority Priority
}

const (
	// maxPriorityUpdate bounds, in bytes, what a frame may have stored to be
	// read. What is known of priorities takes five bytes.
	maxPriorityUpdate = 1024
	// maxPriorityUpdates bounds those that are kept for requests to come: as many as a
	// client may have open. What comes beyond is a hint less.
	maxPriorityUpdates = 128
)

// ParsePriority reads the value of a Priority field, a dictionary (RFC 8941,
// Section 3.2). What is not known, or not valid, counts as absent, as RFC 9218,
// Section 4, asks for.
func ParsePriority(value string) Priority {
	p := DefaultPriority
	for member := range strings.SplitSeq(value, ",") {
		member, _, _ = strings.Cut(member, ";")
		key, v, hasValue := strings.Cut(strings.Trim(member, " \t"), "=")
		switch {
		case key == "u" && len(v) == 1 && '0' <= v[0] && v[0] <= '7':
			p.Urgency = v[0] - '0'
		case key == "i" && (!hasValue || v == "?1"):
			p.Incremental = true
		case key == "i" && v == "?0":
			p.Incremental = false
		}
	}
	return p
}

// handlePriorityUpdate takes the payload of a PRIORITY_UPDATE frame of a request
// (RFC 9218, Section 7.2).
func (c *state) handlePriorityUpdate(payload []byte) error {
	id, n := wire.ConsumeVarint(payload)
	switch {
	case n < 0:
		return &ConnError{FrameError, "PRIORITY_UPDATE ends within its ID"}
	case id%requestStep != 0:
		return &ConnError{IDError, "PRIORITY_UPDATE with an ID that is not a request's"}
	}
	c.updates = append(c.updates, PriorityUpdate{id, ParsePriority(string(payload[n:]))})
	return nil
}

// Began reports whether the request with this stream ID, or a later one, has
// begun.
func (c *state) Began(id uint64) bool { return id < c.nextRequest }

// TakeUpdates calls apply for what PRIORITY_UPDATE frames have said since the last
// call. Where it returns false and the request has not begun, the priority is kept for
// TakePriority.
func (c *state) TakeUpdates(apply func(PriorityUpdate) bool) {
	for _, u := range c.updates {
		if !apply(u) && !c.Began(u.StreamID) {
			c.keepPriority(u)
		}
	}
	c.updates = nil
}

func (c *state) keepPriority(u PriorityUpdate) {
	if c.priorities == nil {
		c.priorities = make(map[uint64]Priority)
	}
	if _, known := c.priorities[u.StreamID]; known || len(c.priorities) < maxPriorityUpdates {
		c.priorities[u.StreamID] = u.Priority
	}
}

// TakePriority returns what was kept for a request, which begins now.
func (c *state) TakePriority(id uint64) (p Priority, ok bool) {
	if p, ok = c.priorities[id]; ok {
		if delete(c.priorities, id); len(c.priorities) == 0 {
			c.priorities = nil
		}
	}
	return p, ok
}
