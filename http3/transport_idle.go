package http3

import (
	"slices"
	"time"
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
			cc.idleSince = time.Now()
			t.watchIdle()
		}
		return
	}
	if t.closed || t.DisableKeepAlives || t.MaxIdleConnsPerHost != 0 && t.idleConns(cc.addr) > max(t.MaxIdleConnsPerHost, 0) {
		t.remove(cc)
		cc.close()
		return
	}
	if t.IdleConnTimeout > 0 || len(t.live) > len(t.pool) {
		cc.idleSince = time.Now()
		t.watchIdle()
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

// watchIdle starts looking after idle connections, with one timer for all of them,
// unless that goes on already. The lock is held.
func (t *Transport) watchIdle() {
	if t.idleTimer != nil {
		return
	}
	limit := closedTimeout
	if t.IdleConnTimeout > 0 {
		limit = min(limit, t.IdleConnTimeout)
	}
	t.idleTimer = time.AfterFunc(limit, t.closeIdle)
}

// closeIdle closes the connections that have been without requests for too long, and
// looks again when the next may be.
func (t *Transport) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idleTimer = nil
	now := time.Now()
	var next time.Duration
	for cc := range t.live {
		limit := t.idleTimeout(cc)
		if cc.requests > 0 || limit == 0 {
			continue
		}
		if cc.idleSince.IsZero() {
			cc.idleSince = now // it was not known yet that it would matter
		}
		left := limit - now.Sub(cc.idleSince)
		if left <= 0 {
			t.remove(cc)
			cc.close()
		} else if next == 0 || left < next {
			next = left
		}
	}
	if next > 0 {
		t.idleTimer = time.AfterFunc(next, t.closeIdle)
	}
}
