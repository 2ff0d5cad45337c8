package http3

import (
	"slices"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// spareTimeout is how long a connection is kept without requests that an origin has
// beside another one: it was made as there were more requests than streams.
const spareTimeout = 10 * time.Second

// closedTimeout is how long a connection is kept that net/http has closed before the
// request for which it was made, if that does not come.
const closedTimeout = 5 * time.Second

// idle is called when a connection in the pool has no request any more. The lock is
// held.
func (t *Transport) idle(cc *clientConn) {
	if cc.pinned {
		if t.IdleConnTimeout > 0 {
			t.watch(cc)
		}
		return
	}
	if t.closed || t.DisableKeepAlives || t.MaxIdleConnsPerHost != 0 && t.idleConns(cc.addr) > max(t.MaxIdleConnsPerHost, 0) {
		t.remove(cc)
		cc.close()
		return
	}
	if t.idleTimeout(cc) > 0 {
		t.watch(cc)
	}
}

// idleConns returns how many connections of an origin have no requests. The lock is
// held.
func (t *Transport) idleConns(addr string) (n int) {
	if o := t.pool[addr]; o != nil {
		for _, cc := range o.conns {
			if cc.requests == 0 {
				n++
			}
		}
	}
	return n
}

// idleTimeout is how long a connection may be without requests, 0 for any time. The
// lock is held.
func (t *Transport) idleTimeout(cc *clientConn) time.Duration {
	limit := max(t.IdleConnTimeout, 0)
	if cc.gone {
		return closedTimeout
	}
	if o := t.pool[cc.addr]; o != nil && slices.Index(o.conns, cc) > 0 && (limit == 0 || limit > spareTimeout) {
		return spareTimeout
	}
	return limit
}

// watch has the connection's loop look whether it has been without requests for too long,
// unless that goes on already: by an entry of its table, which is not moved when there are
// requests again. The lock is held.
func (t *Transport) watch(cc *clientConn) {
	cc.idleSince = time.Now()
	if !cc.watched {
		cc.watched = true
		event.Run(cc.qc, cc.lookIfIdle)
	}
}

// lookIfIdle closes the connection if it has been without requests for too long, and looks
// again when that may be. On the loop.
func (c *clientConn) lookIfIdle(turn event.Turn) {
	t := c.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := t.idleTimeout(c)
	if c.watched = c.requests == 0 && limit > 0; !c.watched {
		return // until it is idle again
	}
	left := limit - time.Since(c.idleSince)
	if left <= 0 {
		t.remove(c)
		c.close()
		return
	}
	turn.SetTimer(&c.idleTimer, turn.Now()+left, event.TimerFunc(c.lookIfIdle))
}
