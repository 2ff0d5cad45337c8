package quic

import (
	"crypto/rand"
	"sync"

	"github.com/godwit-quic/godwit/internal/relay"
)

// heritage is what a transport has of its predecessor, and leaves to its successor: what
// clients have proofs of.
type heritage struct {
	ResetKey, TokenSecret [32]byte

	links []*relay.Link // to the predecessor, one for each loop; nil without
}

// newHeritage is that of a transport without a predecessor.
func (tc *TransportConfig) newHeritage() *heritage {
	h := new(heritage)
	h.ResetKey = tc.resetKey()
	rand.Read(h.TokenSecret[:])
	return h
}

// links are those of a transport to its neighbors.
type links struct {
	mu    sync.Mutex
	open  []*relay.Link
	ended bool
}

// add keeps links, to be closed with the transport.
func (l *links) add(list []*relay.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, list...)
	if l.ended {
		closeLinks(list)
	}
}

// close closes all, and those that come later.
func (l *links) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	closeLinks(l.open)
	l.open = nil
}

func closeLinks(list []*relay.Link) {
	for _, link := range list {
		link.Close()
	}
}

// stepAside leaves the sockets to the successor at the other end of links.
func (t *Transport) stepAside(list []*relay.Link) error {
	t.links.add(list)
	err := t.onLoops(func(i int, w *worker) error {
		err := w.SetDeaf(true)
		if err == nil {
			w.SetSuccessor(list[i])
		}
		return err
	})
	if err != nil {
		t.stepBack()
		return err
	}
	for i, w := range t.workers {
		go func() {
			list[i].Run(w.Asked)
			w.Do(func() { w.orphaned() })
		}()
	}
	return nil
}

// orphaned takes note that the successor has gone. If nothing here ends, it has failed, and
// the socket is read again. On the loop's goroutine.
func (w *worker) orphaned() {
	w.SetSuccessor(nil)
	if l := w.accepting; l != nil && !l.ending.shutting.Load() {
		_ = w.SetDeaf(false) // which it could be
	}
}

// stepBack is for a successor that did not come.
func (t *Transport) stepBack() {
	_ = t.onLoops(func(_ int, w *worker) error {
		w.SetSuccessor(nil)
		_ = w.SetDeaf(false)
		return nil
	})
}

// succeed begins to read the sockets that the predecessor at the other end of the links has
// left.
func (t *Transport) succeed() error {
	list := t.heritage.links
	t.links.add(list)
	t.predecessors.Store(int32(len(list)))
	for i, w := range t.workers {
		go func() {
			list[i].Run(w.Returned)
			w.Do(func() { w.SetPredecessor(nil) })
			t.predecessors.Add(-1)
			if l := t.listener.Load(); l != nil {
				l.settle()
			}
			t.retire()
		}()
	}
	return t.onLoops(func(i int, w *worker) error {
		w.SetPredecessor(list[i])
		return w.SetDeaf(false)
	})
}

// onLoops calls f on the goroutine of each loop, and returns the first error.
func (t *Transport) onLoops(f func(i int, w *worker) error) error {
	var first error
	for i, w := range t.workers {
		done := make(chan error, 1)
		if !w.Do(func() { done <- f(i, w) }) {
			return ErrClosed
		}
		select {
		case err := <-done:
			if first == nil {
				first = err
			}
		case <-w.Done():
			return ErrClosed
		}
	}
	return first
}
