package http3

import (
	"context"
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// awaited are a connection's requests whose response has not begun.
type awaited struct {
	mu   sync.Mutex
	list *clientStream // linked by next and prev
}

func (a *awaited) add(st *clientStream) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if st.next = a.list; st.next != nil {
		st.next.prev = st
	}
	a.list = st
}

func (a *awaited) remove(st *clientStream) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if st.prev != nil {
		st.prev.next = st.next
	} else {
		a.list = st.next
	}
	if st.next != nil {
		st.next.prev = st.prev
	}
	st.next, st.prev = nil, nil
}

var _ quic.SilenceHandler = (*clientConn)(nil)

// HandleSilent implements quic.SilenceHandler. It is called when the server has answered
// nothing for several probe timeouts: it was restarted, or the path to it is gone, which
// the idle timeout would tell only after half a minute. Further requests get another connection. So do those that may be
// sent twice and that the server has not acknowledged; the others wait: it may come back.
func (c *clientConn) HandleSilent(*quic.Turn) {
	c.transport.retire(c)
	c.awaited.mu.Lock()
	defer c.awaited.mu.Unlock()
	for st := c.awaited.list; st != nil; st = st.next {
		if isIdempotent(st.req) && hasContentAgain(st.req) && !st.acknowledged() {
			st.moved.Store(true)
			cancel(st.stream.Ref(), h3.RequestCancelled)
		}
	}
}

// acknowledged reports whether the server has all of the request.
func (st *clientStream) acknowledged() bool {
	return context.Cause(st.stream.Context()) == context.Canceled
}
