package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// stuckBody has some content, and then blocks in Read until it is closed, as a pipe
// does.
type stuckBody struct {
	first  io.Reader
	closes atomic.Int32
	closed chan struct{}
}

func newStuckBody() *stuckBody {
	return &stuckBody{first: strings.NewReader("content"), closed: make(chan struct{})}
}

func (b *stuckBody) Read(p []byte) (int, error) {
	if n, _ := b.first.Read(p); n > 0 {
		return n, nil
	}
	<-b.closed
	return 0, io.ErrClosedPipe
}

func (b *stuckBody) Close() error {
	if b.closes.Add(1) == 1 {
		close(b.closed)
	}
	return nil
}

// serveUploads has the ways in which a server treats uploads, each at a path.
func serveUploads(t *testing.T) *testServer {
	mux := http.NewServeMux()
	mux.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "early") })
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/empty", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.Copy(io.Discard, r.Body)
	})
	return serve(t, mux.ServeHTTP)
}

// uploadEnds are the ways in which an exchange ends while its upload is stuck.
var uploadEnds = []struct {
	name, path string
	edit       func(*http.Request)
	read       bool // the response is read to its end, not just closed
	leave      bool // and not closed
}{
	{name: "early response", path: "/early", read: true},
	{name: "early response that is not closed", path: "/early", read: true, leave: true},
	{name: "early response without content", path: "/empty", leave: true},
	{name: "large early response", path: "/large", read: true},
	{name: "response closed", path: "/large"},
	{name: "response closed while the server reads", path: "/stream"},
	{name: "aborted", path: "/abort"},
	{name: "cancelled", path: "/wait", edit: endSoon},
	{name: "cancelled while the server reads", path: "/read", edit: endSoon},
	{name: "context over", path: "/read", edit: func(r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		*r = *r.WithContext(ctx)
	}},
	{name: "bad field", path: "/read", edit: func(r *http.Request) { r.Header["bad name"] = []string{"x"} }},
	{name: "bad method", path: "/read", edit: func(r *http.Request) { r.Method = "BAD METHOD" }},
	{name: "bad host", path: "/read", edit: func(r *http.Request) { r.Host = "bad host" }},
	{name: "bad path", path: "/read", edit: func(r *http.Request) { r.URL.Opaque = "bad" }},
	{name: "scheme", path: "/read", edit: func(r *http.Request) { r.URL.Scheme = "ftp" }},
	{name: "Upgrade", path: "/read", edit: func(r *http.Request) { r.Header.Set("Upgrade", "x") }},
	{name: "longer than its length", path: "/read", edit: func(r *http.Request) { r.ContentLength = 2 }},
	{name: "header too large", path: "/read", edit: func(r *http.Request) { r.Header.Set("X", strings.Repeat("x", 2<<20)) }},
	{name: "not expected", path: "/early", read: true, edit: func(r *http.Request) { r.Header.Set("Expect", "100-continue") }},
}

// endSoon ends a request's context while the exchange is running.
func endSoon(r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	*r = *r.WithContext(ctx)
	body := r.Body.(*stuckBody)
	body.first = io.MultiReader(body.first, readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	}))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestBodyClosed: RoundTrip closes a request's body once, and so ends its Read,
// however the exchange ends. Nothing keeps the connection busy then.
func TestBodyClosed(t *testing.T) {
	for _, tt := range uploadEnds {
		t.Run(tt.name, func(t *testing.T) {
			ts := serveUploads(t)
			ts.do(t, "GET", "/empty", nil) // makes the connection
			body := newStuckBody()
			req, err := http.NewRequestWithContext(testContext(t), "POST", ts.url+tt.path, body)
			if err != nil {
				t.Fatal(err)
			}
			if tt.edit != nil {
				tt.edit(req)
			}
			if resp, err := ts.transport.RoundTrip(req); err == nil {
				if tt.read {
					_, _ = io.Copy(io.Discard, resp.Body)
				}
				if !tt.leave {
					_ = resp.Body.Close()
				}
			}
			wait(t, "the body to be closed", body.closed)
			wantUnused(t, ts.transport)
			if n := body.closes.Load(); n != 1 {
				t.Errorf("closed %d times", n)
			}
		})
	}
}

// wantUnused checks that no request is counted on any connection.
func wantUnused(t *testing.T, tr *Transport) {
	t.Helper()
	unused := func() bool {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		for cc := range tr.live {
			if cc.requests > 0 {
				return false
			}
		}
		return true
	}
	if !eventually(unused) {
		t.Error("a connection is busy with nothing")
	}
}

// TestBodyIgnoresClose has a body whose Read does not even return by Close: the
// exchange is over all the same.
func TestBodyIgnoresClose(t *testing.T) {
	ts := serveUploads(t)
	release := make(chan struct{})
	defer close(release)
	body := io.NopCloser(readerFunc(func([]byte) (int, error) {
		<-release
		return 0, io.EOF
	}))
	ts.do(t, "POST", "/early", body)
	wantUnused(t, ts.transport)
}

// TestBodyError: an error of the body is returned as it is.
func TestBodyError(t *testing.T) {
	ts := serveUploads(t)
	req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url+"/read", readerFunc(func([]byte) (int, error) { return 0, errTest }))
	if resp, err := ts.transport.RoundTrip(req); err != errTest {
		t.Errorf("%v, %v", resp, err)
	}
}

// TestHeaderTimeoutAfterUpload: the time for the response's header begins when the
// request has been written, its content included.
func TestHeaderTimeoutAfterUpload(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
	})
	ts.transport.ResponseHeaderTimeout = short
	for path, want := range map[string]bool{"/": true, "/wait": false} {
		pr, pw := io.Pipe()
		go func() {
			time.Sleep(4 * short)
			pw.Close()
		}()
		req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url+path, pr)
		resp, err := ts.transport.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != want || err != nil && !errors.Is(err, errHeaderTimeout) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
