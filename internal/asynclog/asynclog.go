// Package asynclog writes log records in a goroutine of its own, so that whoever logs
// never waits for a terminal, a pipe or a disk, and limits how many a peer can cause.
//
//	log := asynclog.New(slog.Default().Handler())
//	slog.New(log).Debug("a peer broke the protocol", "remote", addr)
//	…
//	log.Flush()
package asynclog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxQueued is how many records wait at most while a writer is slow: some tens of
	// kilobytes, and more for those with the stack of a panic.
	maxQueued = 256
	// maxPerSecond is how many records a second are taken: enough to see what is
	// wrong, too few to fill a disk or hide other lines.
	maxPerSecond = 100
	// flushWait is how long Flush waits at most.
	flushWait = time.Second
)

// Handler is an slog.Handler that hands records to another one. What is beyond its
// limits is left out, which is said in one line when there is room again. It has a
// goroutine only while there is something to write. Any goroutine may use it.
type Handler struct {
	next slog.Handler
	*queue
}

// queue is shared by a Handler and those that WithAttrs and WithGroup made of it.
type queue struct {
	first slog.Handler // for what is said of the queue itself

	mu      sync.Mutex
	waiting []entry
	idle    chan struct{} // closed when nothing is to be written any more; nil if that is so
	second  time.Time     // when the present second began
	taken   int           // records in it
	leftOut int           // since it was said last
}

type entry struct {
	to     slog.Handler
	record slog.Record
}

var _ slog.Handler = (*Handler)(nil)

// New returns a Handler that writes to next, which may be one already.
func New(next slog.Handler) *Handler {
	if h, ok := next.(*Handler); ok {
		return h
	}
	return &Handler{next: next, queue: &queue{first: next}}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{next: h.next.WithAttrs(attrs), queue: h.queue}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{next: h.next.WithGroup(name), queue: h.queue}
}

// Handle takes a record. It does not wait, and its error is always nil.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	q := h.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := time.Now(); now.Sub(q.second) >= time.Second {
		q.second, q.taken = now, 0
	}
	if q.taken == maxPerSecond || len(q.waiting) == maxQueued {
		q.leftOut++
		return nil
	}
	q.taken++
	q.sayLeftOut()
	q.push(entry{h.next, r.Clone()})
	return nil
}

// sayLeftOut queues a line about what was left out. The lock is held.
func (q *queue) sayLeftOut() {
	if q.leftOut == 0 {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "log records were left out", 0)
	r.AddAttrs(slog.Int("records", q.leftOut))
	q.leftOut = 0
	q.push(entry{q.first, r})
}

// push queues an entry and sees to it that somebody writes it. The lock is held.
func (q *queue) push(e entry) {
	q.waiting = append(q.waiting, e)
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.write()
	}
}

// write writes what is queued.
func (q *queue) write() {
	for e, ok := q.pop(); ok; e, ok = q.pop() {
		_ = e.to.Handle(context.Background(), e.record) // there is nobody to tell
	}
}

// pop takes the next entry out, or notes that there is none.
func (q *queue) pop() (entry, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting = nil
		close(q.idle)
		q.idle = nil
		return entry{}, false
	}
	e := q.waiting[0]
	q.waiting[0] = entry{}
	q.waiting = q.waiting[1:]
	return e, true
}

// Flush waits until what was logged is written, and for a second at most.
func (h *Handler) Flush() {
	q := h.queue
	q.mu.Lock()
	q.sayLeftOut()
	idle := q.idle
	q.mu.Unlock()
	if idle == nil {
		return
	}
	timeout := time.NewTimer(flushWait)
	defer timeout.Stop()
	select {
	case <-idle:
	case <-timeout.C:
	}
}
