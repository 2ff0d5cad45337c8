package loop

import (
	"cmp"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// reliefPeriod is how often a loop looks at what its connections hold while memory
// is short. Whoever makes progress reads or is sent something meanwhile.
const reliefPeriod = 100 * time.Millisecond

// relief is what a loop remembers of its looking.
type relief struct {
	at      monotime.Time // when it looked last
	evicted uint64        // connections ended
}

// relieve ends connections when the buffers of all hold more than they may, those
// first that hold the most and make the least progress. Writers wait long before
// that, and windows no longer grow, so that it takes peers who use up what they
// were promised, or more connections than there is memory for.
func (l *Loop) relieve() {
	m := l.config.Endpoint.Memory
	if m == nil || m.Used() < m.Limit()/2 || l.relief.at != 0 && l.now.Sub(l.relief.at) < reliefPeriod {
		return
	}
	l.relief.at = l.now
	over := m.Used() - m.Limit()
	if over > 0 {
		l.wakeOthers() // they may have the ones to end
	}
	var stuck []*Conn
	for c := l.conns.head; c != nil; c = c.next {
		if c.measure(over > m.Limit()/4) && over > 0 {
			stuck = append(stuck, c)
		}
	}
	slices.SortFunc(stuck, func(a, b *Conn) int { return cmp.Compare(b.stuck, a.stuck) })
	for _, c := range stuck {
		if m.Used() <= m.Limit()-m.Limit()/8 {
			return
		}
		if c.engine.Evict(l.clock()) {
			c.touch()
			l.relief.evicted++
		}
	}
}

// minStuck is what a connection may hold for as long as it likes, in bytes: ending
// it would gain little.
const minStuck = 64 << 10

// measure notes how much the connection holds beyond the progress it has made since
// the last time, and reports whether that is much. Who was read from or sent a lot in
// one of two periods is not stuck, unless it is urgent.
func (c *Conn) measure(urgent bool) bool {
	progress := c.engine.Progress()
	now := c.engine.MemoryHeld() - int64(progress-c.progress)
	before := c.stuck
	c.progress, c.stuck = progress, now
	return now > minStuck && (urgent || before > minStuck)
}

// wakeOthers makes the other loops of the group look, too.
func (l *Loop) wakeOthers() {
	if l.group == nil {
		return
	}
	for _, other := range l.group.Loops {
		if other != l {
			other.Do(func() {})
		}
	}
}
