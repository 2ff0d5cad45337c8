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
	// maxPriorityUpdates bounds those that wait to be taken: as many as a client
	// may have requests open. What comes beyond is a hint less.
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
func (c *State) handlePriorityUpdate(payload []byte) error {
	id, n := wire.ConsumeVarint(payload)
	switch {
	case n < 0:
		return &ConnError{FrameError, "PRIORITY_UPDATE ends within its ID"}
	case id%requestStep != 0:
		return &ConnError{IDError, "PRIORITY_UPDATE with an ID that is not a request's"}
	}
	update := PriorityUpdate{id, ParsePriority(string(payload[n:]))}
	for i := range c.priorities {
		if c.priorities[i].StreamID == id {
			c.priorities[i] = update
			return nil
		}
	}
	if len(c.priorities) < maxPriorityUpdates {
		c.priorities = append(c.priorities, update)
	}
	return nil
}

// Began reports whether the request with this stream ID, or a later one, has
// begun.
func (c *State) Began(id uint64) bool { return id < c.nextRequest }

// HasPriorities reports whether there is something for TakePriorities.
func (c *State) HasPriorities() bool { return len(c.priorities) > 0 }

// TakePriorities calls take for the priorities that PRIORITY_UPDATE frames gave
// to requests. Those for which it returns false, as the request has not begun
// yet, are kept and offered again.
func (c *State) TakePriorities(take func(PriorityUpdate) bool) {
	kept := c.priorities[:0]
	for _, update := range c.priorities {
		if !take(update) {
			kept = append(kept, update)
		}
	}
	if c.priorities = kept; len(kept) == 0 {
		c.priorities = nil
	}
}
