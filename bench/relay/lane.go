package main

import (
	"math/rand/v2"
	"time"
)

// link is what happens to datagrams in each direction.
type link struct {
	delay time.Duration
	loss  float64 // fraction
	seed  uint64
}

// lane is one direction for one client.
type lane struct {
	link
	random *rand.Rand
	queue  chan datagram
}

type datagram struct {
	due  time.Time
	data []byte
}

// maxQueue is how many datagrams may be under way in a lane; with 50 ms and
// packets of 1400 bytes that is a rate of 14 Gbit/s.
const maxQueue = 1 << 16

// newLane starts a goroutine that calls send with what arrives. Lanes with
// different numbers lose different datagrams.
func newLane(l link, number uint64, send func([]byte)) *lane {
	a := &lane{link: l, random: rand.New(rand.NewPCG(l.seed, number)), queue: make(chan datagram, maxQueue)}
	go func() {
		for d := range a.queue {
			time.Sleep(time.Until(d.due))
			send(d.data)
		}
	}()
	return a
}

// add puts a datagram, which is copied, on its way, or loses it.
func (a *lane) add(b []byte) {
	if a.random.Float64() < a.loss {
		return
	}
	select {
	case a.queue <- datagram{time.Now().Add(a.delay), append([]byte(nil), b...)}:
	default: // the link is full
	}
}
