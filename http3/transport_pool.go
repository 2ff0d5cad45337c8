package http3

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// origin is what a Transport keeps for one "host:port".
type origin struct {
	addr  string
	conns []*clientConn // to send requests on, in the order in which they are to be filled
	wants list.List     // of *want: the requests that wait for room, in the order they came
	alone int           // of those, the ones that are alone
	dials []*dialing    // connections being made
	pause time.Time     // until then no further connection is tried

	pausing *clientConn // has the pause in its table, nil for none
}

// want is a request that wants a connection.
type want struct {
	ctx    context.Context
	origin *origin
	alone  bool   // no other request is to be sent on the connection afterwards
	made   uint64 // Transport.made when it came

	place *list.Element // in origin.wants
	ready chan struct{} // closed when what follows is set
	conn  *clientConn
	how   acquired
	err   error
}

// acquired says how a request got its connection.
type acquired struct {
	reused bool   // it had been there before
	idle   bool   // and no other request was running on it
	limit  uint64 // the server's limit of streams that was known then
}

// errLeaves is the error of requests to a server that wants none.
var errLeaves = errors.New("http3: the server takes no requests on a new connection")

// acquire returns a connection to an origin on which one more request is counted.
// When there is none with room for one, further ones are made, one at a time; those
// who wait are served in the order in which they came, by that one or by an old one
// on which there is room again. A request that is alone closes its connection behind
// it. again says that it has come before, and stands in front.
func (t *Transport) acquire(ctx context.Context, addr string, alone, again bool) (*clientConn, acquired, error) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil, acquired{}, errTransportClosed
	}
	if cc, how := t.acquireNow(addr, alone, again); cc != nil {
		t.mu.Unlock()
		return cc, how, nil
	}
	o := t.origin(addr)
	w := &want{ctx: ctx, origin: o, alone: alone, made: t.made}
	o.enqueue(w, again)
	t.dial(o, ctx)
	t.mu.Unlock()
	select {
	case <-w.ready:
		return w.conn, w.how, w.err
	case <-ctx.Done():
		t.leave(w)
		return nil, acquired{}, context.Cause(ctx)
	}
}

// acquireNow is acquire that does not wait: the connection may be nil. The lock is held.
func (t *Transport) acquireNow(addr string, alone, again bool) (*clientConn, acquired) {
	o := t.pool[addr]
	if o == nil || o.wants.Len() > 0 && !again {
		return nil, acquired{}
	}
	cc := o.free()
	if cc == nil {
		return nil, acquired{}
	}
	return cc, t.grant(cc, alone, t.made)
}

// enqueue lets a request wait, perhaps in front of the others. The lock is held.
func (o *origin) enqueue(w *want, front bool) {
	w.ready = make(chan struct{})
	if front {
		w.place = o.wants.PushFront(w)
	} else {
		w.place = o.wants.PushBack(w)
	}
	if w.alone {
		o.alone++
	}
}

// dequeue ends a request's wait. The lock is held.
func (o *origin) dequeue(w *want) {
	o.wants.Remove(w.place)
	if w.alone {
		o.alone--
	}
}

// free returns the first connection with room for a request, or nil.
func (o *origin) free() *clientConn {
	for _, cc := range o.conns {
		if cc.granted < cc.limit {
			return cc
		}
	}
	return nil
}

// grant gives a connection to a request, which came when some number of connections had
// been made. The lock is held.
func (t *Transport) grant(cc *clientConn, alone bool, made uint64) acquired {
	reused := cc.number <= made
	how := acquired{reused: reused, idle: reused && cc.requests == 0, limit: cc.limit}
	cc.granted++
	t.count(cc)
	if alone {
		t.remove(cc)
	}
	return how
}

// serve gives connections to requests that wait, as long as there is room. The lock is
// held.
func (t *Transport) serve(o *origin) {
	for first := o.wants.Front(); first != nil; first = o.wants.Front() {
		cc := o.free()
		if cc == nil {
			return
		}
		w := first.Value.(*want)
		o.dequeue(w)
		w.conn, w.how = cc, t.grant(cc, w.alone, w.made)
		close(w.ready)
	}
}

// refuse ends the wait of a request with an error. The lock is held.
func (o *origin) refuse(w *want, err error) {
	o.dequeue(w)
	w.err = err
	close(w.ready)
}

// refuseAll ends everybody's wait. The lock is held.
func (o *origin) refuseAll(err error) {
	for first := o.wants.Front(); first != nil; first = o.wants.Front() {
		o.refuse(first.Value.(*want), err)
	}
}

// leave takes back a request's wait for a connection. When no other request waits, the
// connections being made are cancelled; the next request makes another.
func (t *Transport) leave(w *want) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := w.origin
	switch {
	case w.conn != nil: // it came at the same moment
		w.conn.granted--
		t.uncount(w.conn)
		t.serveOn(w.conn)
		return
	case w.err != nil:
		return
	}
	o.dequeue(w)
	if o.wants.Len() == 0 {
		for _, d := range o.dials {
			d.givenUp = true
			d.cancel()
		}
		o.dials = nil
	}
	t.tidy(o)
}

// full takes note that the server allows no further stream on a connection, whose
// limit was known to be that of how. The request that was to be sent on it is not
// counted any more.
func (t *Transport) full(cc *clientConn, how acquired) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cc.limit == how.limit { // else there may be room by now
		cc.granted = cc.limit
	}
	t.uncount(cc)
}

// unused takes a connection back on which no stream was opened after all.
func (t *Transport) unused(cc *clientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cc.granted--
	t.uncount(cc)
	t.serveOn(cc)
}

// raise takes note of how many streams the server allows on a connection in all.
func (t *Transport) raise(cc *clientConn, limit uint64) {
	t.mu.Lock()
	cc.limit = limit
	t.serveOn(cc)
	changed := cc.changed
	t.mu.Unlock()
	if changed != nil {
		changed()
	}
}

// serveOn is serve for all origins of a connection. The lock is held.
func (t *Transport) serveOn(cc *clientConn) {
	for _, addr := range cc.origins {
		if o := t.pool[addr]; o != nil {
			t.serve(o)
			t.dialMore(o)
		}
	}
}

// has reports whether there is a connection to an origin.
func (t *Transport) has(addr string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.pool[addr]
	return o != nil && len(o.conns) > 0
}

// origin returns the entry of the pool for an address. The lock is held.
func (t *Transport) origin(addr string) *origin {
	o := t.pool[addr]
	if o == nil {
		if t.pool == nil {
			t.pool = make(map[string]*origin)
		}
		o = &origin{addr: addr}
		t.pool[addr] = o
	}
	return o
}

// tidy drops an origin of which nothing is left. The lock is held.
func (t *Transport) tidy(o *origin) {
	if len(o.conns) == 0 && len(o.dials) == 0 && o.wants.Len() == 0 && t.pool[o.addr] == o {
		delete(t.pool, o.addr)
	}
}

// retire takes a connection out of the pool: it is closed, or its server wants
// no more requests. It reports whether requests are running on it.
func (t *Transport) retire(cc *clientConn) (busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(cc)
	return cc.requests > 0
}

// isGone reports whether a connection takes no more requests.
func (t *Transport) isGone(cc *clientConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return cc.gone
}

// remove is retire for those who hold the lock.
func (t *Transport) remove(cc *clientConn) {
	cc.gone = true
	for _, addr := range cc.origins {
		if o := t.pool[addr]; o != nil && slices.Contains(o.conns, cc) {
			o.drop(cc)
			t.dialMore(o)
			t.tidy(o)
		}
	}
}

// drop takes a connection out of an origin's.
func (o *origin) drop(cc *clientConn) {
	o.conns = slices.DeleteFunc(o.conns, func(other *clientConn) bool { return other == cc })
}

// forget drops a connection that has ended.
func (t *Transport) forget(cc *clientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(cc)
	cc.ended = true
	delete(t.live, cc)
	if o := t.pool[cc.addr]; o != nil {
		t.dialMore(o) // there may be one more now
	}
}

// count counts a request on a connection, which is kept alive for it (RFC 9114,
// Section 5.1). The lock is held.
func (t *Transport) count(cc *clientConn) {
	if cc.requests++; cc.requests == 1 {
		cc.qc.Hold()
	}
}

// uncount counts a request as done. The lock is held.
func (t *Transport) uncount(cc *clientConn) {
	if cc.requests--; cc.requests > 0 {
		return
	}
	cc.qc.Unhold()
	if !cc.gone {
		t.idle(cc)
	} else if !cc.pinned {
		cc.close()
	}
}

// release counts a request as done. A connection that was retired is closed
// after its last request.
func (t *Transport) release(cc *clientConn) {
	t.mu.Lock()
	t.uncount(cc)
	changed := cc.changed
	t.mu.Unlock()
	if changed != nil {
		changed()
	}
}

// close closes a connection that nobody needs. It does not wait, so that the lock may
// be held.
func (c *clientConn) close() { event.Run(c.qc, closeQuietly) }

// closeQuietly closes a connection for no error.
func closeQuietly(t event.Turn) { t.Close(uint64(ErrCodeNoError), "") }
