package memnet

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
)

// Weather is what a network does to datagrams on their way, by chance that comes
// from a seed: what is sent to a socket has the same fate for the same seed, if it
// is sent in the same order.
type Weather struct {
	Seed uint64
	// Loss and Duplicate are the shares of datagrams that are lost and that
	// arrive twice.
	Loss, Duplicate float64
	// Reorder is the share that is held back for up to Hold, so that others
	// overtake.
	Reorder float64
	Hold    time.Duration
	// Jitter is by how much any datagram may be late.
	Jitter time.Duration
	// Bandwidth is how many bytes a second each socket is sent at most, 0 for any number,
	// and Queue how many bytes may wait for that. What finds no room is lost.
	Bandwidth float64
	Queue     int
}

// line is the last part of the way to a socket.
type line struct {
	chance *rand.Rand
	free   time.Time // when all that waits has been sent
}

// SetWeather makes the network suffer from w, which must not be changed any more;
// nil ends it.
func (n *Network) SetWeather(w *Weather) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.weather = w
	for _, s := range n.sockets {
		s.line = line{}
	}
}

// carry delivers m to dst after delay, or later, twice, or never. The network's
// lock is held.
func (w *Weather) carry(dst *Socket, m udp.Message, delay time.Duration) {
	if dst.line.chance == nil {
		// Each socket has its own, as nobody knows in which order two send.
		h := fnv.New64a()
		_, _ = h.Write([]byte(dst.addr.String()))
		dst.line.chance = rand.New(rand.NewPCG(w.Seed, h.Sum64()))
	}
	chance := dst.line.chance
	hits := func(rate float64) bool { return chance.Float64() < rate }
	lost, twice := hits(w.Loss), hits(w.Duplicate)
	if waits, ok := w.queue(&dst.line, len(m.Data)); ok {
		delay += waits
	} else {
		return
	}
	if !lost {
		dst.deliver(m, delay+w.late(chance))
	}
	if twice {
		m.Data = append([]byte(nil), m.Data...) // whoever receives changes it
		dst.deliver(m, delay+w.late(chance))
	}
}

// queue returns how long size bytes wait and take to be sent. ok is false if there is no
// room for them.
func (w *Weather) queue(l *line, size int) (waits time.Duration, ok bool) {
	if w.Bandwidth <= 0 {
		return 0, true
	}
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	if waiting := l.free.Sub(now).Seconds() * w.Bandwidth; int(waiting)+size > w.Queue {
		return 0, false
	}
	l.free = l.free.Add(time.Duration(float64(size) / w.Bandwidth * float64(time.Second)))
	return l.free.Sub(now), true
}

// late returns by how much one datagram is.
func (w *Weather) late(r *rand.Rand) (d time.Duration) {
	if w.Jitter > 0 {
		d += time.Duration(r.Int64N(int64(w.Jitter)))
	}
	if r.Float64() < w.Reorder && w.Hold > 0 {
		d += time.Duration(r.Int64N(int64(w.Hold)))
	}
	return d
}
