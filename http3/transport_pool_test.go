package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// poolServer allows few requests on a connection, and holds those to /hold until the test
// lets go.
type poolServer struct {
	*testServer
	release chan struct{}

	mu    sync.Mutex
	conns map[*quic.Conn]int // requests of each
	paths []string           // of the requests, as they came
}

func servePool(t *testing.T, streams int64) *poolServer {
	s := &poolServer{release: make(chan struct{}), conns: make(map[*quic.Conn]int)}
	s.testServer = serve(t, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.conns[RequestConn(r)]++
		s.paths = append(s.paths, r.URL.Path)
		s.mu.Unlock()
		w.(http.Flusher).Flush()
		if r.URL.Path == "/hold" {
			select {
			case <-s.release:
			case <-r.Context().Done():
			}
		}
	}, func(srv *Server) { srv.QUICConfig = &quic.Config{MaxIncomingStreams: streams} })
	return s
}

func (s *poolServer) counts() (conns, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.conns {
		requests += n
	}
	return len(s.conns), requests
}

// hold sends requests that are answered, but not to their end, and returns their bodies.
func (s *poolServer) hold(t *testing.T, n int) (bodies []io.ReadCloser) {
	t.Helper()
	var group sync.WaitGroup
	var mu sync.Mutex
	for range n {
		group.Go(func() {
			resp, err := s.transport.RoundTrip(mustRequest(t, s.url+"/hold"))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			bodies = append(bodies, resp.Body)
			mu.Unlock()
		})
	}
	group.Wait()
	return bodies
}

func (t *Transport) liveCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.live)
}

func (t *Transport) waiting(addr string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.pool[addr]; o != nil {
		return o.wants.Len()
	}
	return 0
}

// TestPoolGrows has more requests at once than the server allows on a connection: as
// many connections are made as they need.
func TestPoolGrows(t *testing.T) {
	for _, tt := range []struct{ streams, requests, conns int }{{1, 5, 5}, {4, 10, 3}, {10, 10, 1}, {10, 45, 5}} {
		t.Run(fmt.Sprintf("%d of %d", tt.requests, tt.streams), func(t *testing.T) {
			s := servePool(t, int64(tt.streams))
			defer close(s.release)
			for _, body := range s.hold(t, tt.requests) {
				defer body.Close()
			}
			if conns, requests := s.counts(); conns != tt.conns || requests != tt.requests {
				t.Errorf("%d requests on %d connections, want %d on %d", requests, conns, tt.requests, tt.conns)
			}
			if n := s.transport.liveCount(); n != tt.conns {
				t.Errorf("%d connections were made", n)
			}
		})
	}
}

// TestPoolReuses: a connection on which there is room again is filled before another one
// is made.
func TestPoolReuses(t *testing.T) {
	s := servePool(t, 2)
	defer close(s.release)
	for range 20 {
		for _, body := range s.hold(t, 2) {
			body.Close()
		}
		wantUnused(t, s.transport)
		// The server's leave for further streams comes with the end of the old ones.
		if !eventually(func() bool { return s.transport.room(s.addr) == 2 }) {
			t.Fatal("no room again")
		}
	}
	if conns, _ := s.counts(); conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

func (t *Transport) room(addr string) (n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, cc := range t.pool[addr].conns {
		n += cc.limit - cc.granted
	}
	return n
}

// TestPoolLimit: with MaxConnsPerHost requests wait for a stream, in the order in which
// they came, and no longer than their contexts let them.
func TestPoolLimit(t *testing.T) {
	s := servePool(t, 1)
	s.transport.MaxConnsPerHost = 2
	held := s.hold(t, 2)
	ctx, cancel := context.WithCancelCause(testContext(t))
	req := mustRequest(t, s.url).WithContext(ctx)
	gone := make(chan error, 1)
	go func() {
		_, err := s.transport.RoundTrip(req)
		gone <- err
	}()
	if !eventually(func() bool { return s.transport.waiting(s.addr) == 1 }) {
		t.Fatal("nobody waits")
	}
	const n = 5
	want := []string{"/hold", "/hold"}
	var group sync.WaitGroup
	for i := range n {
		path := fmt.Sprint("/", i)
		want = append(want, path)
		group.Go(func() {
			resp, err := s.transport.RoundTrip(mustRequest(t, s.url+path))
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
		if !eventually(func() bool { return s.transport.waiting(s.addr) == i+2 }) {
			t.Fatal("not all wait")
		}
	}
	cancel(errTest)
	if err := wait(t, "the cancelled request", gone); err != errTest {
		t.Error(err)
	}
	held[0].Close() // from now on one at a time
	group.Wait()
	s.mu.Lock()
	if !slices.Equal(s.paths, want) {
		t.Errorf("served %v, want %v", s.paths, want)
	}
	s.mu.Unlock()
	held[1].Close()
	if conns, _ := s.counts(); conns != 2 {
		t.Errorf("%d connections", conns)
	}
}

// TestPoolShrinks: connections beyond the first are closed when they have been idle for
// long, and all of them with IdleConnTimeout.
func TestPoolShrinks(t *testing.T) {
	s := servePool(t, 1)
	s.transport.IdleConnTimeout = short
	for _, body := range s.hold(t, 4) {
		body.Close()
	}
	if !eventually(func() bool { return s.transport.liveCount() == 0 }) {
		t.Errorf("%d connections are left", s.transport.liveCount())
	}
	spare, first := &clientConn{addr: "a"}, &clientConn{addr: "a"}
	tr := &Transport{pool: map[string]*origin{"a": {conns: []*clientConn{first, spare}}}}
	if a, b := tr.idleTimeout(first), tr.idleTimeout(spare); a != 0 || b != spareTimeout {
		t.Errorf("the first may be idle for %v, the other for %v", a, b)
	}
	tr.IdleConnTimeout = time.Hour
	if a, b := tr.idleTimeout(first), tr.idleTimeout(spare); a != time.Hour || b != spareTimeout {
		t.Errorf("the first may be idle for %v, the other for %v", a, b)
	}
}

// TestMaxIdleConnsPerHost closes what is too much at once.
func TestMaxIdleConnsPerHost(t *testing.T) {
	for limit, want := range map[int]int{-1: 0, 1: 1, 2: 2} {
		s := servePool(t, 1)
		s.transport.MaxIdleConnsPerHost = limit
		for _, body := range s.hold(t, 4) {
			body.Close()
		}
		if !eventually(func() bool { return s.transport.liveCount() == want }) {
			t.Errorf("%d connections are left, want %d", s.transport.liveCount(), want)
		}
	}
}

// TestDisableKeepAlives gives each request a connection, also those at the same time.
// Request.Close and the field do so for one request.
func TestDisableKeepAlives(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"DisableKeepAlives": nil,
		"Request.Close":     func(r *http.Request) { r.Close = true },
		"Connection: close": func(r *http.Request) { r.Header.Set("Connection", "close") },
	} {
		t.Run(name, func(t *testing.T) {
			s := servePool(t, 100)
			s.transport.DisableKeepAlives = edit == nil
			const n = 8
			var group sync.WaitGroup
			for range n {
				req := mustRequest(t, s.url)
				if edit != nil {
					edit(req)
				}
				group.Go(func() {
					resp, err := s.transport.RoundTrip(req)
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				})
			}
			group.Wait()
			// More than one for each are possible where the machine is so busy that a server
			// seems to be silent.
			if conns, requests := s.counts(); conns < n || requests != conns {
				t.Errorf("%d connections had %d requests, of which there were %d", conns, requests, n)
			}
			if !eventually(func() bool { return s.transport.liveCount() == 0 }) {
				t.Errorf("%d connections are left", s.transport.liveCount())
			}
		})
	}
}

// TestPoolDialFails: a further connection that is not to be had does no harm to those who
// wait for the ones that there are.
func TestPoolDialFails(t *testing.T) {
	s := servePool(t, 1)
	held := s.hold(t, 1)
	var dials atomic.Int64
	s.transport.mu.Lock()
	s.transport.alternative = func(string) (string, bool) {
		dials.Add(1)
		return "127.0.0.1:no port", true
	}
	s.transport.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		resp, err := s.transport.RoundTrip(mustRequest(t, s.url))
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	if !eventually(func() bool { return dials.Load() > 0 && s.transport.waiting(s.addr) == 1 }) {
		t.Fatal("nothing was tried")
	}
	held[0].Close()
	if err := wait(t, "the request", done); err != nil {
		t.Error(err)
	}
}

// TestPoolClosed: Close ends the wait for a stream.
func TestPoolClosed(t *testing.T) {
	s := servePool(t, 1)
	s.transport.MaxConnsPerHost = 1
	defer s.hold(t, 1)[0].Close()
	done := make(chan error, 1)
	go func() {
		_, err := s.transport.RoundTrip(mustRequest(t, s.url))
		done <- err
	}()
	if !eventually(func() bool { return s.transport.waiting(s.addr) == 1 }) {
		t.Fatal("nobody waits")
	}
	_ = s.transport.Close()
	if err := wait(t, "the request", done); !errors.Is(err, errTransportClosed) {
		t.Error(err)
	}
}

// TestPoolConnLost: the end of the connection whose stream a request waits for makes it
// have another one.
func TestPoolConnLost(t *testing.T) {
	s := servePool(t, 1)
	s.transport.MaxConnsPerHost = 1
	held := s.hold(t, 1)
	done := make(chan error, 1)
	go func() {
		resp, err := s.transport.RoundTrip(mustRequest(t, s.url))
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	if !eventually(func() bool { return s.transport.waiting(s.addr) == 1 }) {
		t.Fatal("nobody waits")
	}
	for _, c := range s.liveConns() {
		_ = c.qc.CloseWithError(uint64(h3.NoError), "")
	}
	if err := wait(t, "the request", done); err != nil {
		t.Error(err)
	}
	held[0].Close()
}

// TestRequestCancel: the deprecated Cancel ends a request in all its stages.
func TestRequestCancel(t *testing.T) {
	s := servePool(t, 1)
	s.transport.MaxConnsPerHost = 1
	cancellable := func(path string) (*http.Request, chan struct{}) {
		req, ch := mustRequest(t, s.url+path), make(chan struct{})
		//lint:ignore SA1019 it is what is tested
		req.Cancel = ch
		return req, ch
	}
	req, ch := cancellable("/hold")
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Request != req {
		t.Error("the response has another request")
	}
	waiting, waitingCh := cancellable("/")
	done := make(chan error, 1)
	go func() {
		_, err := s.transport.RoundTrip(waiting)
		done <- err
	}()
	if !eventually(func() bool { return s.transport.waiting(s.addr) == 1 }) {
		t.Fatal("nobody waits")
	}
	close(waitingCh)
	if err := wait(t, "a request that waits for a stream", done); err != errRequestCanceled {
		t.Error(err)
	}
	close(ch)
	if _, err := io.ReadAll(resp.Body); err != errRequestCanceled {
		t.Error(err)
	}
	resp.Body.Close()
	req, _ = cancellable("/")
	req.Body, req.Method = io.NopCloser(strings.NewReader("content")), "POST"
	if resp, err = s.transport.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	resp.Body.Close()
}

// TestPoolNoStreams has a server that allows no request at first: one connection is made,
// and the request waits.
func TestPoolNoStreams(t *testing.T) {
	s := servePool(t, -1)
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := make(chan error, 1)
	go func() {
		_, err := s.transport.RoundTrip(mustRequest(t, s.url).WithContext(ctx))
		done <- err
	}()
	if !eventually(func() bool { return s.transport.liveCount() == 1 }) {
		t.Fatal("no connection")
	}
	s.transport.mu.Lock()
	o := s.transport.pool[s.addr]
	if len(o.dials) > 0 || o.wants.Len() != 1 {
		t.Errorf("%d further connections are being made, %d requests wait", len(o.dials), o.wants.Len())
	}
	s.transport.mu.Unlock()
	cancel(errTest)
	if err := wait(t, "the request", done); err != errTest {
		t.Error(err)
	}
}
