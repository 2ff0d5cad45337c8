package load

import (
	"bytes"
	"context"
	"io"
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

// work sends one request after the other, until there are enough, the time is up
// or ctx ends.
func (c *client) work(ctx context.Context) {
	for !c.run.over.Load() && ctx.Err() == nil {
		counts := c.run.counting.Load()
		if counts && c.run.opts.Requests > 0 && c.run.left.Add(-1) < 0 {
			return
		}
		err := c.request(ctx, counts)
		if err == nil || ctx.Err() != nil || c.run.over.Load() {
			continue
		}
		if counts {
			c.tally.fail(err)
		}
		time.Sleep(errorPause)
	}
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

// request sends a request and reads the response.
func (c *client) request(ctx context.Context, counts bool) error {
	opts := c.run.opts
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.Timeout)
		defer cancel()
	}
	req := c.template.WithContext(ctx)
	if len(opts.Body) > 0 {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(opts.Body)), int64(len(opts.Body))
	}
	start := time.Now()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	first := time.Since(start)
	n, err := drain(resp)
	if err != nil {
		return err
	}
	if counts && !c.run.over.Load() {
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
func drain(resp *http.Response) (n uint64, err error) {
	defer resp.Body.Close()
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	for {
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
