package streambuf

import "sync/atomic"

// Memory is what the buffers of all connections of some endpoints hold, and may
// hold, together: bytes to be sent or acknowledged, and bytes received and not
// read. Any goroutine may use it.
//
// No connection gets more than a half of what is free. So those that want much have
// the same, a newcomer finds room, and the more of them there are, the less each
// has: with n of them a share of 1/(n+2). The limit may be exceeded by a block for
// each stream, which it may have whatever the others do, by a block for each of those
// who write at the same moment, and by what peers send within the windows that they
// were granted before.
type Memory struct {
	limit int64 // bytes
	used  atomic.Int64
}

// NewMemory returns a budget of so many bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Limit returns the size of the budget in bytes.
func (m *Memory) Limit() int64 { return m.limit }

// Used returns how many bytes are held, a little more than there really are: each
// connection counts in steps, but not beyond the limit.
func (m *Memory) Used() int64 { return m.used.Load() }

// noLimit is the share of those who have no budget, in bytes.
const noLimit = 1 << 62

// share returns how many bytes one connection may hold now.
func (m *Memory) share() int64 {
	if m == nil {
		return noLimit
	}
	return (m.limit - m.used.Load()) / 2
}

// full reports whether all is used.
func (m *Memory) full() bool { return m != nil && m.used.Load() >= m.limit }
