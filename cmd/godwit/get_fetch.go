package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/cookies"
)

// copyBuffer is the size in bytes of the pieces in which content is copied.
const copyBuffer = 128 << 10

// fetcher fetches several URLs.
type fetcher struct {
	app       *app
	opts      *getOptions
	transport http.RoundTripper
	jar       *cookies.Jar // nil where no cookies are kept
	progress  *progress
	out       io.Writer // of content that goes to no file

	showing sync.Mutex // what several URLs write to standard error
	dumping sync.Mutex // what they write to --dump-header's file
	dumped  bool       // that has been begun
}

// fetchAll fetches one URL after the other, or several at a time, and returns the error of
// the first, in their order, that failed; all errors have been shown by then.
func (f *fetcher) fetchAll(ctx context.Context, plans []plan) error {
	var (
		running   sync.WaitGroup
		transfers = make([]*transfer, len(plans))
		slots     = make(chan struct{}, f.opts.slots())
		turn      = make(chan struct{}) // at standard output
	)
	close(turn)
	for i, p := range plans {
		slots <- struct{}{}
		t := &transfer{f: f, plan: p, turn: turn, done: make(chan struct{}), left: f.opts.retry}
		transfers[i], turn = t, t.done
		running.Go(func() {
			t.err = t.fetch(ctx)
			t.end(ctx)
			<-slots
		})
	}
	running.Wait()
	f.progress.wait()
	code := exitOK
	for _, t := range transfers {
		if t.err == nil {
			continue
		}
		if !f.opts.silent || f.opts.showError {
			f.app.complain("%s: %s", t.plan.url, said(t.err))
		}
		if code == exitOK {
			code = exitCode(t.err)
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// fetch does what the plan says, again if it is to be tried again. It writes to standard
// output only when it is its turn.
func (t *transfer) fetch(ctx context.Context) error {
	began := time.Now()
	for try := 0; ; try++ {
		err := t.within(ctx)
		pause, again := t.retry(err, try, time.Since(began))
		if !again || ctx.Err() != nil {
			return err
		}
		if !t.f.opts.silent {
			t.f.app.complain("%s: %s; trying again in %v", t.plan.url, said(err), pause)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// within tries once, for as long as --max-time lets it.
func (t *transfer) within(ctx context.Context) error {
	if limit := t.f.opts.timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(limit), timeUp(limit))
		defer cancel()
	}
	t.begin()
	err := t.exchange(httptrace.WithClientTrace(ctx, t.trace()))
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return nil
	case cause == nil:
		return t.partial(err)
	case t.connected() || errors.Is(cause, errInterrupted):
		return t.partial(cause)
	case t.f.opts.onlyTo3 || len(t.f.opts.datagrams) > 0:
		return fmt.Errorf("%w; --http2 tries TCP", explainUnconnected(cause, "connection"))
	}
	return fmt.Errorf("%w: no connection yet (is a server listening there?)", cause)
}

// exchange sends the request and writes the response.
func (t *transfer) exchange(ctx context.Context) error {
	opts := t.f.opts
	req, err := t.request(ctx)
	if err != nil {
		return err
	}
	resp, err := t.f.client(t).Do(req)
	if err != nil {
		return explainGet(err)
	}
	t.answered(resp)
	defer resp.Body.Close()
	resp.Body = limit(ctx, resp.Body, opts.limitRate)
	failed := (opts.fail || opts.failWithBody) && resp.StatusCode >= 400
	switch {
	case len(opts.datagrams) > 0 && resp.StatusCode/100 != 2:
		return refused("request", resp)
	case failed && !opts.failWithBody, t.toRetry(resp):
		return &exitError{exitHTTPStatus, fmt.Errorf("the server answered %s", resp.Status)}
	}
	if err = t.receive(ctx, resp); err == nil && failed {
		return &exitError{exitHTTPStatus, fmt.Errorf("the server answered %s", resp.Status)}
	}
	return err
}

// receive writes the response to where it goes.
func (t *transfer) receive(ctx context.Context, resp *http.Response) error {
	if t.f.opts.compressed {
		resp.Body = &countedBody{resp.Body, &t.encoded}
		if err := decode(resp); err != nil {
			return err
		}
	}
	switch {
	case t.plan.output != stdoutName:
		return t.save(resp)
	case bool(t.f.opts.format):
		return t.keep(resp)
	}
	queued := &queuedWriter{out: t.f.out, turn: t.turn}
	defer queued.close()
	if err := t.write(queued, resp); err != nil {
		return err
	}
	return queued.finish(ctx)
}

func (t *transfer) request(ctx context.Context) (*http.Request, error) {
	p, stdin := t.plan, t.f.app.stdin
	req, err := http.NewRequestWithContext(ctx, p.method, p.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header, req.Host = p.header.Clone(), p.host
	if t.offset, err = t.f.opts.offset(p.output); err != nil {
		return nil, err
	}
	if t.offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.offset))
	}
	t.redirected(req)
	if p.body == nil {
		return req, nil
	}
	open := func(stdin io.Reader) (io.ReadCloser, int64, error) {
		body, length, err := p.body.open(stdin)
		if err != nil {
			return nil, 0, err
		}
		return &countedBody{limit(ctx, body, t.f.opts.limitRate), &t.uploaded}, length, nil
	}
	if req.Body, req.ContentLength, err = open(stdin); err != nil {
		return nil, err
	}
	if req.ContentLength == 0 {
		req.Body.Close()
		req.Body = http.NoBody
	}
	if !p.body.once() {
		req.GetBody = func() (io.ReadCloser, error) {
			body, _, err := open(nil)
			return body, err
		}
	}
	return req, nil
}

// save writes a response to a file, which is made only now that there is one.
func (t *transfer) save(resp *http.Response) (err error) {
	if t.f.opts.createDirs {
		if err := os.MkdirAll(filepath.Dir(t.plan.output), 0o777); err != nil {
			return err
		}
	}
	file, err := t.openOutput(resp)
	if err != nil || file == nil {
		return err
	}
	bar := t.f.progress.bar(t.plan.output, t.offset, resp.ContentLength)
	resp.Body = bar.reader(resp.Body)
	err = t.write(file, resp)
	bar.done(err == nil)
	return errors.Join(err, file.Close())
}

// write writes a response, with its header and trailers if they are wanted.
func (t *transfer) write(w io.Writer, resp *http.Response) error {
	show := t.f.opts.include || t.f.opts.head
	if show {
		if _, err := io.WriteString(w, t.heads()); err != nil {
			return err
		}
	}
	if err := t.f.dump(t.heads()); err != nil {
		return err
	}
	counted := &countingWriter{w: w, n: &t.downloaded}
	// Neither side may choose another, smaller buffer.
	_, err := io.CopyBuffer(struct{ io.Writer }{counted}, struct{ io.Reader }{resp.Body}, make([]byte, copyBuffer))
	if err != nil {
		return err
	}
	if len(resp.Trailer) == 0 {
		return nil
	}
	trailers := "\r\n" + headerText(resp.Trailer)
	t.say("< ", headerText(resp.Trailer))
	if show {
		if t.downloaded.Load() > 0 && !counted.lineEnded {
			trailers = "\r\n" + trailers
		}
		if _, err = io.WriteString(w, trailers); err != nil {
			return err
		}
	}
	return t.f.dump(headerText(resp.Trailer))
}
