package load

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/histogram"
)

// tally is what was counted on one connection.
type tally struct {
	mu        sync.Mutex
	latencies histogram.Histogram // until the response was complete
	firsts    histogram.Histogram // until its header was there
	bytes     uint64              // of content
	statuses  map[int]uint64
	errors    map[string]uint64
}

const (
	// maxErrors bounds the different texts of errors that are remembered.
	maxErrors = 10
	// errorPause keeps a server that refuses everything from being flooded with
	// new connections.
	errorPause = 10 * time.Millisecond
)

// run connects, unless there is a connection, and sends requests until there are enough,
// the time is up or ctx ends.
func (c *loader) run(ctx context.Context) {
	opts := c.of.opts
	if opts.ActiveTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opts.ActiveTimeout, errActive)
		defer cancel()
	}
	if opts.InactivityTimeout > 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		c.idle = time.AfterFunc(opts.InactivityTimeout, func() { cancel(errInactive) })
		defer c.idle.Stop()
	}
	if c.connected == 0 {
		if err := c.connect(ctx); err != nil {
			if ctx.Err() == nil {
				c.count(err) // as one that could not be sent
			}
			return
		}
	}
	var group sync.WaitGroup
	for range opts.Streams {
		group.Go(func() { c.work(ctx) })
	}
	group.Wait()
}

// Why a connection sends no more.
var (
	errActive   = errors.New("timeout: the connection was used for as long as it may be")
	errInactive = errors.New("timeout: nothing came on the connection")
	errTimeout  = errors.New("timeout")
)

// work sends one request after the other.
func (c *loader) work(ctx context.Context) {
	for !c.of.over.Load() && ctx.Err() == nil {
		counts := c.of.counting.Load()
		if counts && c.of.opts.Requests > 0 && c.of.left.Add(-1) < 0 {
			return
		}
		if counts {
			c.of.started.Add(1)
		}
		err := c.request(ctx, counts)
		switch cause := context.Cause(ctx); {
		case err == nil || c.of.over.Load():
			continue
		case cause == errActive || cause == errInactive:
			if counts {
				c.count(cause)
			}
			return
		case cause != nil:
			return
		}
		if counts {
			c.count(err)
		}
		time.Sleep(errorPause)
	}
}

// count counts a request that has failed.
func (c *loader) count(err error) {
	c.of.failed.Add(1)
	if late := net.Error(nil); errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout() {
		err = errTimeout
	}
	c.tally.fail(err)
}

// fail counts an error by its text.
func (t *tally) fail(err error) {
	text := err.Error()
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.errors[text]; !ok && len(t.errors) >= maxErrors {
		text = "other errors"
	}
	t.errors[text]++
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// request sends a request and reads the response, for as long as that may take.
func (c *loader) request(ctx context.Context, counts bool) error {
	if limit := c.of.opts.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return c.send(ctx, counts)
}

// send sends a request and reads the response.
func (c *loader) send(ctx context.Context, counts bool) error {
	opts := c.of.opts
	template := c.templates[0]
	if n := uint64(len(c.templates)); n > 1 {
		template = c.templates[(c.next.Add(1)-1)%n]
	}
	req := template.WithContext(ctx)
	if len(opts.Body) > 0 {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(opts.Body)), int64(len(opts.Body))
	}
	start := time.Now()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	first := time.Since(start)
	n, err := c.drain(resp)
	if err != nil {
		return err
	}
	if counts && !c.of.over.Load() {
		c.of.done.Add(1)
		if resp.StatusCode >= 400 {
			c.of.failed.Add(1)
		}
		c.tally.count(resp.StatusCode, n, first, time.Since(start))
	}
	return nil
}

// count counts a response.
func (t *tally) count(status int, bytes uint64, first, whole time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latencies.Add(whole)
	t.firsts.Add(first)
	t.statuses[status]++
	t.bytes += bytes
}

// drain reads and drops a response's content.
func (c *loader) drain(resp *http.Response) (n uint64, err error) {
	defer resp.Body.Close()
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	for {
		if c.idle != nil {
			c.idle.Reset(c.of.opts.InactivityTimeout)
		}
		m, err := resp.Body.Read(buf[:])
		n += uint64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
