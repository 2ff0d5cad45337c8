// Package wtclient is a WebTransport client for terminals and scripts: it sends
// what it is told, shows what comes, and measures round trips.
//
//	session, _, err := webtransport.Dial(ctx, "https://localhost:4433/wt/echo")
//	if err != nil {
//		return err
//	}
//	err = wtclient.Run(ctx, session, wtclient.Options{
//		Send:    []wtclient.Message{{Kind: wtclient.Datagram, Text: "hello"}},
//		Wait:    time.Second,
//		Printer: wtclient.NewTextPrinter(os.Stdout, false),
//	})
package wtclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/webtransport"
)

// farewell is how long the server may take to acknowledge the session's end.
const farewell = time.Second

// Options say what to do with a session.
type Options struct {
	// Send is sent first, in this order.
	Send []Message
	// Lines are sent next, each as a message of LinesAs without its line break;
	// nil for none.
	Lines   io.Reader
	LinesAs Kind
	// Ping is measured instead, when it is set.
	Ping *Ping
	// Wait is for how long nothing may have come before the session is closed,
	// once everything was sent and the answers by its streams are complete.
	Wait time.Duration
	// Printer shows what happens. It must be set, and is for one session.
	Printer *Printer
}

// ClosedError says that the server closed the session with a code other than 0.
type ClosedError struct{ webtransport.SessionError }

func (e *ClosedError) Error() string {
	text := fmt.Sprintf("the server closed the session with code %d", e.Code)
	if e.Reason != "" {
		text += ": " + Printable(e.Reason)
	}
	return text
}

// client is a session with what is done to it.
type client struct {
	session *webtransport.Session
	opts    Options
	start   time.Time
	pinger  *pinger // nil without Options.Ping

	sent, received tally
	answers        sync.WaitGroup // to the streams opened here; of the sending goroutine
	lastReceived   atomic.Int64   // nanoseconds since start

	mu        sync.Mutex
	over      bool           // nothing more may begin to receive
	receivers sync.WaitGroup // beginning and waiting are told apart by over
}

// Run does what the options say until it is done, ctx ends or the session ends,
// which it closes. It prints what comes meanwhile and a summary in the end. The
// error is the cause of ctx's end, a *ClosedError, or the session's; a ping
// may be ended by ctx, and that is no error, but for one with a number whose time is up: a
// cause with a method Timeout that says so.
func Run(ctx context.Context, session *webtransport.Session, opts Options) error {
	c := &client{session: session, opts: opts, start: time.Now()}
	if opts.Ping != nil {
		c.pinger = newPinger(*opts.Ping)
	}
	opts.Printer.start = c.start
	opts.Printer.print(c.opened())
	for _, receive := range []func(){c.receiveDatagrams, c.acceptUni, c.acceptBidi, c.awaitDraining} {
		c.receiving(receive)
	}
	err := c.work(ctx)
	cut := session.Context().Err() != nil // by the server, or with the connection
	_ = session.CloseWithError(0, "")
	c.awaitReceivers()
	if cut {
		err = c.ended(err)
	}
	c.awaitGone()
	opts.Printer.print(c.summary())
	if c.pinger != nil && err == nil {
		return c.pinger.verdict()
	}
	return errors.Join(err, opts.Printer.err)
}

// work sends everything and waits for what comes of it, or until ctx or the session
// ends.
func (c *client) work(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- c.sendAll(ctx) }() // it stays behind when it waits for a line
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		cause := context.Cause(ctx)
		if c.pinger == nil {
			return cause
		}
		c.pinger.cut(time.Now(), c.opts.Wait)
		if late, ok := cause.(interface{ Timeout() bool }); ok && late.Timeout() && c.pinger.Count > 0 {
			return cause
		}
		return nil
	case <-c.session.Context().Done():
		return nil
	}
}

// sendAll sends and waits for answers.
func (c *client) sendAll(ctx context.Context) error {
	if c.pinger != nil {
		return c.pinger.run(ctx, c)
	}
	for _, m := range c.opts.Send {
		if err := c.send(ctx, m.Kind, []byte(m.Text)); err != nil {
			return err
		}
	}
	if c.opts.Lines != nil {
		if err := c.sendLines(ctx); err != nil {
			return err
		}
	}
	c.answers.Wait()
	c.awaitQuiet(ctx)
	return nil
}

// awaitQuiet returns when nothing has come for Options.Wait.
func (c *client) awaitQuiet(ctx context.Context) {
	from := time.Since(c.start)
	for {
		last := max(from, time.Duration(c.lastReceived.Load()))
		left := last + c.opts.Wait - time.Since(c.start)
		if left <= 0 {
			return
		}
		if !c.sleep(ctx, left) {
			return
		}
	}
}

// sleep waits, and returns false when ctx or the session ends before.
func (c *client) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.session.Context().Done():
	}
	return false
}

// ended prints how the session was ended by others and returns the error for that;
// err is what was wrong before.
func (c *client) ended(err error) error {
	cause := context.Cause(c.session.Context())
	var closed *webtransport.SessionError
	if !errors.As(cause, &closed) {
		c.opts.Printer.print(&closedEvent{stamp: stamp{Event: "closed"}, Error: cause.Error()})
		return cause
	}
	c.opts.Printer.print(&closedEvent{stamp: stamp{Event: "closed"}, Code: closed.Code, Reason: closed.Reason})
	if closed.Code != 0 {
		return &ClosedError{*closed}
	}
	return err
}

// awaitGone gives the end of the session time to arrive.
func (c *client) awaitGone() {
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-c.session.QUIC().Done():
	case <-timer.C:
	}
}

func (c *client) awaitDraining() {
	select {
	case <-c.session.Draining():
		c.opts.Printer.print(&drainingEvent{stamp{Event: "draining"}})
	case <-c.session.Context().Done():
	}
}

// receiving runs f in the background, which must end when the session does, or
// returns false because that has ended already.
func (c *client) receiving(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.receivers.Go(f)
	}
	return !c.over
}

// awaitReceivers waits for what receives, after the session's end.
func (c *client) awaitReceivers() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.receivers.Wait()
}
