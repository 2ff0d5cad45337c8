package port

import (
	"context"
	"errors"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// dial is a connection that the host begins, until it is there or will not be. Commands
// for it wait in the inbox of the conn that is made for it.
type dial struct {
	port   *Port
	handle uint32
	*settings
	cancel context.CancelCauseFunc

	inbox inbox
	over  bool // the connection is there, or will not be; guarded by the inbox's lock
}

// errGivenUp is why a dial ends that the host has closed.
var errGivenUp = fault(ErrCancelled, "closed before it was there")

// connect begins a connection.
func (p *Port) connect(r *record) {
	o := readOptions(r.payload)
	d := &dial{port: p, handle: r.conn, settings: p.connecting(o)}
	failed := o.rest()
	if failed == nil && !p.add(d.handle, d) {
		failed = fault(ErrCommand, "the handle %d of a connection is in use, or none of a host's", d.handle)
	}
	if failed != nil {
		event := failed.record(EvClosed, 0)
		event.conn = d.handle
		p.tell(event)
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	d.cancel = cancel
	p.start(func() {
		defer cancel(nil)
		if err := d.run(ctx); err != nil {
			d.fail(describe(err))
		}
	})
	if p.closing.Load() {
		cancel(errGivenUp)
	}
}

// run dials.
func (d *dial) run(ctx context.Context) error {
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-d.port.done:
			d.cancel(errGivenUp)
		case <-stop:
		}
	}()
	l, err := d.port.dialLane()
	if err != nil {
		return err
	}
	q, err := event.DialOn(ctx, l.transport, d.address, &d.tls, &d.quic, d.handler(l))
	if err != nil {
		return err
	}
	c, ok := event.HandlerOf(q).(*conn)
	if !ok {
		return errors.New("port: the connection has no handler")
	}
	return d.attach(c)
}

// handler makes the handler of an attempt.
func (d *dial) handler(l *lane) func(event.Turn) event.Handler {
	return func(t event.Turn) event.Handler {
		c := newConn(d.port, d.settings)
		c.lane, c.q, c.handle, c.isClient = l, t.Conn(), d.handle, true
		c.begin(t)
		return c
	}
}

// attach makes the connection known to the host. It returns an error if it has ended
// before.
func (d *dial) attach(c *conn) error {
	done := make(chan struct{})
	if event.Run(c.q, func(t event.Turn) { c.attach(t, d); close(done) }) {
		select {
		case <-done:
		case <-c.q.Done(): // the loop may have forgotten what it was to call
		case <-c.lane.over:
		}
	}
	d.inbox.mu.Lock()
	defer d.inbox.mu.Unlock()
	if d.over {
		return nil
	}
	if err := c.q.Err(); err != nil {
		return err
	}
	return errConnGone
}

// dialLane returns the lane of all connections that the host begins.
func (p *Port) dialLane() (*lane, error) {
	p.mu.Lock()
	l := p.dialling
	p.mu.Unlock()
	if l != nil {
		return l, nil
	}
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.dialling != nil {
		return p.dialling, nil
	}
	l, err := p.openLane("", &quic.TransportConfig{Loops: 1})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.dialling = l
	p.mu.Unlock()
	return l, nil
}

// perform implements target: commands wait, but for the one that closes.
func (d *dial) perform(on *lane, commands []byte) {
	d.inbox.mu.Lock()
	over := d.over
	if !over {
		d.inbox.add(commands)
	}
	d.inbox.mu.Unlock()
	if over { // the connection has just come, or the last word was said
		if x := d.port.find(d.handle); x != nil && x != target(d) {
			x.perform(on, commands)
		}
		return
	}
	for len(commands) > 0 {
		r, n := consumeRecord(commands)
		if n == 0 {
			return
		}
		commands = commands[n:]
		if Command(r.typ) == CmdClose && r.id == 0 {
			d.cancel(errGivenUp)
		}
	}
}

// fail tells that there will be no connection, and nothing of what was begun on it.
func (d *dial) fail(why *failure) {
	d.inbox.mu.Lock()
	waiting := d.inbox.take()
	d.over = true
	d.inbox.mu.Unlock()
	d.port.disappoint(d.handle, waiting, why)
	d.port.forget(d.handle)
	event := why.record(EvClosed, 0)
	event.conn = d.handle
	d.port.tell(event)
}
