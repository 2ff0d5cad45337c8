package port

import "sync/atomic"

// commands is the ring of what the host wants. One goroutine at a time reads it.
type commands struct {
	mem  memory
	ring []byte
	tail uint32
}

// maxPoll is how many bytes of commands a turn of a loop takes, before it looks after its
// connections again.
const maxPoll = 1 << 20

func (c *commands) init(mem memory) {
	c.mem = mem
	c.ring = mem.ring(offCommands, offCommandSize)
}

// pending reports whether there are commands.
func (c *commands) pending() bool { return atomic.LoadUint32(c.mem.u32(offCommandHead)) != c.tail }

// next returns the commands that are there, up to the ring's end; ok is false if the
// host's head makes no sense.
func (c *commands) next() (b []byte, ok bool) {
	n := atomic.LoadUint32(c.mem.u32(offCommandHead)) - c.tail
	if n > uint32(len(c.ring)) || n%recordAlignment != 0 {
		return nil, false
	}
	at := c.tail & uint32(len(c.ring)-1)
	return c.ring[at:min(at+n, uint32(len(c.ring)))], true
}

// done says that n bytes have been carried out.
func (c *commands) done(n int) {
	c.tail += uint32(n)
	atomic.StoreUint32(c.mem.u32(offCommandTail), c.tail)
}
