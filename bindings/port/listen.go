package port

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// listener is what the host listens with.
type listener struct {
	port   *Port
	handle uint32
	*settings
	routes routes

	mu      sync.Mutex
	ln      *quic.Listener // nil before it is bound
	lane    *lane
	told    bool               // that it is bound
	closed  *record            // the command to close it
	retired bool               // the socket is being closed
	conns   map[*conn]struct{} // that came in by it
}

// listen begins to listen.
func (p *Port) listen(r *record) {
	o := readOptions(r.payload)
	l := &listener{port: p, handle: r.conn, settings: p.listening(o), conns: make(map[*conn]struct{})}
	call := r.has(flagCall)
	if call {
		p.call(l.handle)
	}
	failed := o.rest()
	if failed == nil && !p.add(l.handle, l) {
		failed = fault(ErrCommand, "the handle %d of a listener is in use, or none of a host's", l.handle)
		l.refuse(call, failed)
		return
	}
	if failed != nil {
		l.refuse(call, failed)
		return
	}
	p.start(func() {
		text, err := l.bind()
		if err != nil {
			p.forget(l.handle)
			l.refuse(call, describe(err))
			return
		}
		p.tell(record{typ: uint8(EvListening), conn: l.handle, payload: []byte(text)})
		if call {
			p.reply(l.handle, OK, 0, text)
		}
		l.mu.Lock()
		closed := l.closed
		l.told = true
		l.mu.Unlock()
		if closed != nil {
			l.close(closed)
		}
	})
}

// refuse tells that a listener will not be there.
func (l *listener) refuse(call bool, why *failure) {
	if call {
		l.port.reply(l.handle, why.kind, why.code, why.text)
		return
	}
	r := why.record(EvClosed, 0)
	r.conn = l.handle
	l.port.tell(r)
}

// bind binds the address, and returns what GW_EV_LISTENING says.
func (l *listener) bind() (text string, err error) {
	if len(l.tls.Certificates) == 0 {
		cert, _, err := devcert.Make(time.Now())
		if err != nil {
			return "", err
		}
		l.tls.Certificates = []tls.Certificate{cert}
	}
	lane, err := l.port.openLane(l.address, &l.transport)
	if err != nil {
		return "", err
	}
	l.lane = lane
	ln, err := event.ListenOn(lane.transport, &l.tls, &l.quic, l.accept)
	if err != nil {
		_ = lane.transport.Close()
		return "", err
	}
	l.mu.Lock()
	l.ln = ln
	l.mu.Unlock()
	hash := sha256.Sum256(l.tls.Certificates[0].Certificate[0])
	return ln.Addr().String() + " " + hex.EncodeToString(hash[:]), nil
}

// accept makes the handler of a connection whose handshake is complete.
func (l *listener) accept(t event.Turn) event.Handler {
	c := newConn(l.port, l.settings)
	c.lane, c.listener, c.q, c.attached = l.lane, l, t.Conn(), true
	l.port.addConn(c)
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	c.announce(EvAccepted, l.handle)
	c.begin(t)
	return c
}

// perform implements target.
func (l *listener) perform(_ *lane, commands []byte) {
	for len(commands) > 0 {
		r, n := consumeRecord(commands)
		if n == 0 {
			return
		}
		commands = commands[n:]
		switch Command(r.typ) {
		case CmdClose:
			l.closeSoon(r)
		case CmdRoute:
			if failed := l.routes.set(r.payload); failed != nil {
				l.complain(&r, failed)
			}
		default:
			l.complain(&r, fault(ErrCommand, "command %d is not for listeners", r.typ))
		}
	}
}

// complain tells that a command was not carried out.
func (l *listener) complain(r *record, why *failure) {
	event := why.record(EvError, r.id)
	event.conn, event.aux = l.handle, uint16(r.typ)
	l.port.tell(event)
}

// closeSoon closes the listener, or notes that it is to be once it is bound, and the host
// told so.
func (l *listener) closeSoon(r record) {
	r.payload = append([]byte(nil), r.payload...)
	l.mu.Lock()
	told := l.told && l.closed == nil
	if l.closed == nil {
		l.closed = &r
	}
	l.mu.Unlock()
	if told {
		l.port.start(func() { l.close(&r) })
	}
}

// close closes the listener as a command says. It waits for the loop.
func (l *listener) close(r *record) {
	_ = l.ln.Close()
	l.mu.Lock()
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	if r.aux != closeStop {
		each := *r
		each.id = 0
		for _, c := range conns {
			each.conn = c.handle
			c.post(appendRecord(nil, each))
		}
	}
	l.port.forget(l.handle)
	if r.aux == closeStop {
		l.tellClosed()
	}
	l.mu.Lock()
	l.ln = nil
	l.mu.Unlock()
	l.retire()
}

// tellClosed tells the host that the listener is closed.
func (l *listener) tellClosed() {
	event := none.record(EvClosed, 0)
	event.conn = l.handle
	l.port.tell(event)
}

// left takes note that a connection has ended.
func (l *listener) left(c *conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	l.retire()
}

// retire closes the socket once the listener is closed and its last connection has ended.
// If that was what the host wanted, it is told when the address is free again.
func (l *listener) retire() {
	l.mu.Lock()
	over := l.ln == nil && l.closed != nil && len(l.conns) == 0 && !l.retired
	l.retired = l.retired || over
	l.mu.Unlock()
	if !over {
		return
	}
	l.port.start(func() {
		_ = l.lane.transport.Close()
		if l.closed.aux != closeStop {
			l.tellClosed()
		}
	})
}
