package contract

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"
)

// HQ is the ALPN of HTTP/0.9 over QUIC: a request is a bidirectional stream with
// "GET /path", a line end and the stream's end; the response is the content alone. What is not
// there is answered by a reset.
const HQ = "hq-interop"

// Stream is a bidirectional stream of any implementation. Close ends the sending half.
type Stream interface {
	io.ReadWriteCloser
}

// maxRequestLine is above every path of the runner, and bounds what a client makes us read.
const maxRequestLine = 4096

// Answer answers a request. If it fails, the stream is to be reset.
func (e *Environment) Answer(s Stream) error {
	line, err := bufio.NewReader(io.LimitReader(s, maxRequestLine)).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "GET /")
	if !ok {
		return fmt.Errorf("not a request of HTTP/0.9: %q", line)
	}
	file, err := os.Open(e.Source(name))
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(s, file); err != nil {
		return err
	}
	return s.Close()
}

// Request returns a request for u.
func Request(u *url.URL) []byte { return []byte("GET " + u.Path + "\r\n") }

// Ask sends a request on a new stream.
func Ask(s Stream, u *url.URL) error {
	if _, err := s.Write(Request(u)); err != nil {
		return err
	}
	return s.Close()
}

// Save saves what r has, a response to a request for u.
func (e *Environment) Save(r io.Reader, u *url.URL) error {
	file, err := e.Create(u.Path)
	if err != nil {
		return err
	}
	n, err := io.Copy(file, r)
	if err != nil {
		err = fmt.Errorf("after %d bytes of %s: %w", n, u.Path, err)
	}
	return errors.Join(err, file.Close())
}

// maxRequests is how many requests a client has under way: as many as the cases of
// one connection have files would do too, but their files be open all at once.
const maxRequests = 256

// Each calls fetch for all URLs, many at a time, each once, and returns the first error.
func Each(ctx context.Context, urls []*url.URL, fetch func(context.Context, *url.URL) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxRequests)
	for _, u := range urls {
		g.Go(func() error { return fetch(ctx, u) })
	}
	return g.Wait()
}
