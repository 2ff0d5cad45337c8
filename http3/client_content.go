package http3

import (
	"io"
	"net/http"
	"sync"
)

// keptContent is how much of a request's content is kept, until the response begins, for
// the case that the server has not processed the request. What clients send before they
// learn of it, such as a form or a document of JSON, is mostly less.
const keptContent = 32 << 10

// content is the Body of a request that has no GetBody. What an attempt has read of it
// is kept, up to keptContent bytes, and read by the next attempt, which goes on with the
// rest.
type content struct {
	source  io.ReadCloser
	reading sync.Mutex // held while the source is read

	mu      sync.Mutex
	reader  *contentReader // of the latest attempt
	kept    []byte         // what was read; none if it was too much
	err     error          // what the source has said after that
	last    bool           // no other attempt can follow
	settled bool           // the source has been closed
}

// contentReader is a content as the Body of one attempt.
type contentReader struct {
	content *content
	next    int // in content.kept
	closed  bool
}

// keepContent returns a request whose content can be had once more for another attempt,
// if it is not so without.
func keepContent(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return req
	}
	if _, ok := req.Body.(*contentReader); ok {
		return req
	}
	c := &content{source: req.Body}
	c.reader = &contentReader{content: c}
	kept := *req
	kept.Body = c.reader
	return &kept
}

// lastAttempt says that no other attempt follows the request's latest.
func lastAttempt(req *http.Request) {
	if req == nil {
		return
	}
	if r, ok := req.Body.(*contentReader); ok {
		_ = r.content.finish()
	}
}

// hasContentAgain reports whether the request's content, if any, can be had once more.
func hasContentAgain(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return true
	}
	r, ok := req.Body.(*contentReader)
	return ok && r.content.repeatable()
}

// replay returns a request once more whose body was read from, or nil if that is spent.
func replay(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	var body io.ReadCloser
	if r, ok := req.Body.(*contentReader); ok {
		next := r.content.again()
		if next == nil {
			return nil
		}
		body = next
	} else if req.GetBody == nil {
		return nil
	} else if got, err := req.GetBody(); err == nil {
		body = got
	} else {
		return nil
	}
	again := *req
	again.Body = body
	return &again
}

func (c *content) repeatable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.last
}

// again returns the content for another attempt, or nil if it cannot be had.
func (c *content) again() *contentReader {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last {
		return nil
	}
	c.reader.closed = true
	c.reader = &contentReader{content: c}
	return c.reader
}

// finish says that no other attempt follows.
func (c *content) finish() error {
	c.mu.Lock()
	c.last = true
	return c.settle()
}

// settle closes the source if nobody needs it any more. It unlocks c.
func (c *content) settle() error {
	over := c.reader.closed && (c.last || c.err != nil) && !c.settled
	c.settled = c.settled || over
	c.mu.Unlock()
	if over {
		return c.source.Close()
	}
	return nil
}

// Read implements io.Reader. An attempt that has been given up may still be reading from
// the source: the next one waits for that, and gets what it brings.
func (r *contentReader) Read(p []byte) (int, error) {
	c := r.content
	c.reading.Lock()
	defer c.reading.Unlock()
	if n, err := r.readKept(p); n > 0 || err != nil {
		return n, err
	}
	n, err := c.source.Read(p)
	r.keep(p[:n], err)
	return n, err
}

// readKept reads what an earlier attempt has read.
func (r *contentReader) readKept(p []byte) (int, error) {
	c := r.content
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n := copy(p, c.kept[r.next:])
	r.next += n
	if n == 0 {
		return 0, c.err
	}
	return n, nil
}

// keep keeps what was read from the source, if another attempt may want it.
func (r *contentReader) keep(b []byte, err error) {
	c := r.content
	c.mu.Lock()
	latest := r == c.reader
	if latest && (c.last || len(c.kept)+len(b) > keptContent) {
		c.last, c.kept, r.next = true, nil, 0
	} else {
		c.kept = append(c.kept, b...)
		r.next += len(b)
	}
	c.err = err
	_ = c.settle()
}

// Close ends the attempt's reading. The source is closed as soon as no other attempt can
// want more of it.
func (r *contentReader) Close() error {
	c := r.content
	c.mu.Lock()
	r.closed = true
	return c.settle()
}
