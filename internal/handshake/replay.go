package handshake

import (
	"bytes"
	"container/heap"
	"crypto/rand"
	"sync"
	"time"
)

// MaxReplayTickets is how many tickets a MemoryGuard remembers, at some 80 bytes each.
const MaxReplayTickets = 1 << 15

// MemoryGuard is a ReplayGuard of one server. It is sure of tickets that it has named, and
// of no others: those of servers that have the same keys, at the same time or before it, may
// have been used there. It forgets those made first when there are too many, and is sure of
// none that are as old. Whoever fills it, with a handshake for each ticket, makes clients
// that were here before wait for a round trip, and no more.
type MemoryGuard struct {
	own   [8]byte // begins the names of its tickets
	mu    sync.Mutex
	since time.Time // of tickets that were made before it is not sure
	used  map[TicketID]struct{}
	byAge ticketHeap
}

// NewMemoryGuard returns a MemoryGuard that has named no ticket.
func NewMemoryGuard() *MemoryGuard {
	g := &MemoryGuard{used: make(map[TicketID]struct{})}
	rand.Read(g.own[:])
	return g
}

// NewTicket names a ticket.
func (g *MemoryGuard) NewTicket() TicketID {
	id := newTicketID()
	copy(id[:], g.own[:])
	return id
}

// newTicketID names a ticket for guards that know those of others, too.
func newTicketID() (id TicketID) {
	rand.Read(id[:])
	return id
}

// FirstUse implements ReplayGuard.
func (g *MemoryGuard) FirstUse(ticket TicketID, issued, _ time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, used := g.used[ticket]; used || !bytes.HasPrefix(ticket[:], g.own[:]) || issued.Before(g.since) {
		return false
	}
	for len(g.byAge) >= MaxReplayTickets {
		oldest := heap.Pop(&g.byAge).(usedTicket)
		delete(g.used, oldest.id)
		g.since = oldest.issued.Add(time.Millisecond) // to which they are told apart
	}
	if issued.Before(g.since) {
		return false
	}
	g.used[ticket] = struct{}{}
	heap.Push(&g.byAge, usedTicket{ticket, issued})
	return true
}

type usedTicket struct {
	id     TicketID
	issued time.Time
}

// ticketHeap has the ticket in front that was made first.
type ticketHeap []usedTicket

func (h ticketHeap) Len() int           { return len(h) }
func (h ticketHeap) Less(i, j int) bool { return h[i].issued.Before(h[j].issued) }
func (h ticketHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *ticketHeap) Push(x any) { *h = append(*h, x.(usedTicket)) }

// Pop implements heap.Interface.
func (h *ticketHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}

// outsideGuard asks a guard that may block.
type outsideGuard struct {
	ReplayGuard
	pool *pool
}

func (g outsideGuard) FirstUse(ticket TicketID, issued, expires time.Time) bool {
	g.pool.leave()
	defer g.pool.enter()
	return g.ReplayGuard.FirstUse(ticket, issued, expires)
}
