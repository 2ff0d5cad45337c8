package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

// copyBuffer is the size in bytes of the pieces in which content is copied.
const copyBuffer = 128 << 10

// fetcher fetches several URLs at once.
type fetcher struct {
	app      *app
	opts     *getOptions
	client   *http.Client
	progress *progress
	out      io.Writer // of content that goes to no file
}

// fetchAll fetches in parallel and returns the error of the first URL, in their
// order, that failed; all errors have been shown by then.
func (f *fetcher) fetchAll(ctx context.Context, plans []plan) error {
	var (
		running sync.WaitGroup
		errs    = make([]error, len(plans))
		slots   = make(chan struct{}, max(f.opts.parallel, 1))
		turn    = make(chan struct{}) // at standard output
	)
	close(turn)
	for i, p := range plans {
		slots <- struct{}{}
		mine, next := turn, make(chan struct{})
		if p.output == stdoutName {
			turn = next
		}
		running.Go(func() {
			errs[i] = f.fetch(ctx, p, mine)
			close(next)
			<-slots
		})
	}
	running.Wait()
	f.progress.wait()
	code := exitOK
	for i, err := range errs {
		if err == nil {
			continue
		}
		if !f.opts.silent || f.opts.showError {
			f.app.complain("%s: %v", plans[i].url, err)
		}
		if code == exitOK {
			code = exitCode(err)
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

func exitCode(err error) int {
	coded := (*exitError)(nil)
	switch {
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	}
	return exitFailure
}

// fetch does what p says. It writes to standard output only after turn is closed.
func (f *fetcher) fetch(ctx context.Context, p plan, turn <-chan struct{}) error {
	if f.opts.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(f.opts.timeout), timeUp(f.opts.timeout))
		defer cancel()
	}
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	err := f.exchange(httptrace.WithClientTrace(ctx, trace), p, turn)
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil:
		return err
	case !connected.Load() && !f.opts.http1 && !f.opts.http2:
		return fmt.Errorf("%w; --http2 tries TCP", explainUnconnected(cause, "connection"))
	}
	return cause
}

// exchange sends the request and writes the response.
func (f *fetcher) exchange(ctx context.Context, p plan, turn <-chan struct{}) error {
	req, err := f.request(ctx, p)
	if err != nil {
		return err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return explain(err, "use --cacert FILE to trust the certificates in FILE, or -k to accept any")
	}
	defer resp.Body.Close()
	resp.Body = limit(ctx, resp.Body, f.opts.limitRate)
	switch {
	case len(f.opts.datagrams) > 0 && resp.StatusCode/100 != 2:
		return refused("request", resp)
	case f.opts.fail && resp.StatusCode >= 400:
		return &exitError{exitHTTPStatus, fmt.Errorf("the server answered %s", resp.Status)}
	}
	if p.output != stdoutName {
		return f.save(p, resp)
	}
	queued := &queuedWriter{out: f.out, turn: turn}
	defer queued.close()
	if err := f.write(queued, resp); err != nil {
		return err
	}
	return queued.finish(ctx)
}

func (f *fetcher) request(ctx context.Context, p plan) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, p.method, p.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header, req.Host = p.header.Clone(), p.host
	if p.body == nil {
		return req, nil
	}
	req.Body, req.ContentLength, err = p.body.open(f.app.stdin)
	if err != nil {
		return nil, err
	}
	req.Body = limit(ctx, req.Body, f.opts.limitRate)
	if p.body.file != stdoutName {
		req.GetBody = func() (io.ReadCloser, error) {
			body, _, err := p.body.open(nil)
			if err != nil {
				return nil, err
			}
			return limit(ctx, body, f.opts.limitRate), nil
		}
	}
	return req, nil
}

// save writes a response to a file, which is made only now that there is one.
func (f *fetcher) save(p plan, resp *http.Response) (err error) {
	file, err := os.Create(p.output)
	if err != nil {
		return err
	}
	bar := f.progress.bar(p.output, resp.ContentLength)
	resp.Body = bar.reader(resp.Body)
	err = f.write(file, resp)
	bar.done(err == nil)
	return errors.Join(err, file.Close())
}

// write writes a response, with its header and trailers if they are wanted.
func (f *fetcher) write(w io.Writer, resp *http.Response) error {
	show := f.opts.include || f.opts.head
	if show {
		status := fmt.Sprintf("HTTP/%d %d \r\n", resp.ProtoMajor, resp.StatusCode)
		if _, err := io.WriteString(w, status+headerText(resp.Header)+"\r\n"); err != nil {
			return err
		}
	}
	// Neither side may choose another, smaller buffer.
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{resp.Body}, make([]byte, copyBuffer))
	if err != nil {
		return err
	}
	if show && len(resp.Trailer) > 0 {
		_, err = io.WriteString(w, headerText(resp.Trailer))
	}
	return err
}

// headerText writes a header in lower case, sorted, one field to a line. Values may
// have bytes beyond ASCII, which a terminal must not take for commands.
func headerText(header http.Header) string {
	var lines []string
	for name, values := range header {
		for _, value := range values {
			lines = append(lines, terminal.Line(strings.ToLower(name)+": "+value)+"\r\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
