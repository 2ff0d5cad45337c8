package quic

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/relay"
)

// heritage is what a transport has of its predecessor, and leaves to its successor: what
// clients have proofs of.
type heritage struct {
	// ResetKeys and TokenSecrets are what stateless resets and tokens are made with, the
	// newest first.
	ResetKeys, TokenSecrets [][32]byte

	links []*relay.Link // to the predecessor, one for each loop; nil without
}

// newHeritage is that of a transport without a predecessor.
func (tc *TransportConfig) newHeritage() *heritage {
	if k := tc.FleetKeys; k != nil {
		return &heritage{ResetKeys: k.resets, TokenSecrets: k.tokens}
	}
	h := &heritage{ResetKeys: [][32]byte{tc.resetKey()}, TokenSecrets: make([][32]byte, 1)}
	rand.Read(h.TokenSecrets[0][:])
	return h
}

// renew puts the keys of a configuration, if it has any, before those of the predecessor.
func (h *heritage) renew(k *FleetKeys) {
	if k != nil {
		h.ResetKeys, h.TokenSecrets = withOlder(k.resets, h.ResetKeys), withOlder(k.tokens, h.TokenSecrets)
	}
}

// check refuses what no transport leaves.
func (h *heritage) check() error {
	for _, keys := range [][][32]byte{h.ResetKeys, h.TokenSecrets} {
		if len(keys) == 0 || len(keys) > maxFleetSecrets || slices.Contains(keys, [32]byte{}) {
			return errors.New("it has no keys")
		}
	}
	return nil
}

// links are those of a transport to its neighbors.
type links struct {
	mu    sync.Mutex
	open  map[*relay.Link]struct{}
	ended bool
}

// add keeps links, to be closed with the transport.
func (l *links) add(list []*relay.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		closeLinks(list)
		return
	}
	if l.open == nil {
		l.open = make(map[*relay.Link]struct{})
	}
	for _, link := range list {
		l.open[link] = struct{}{}
	}
}

// run has take get what comes by one of them until that ends, and closes it then. It reports
// what relay.Link.Run does.
func (l *links) run(link *relay.Link, take func(engine.Datagram)) (left bool) {
	left = link.Run(take)
	l.drop(link)
	return left
}

// drop closes some of them.
func (l *links) drop(list ...*relay.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	closeLinks(list)
	for _, link := range list {
		delete(l.open, link)
	}
}

// close closes all, and those that come later.
func (l *links) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for link := range l.open {
		link.Close()
	}
	l.open = nil
}

func closeLinks(list []*relay.Link) {
	for _, link := range list {
		link.Close()
	}
}

// reserve takes the place of the successor, of which there is one at a time.
func (t *Transport) reserve() error {
	switch {
	case t.predecessor.Load() != nil:
		return errors.New("the sockets are the predecessor's until the transport listens")
	case !t.successors.CompareAndSwap(0, int32(len(t.workers))):
		return errors.New("there is a successor already, or about to be")
	}
	return nil
}

// stepAside leaves the sockets to the successor at the other end of links.
func (t *Transport) stepAside(list []*relay.Link) error {
	t.links.add(list)
	return t.onLoops(func(i int, w *worker) error {
		err := w.SetDeaf(true)
		if err == nil {
			w.SetSuccessor(list[i])
			w.tellPredecessor(true)
		}
		return err
	})
}

// attend serves the successor at the other end of links.
func (t *Transport) attend(list []*relay.Link) {
	for i, w := range t.workers {
		go func() {
			left := t.links.run(list[i], w.Asked)
			w.Do(func() { w.orphaned(left) })
			t.successors.Add(-1)
		}()
	}
}

// orphaned takes note that the successor has gone. The socket is read again, unless the
// successor has left it to its own. On the loop's goroutine.
func (w *worker) orphaned(left bool) {
	w.SetSuccessor(nil)
	if !left {
		w.hear()
	}
}

// hear reads the socket again. On the loop's goroutine.
func (w *worker) hear() {
	_ = w.SetDeaf(false) // which it could be
	w.tellPredecessor(false)
}

// tellPredecessor says whether the socket is left to a successor. On the loop's goroutine.
func (w *worker) tellPredecessor(left bool) {
	if list := w.transport.heritage.links; list != nil {
		list[w.Index()].Leave(left) // it may have gone
	}
}

// stepBack is for a successor that did not come.
func (t *Transport) stepBack(list []*relay.Link) {
	_ = t.onLoops(func(_ int, w *worker) error {
		w.SetSuccessor(nil)
		w.hear()
		return nil
	})
	t.links.drop(list...)
}

// succeed begins to read the sockets that the predecessor at the other end of the links has
// left.
func (t *Transport) succeed() error {
	list := t.heritage.links
	t.predecessors.Store(int32(len(list)))
	err := t.onLoops(func(i int, w *worker) error {
		w.SetPredecessor(list[i])
		return nil
	})
	if err == nil {
		// Not before each loop knows whom to ask: they hand over to each other what they read,
		// and a stateless reset would end a connection of the predecessor's.
		err = t.onLoops(func(_ int, w *worker) error { return w.SetDeaf(false) })
	}
	for i, w := range t.workers {
		go func() {
			t.links.run(list[i], w.Returned)
			w.Do(func() { w.SetPredecessor(nil) })
			t.predecessors.Add(-1)
			if l := t.listener.Load(); l != nil {
				l.settle()
			}
			t.retire()
		}()
	}
	return err
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
