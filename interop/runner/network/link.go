package network

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// headers are what a datagram is longer on a link than its payload, in bytes: those of
// IPv4 and UDP.
const headers = 28

// link is one direction for all clients. Its deliveries are in order.
type link struct {
	scenario Scenario
	weather  Weather
	number   uint64 // tells the directions apart

	mu      sync.Mutex
	random  *rand.Rand
	count   int // of packets that came
	inARow  int // that were lost or changed
	busy    time.Time
	leaving []time.Time // when packets of the queue leave it
	lane    chan delivery
	done    chan struct{}
}

type delivery struct {
	due  time.Time
	send func()
}

// maxUnderWay is how many deliveries may be under way, far above what a queue and the
// delay hold.
const maxUnderWay = 1 << 14

func newLink(s Scenario, w Weather, number uint64) *link {
	l := &link{
		scenario: s, weather: w,
		random: rand.New(rand.NewPCG(s.Seed, number)),
		lane:   make(chan delivery, maxUnderWay),
		done:   make(chan struct{}),
	}
	go l.deliver(l.lane)
	return l
}

// deliver sends what is due until the lane is closed.
func (l *link) deliver(lane <-chan delivery) {
	defer close(l.done)
	for d := range lane {
		time.Sleep(time.Until(d.due))
		d.send()
	}
}

// close ends the link, and returns when nothing is sent any more.
func (l *link) close() {
	l.mu.Lock()
	close(l.lane)
	l.lane = nil
	l.mu.Unlock()
	<-l.done
}

// carry decides what becomes of a datagram, changes it if that is to be, and has send called
// when it has come through.
func (l *link) carry(b []byte, now time.Time, dead bool, send func()) Fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	fate := l.fate(b)
	if dead || l.lane == nil {
		fate = Lost
	}
	if fate == Lost {
		return Lost
	}
	due, ok := l.departure(now, len(b))
	if !ok {
		return Lost
	}
	select {
	case l.lane <- delivery{due.Add(l.scenario.Delay), send}:
	default:
		return Lost
	}
	return fate
}

// corruptible is how many bytes from the start corruption may hit: so it often hits a
// header.
const corruptible = 50

// fate rolls the dice for a packet, and changes it.
func (l *link) fate(b []byte) Fate {
	w := &l.weather
	if slices.Contains(w.Drop, l.count) {
		return Lost
	}
	roll := l.random.Float64()
	if w.Burst > 0 && l.inARow >= w.Burst || roll >= w.Loss+w.Corruption {
		l.inARow = 0
		return Passed
	}
	l.inARow++
	if roll < w.Loss {
		return Lost
	}
	if len(b) > 0 {
		b[l.random.IntN(min(len(b), corruptible))] ^= byte(1 + l.random.IntN(255))
	}
	return Changed
}

// departure returns when a packet has left the queue and is on its way, unless the queue
// is full.
func (l *link) departure(now time.Time, n int) (time.Time, bool) {
	if l.scenario.Rate == 0 {
		return now, true
	}
	for len(l.leaving) > 0 && !l.leaving[0].After(now) {
		l.leaving = l.leaving[1:]
	}
	if len(l.leaving) > l.scenario.Queue {
		return now, false
	}
	if l.busy.Before(now) {
		l.busy = now
	}
	l.busy = l.busy.Add(time.Duration(n+headers) * 8 * time.Second / time.Duration(l.scenario.Rate))
	l.leaving = append(l.leaving, l.busy)
	return l.busy, true
}
