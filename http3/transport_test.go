package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// rawServer accepts connections and answers in bytes.
type rawServer struct {
	*testServer
	conns atomic.Int64
}

// serveRaw starts a server that calls answer with each request stream, in a
// goroutine. n counts the requests of all connections from 1.
func serveRaw(t *testing.T, answer func(n int64, s *quic.Stream), settings ...byte) *rawServer {
	t.Helper()
	control := join([]byte{0x00}, frame(h3.FrameSettings, string(settings)))
	return serveRawControl(t, func(qc *quic.Conn) { controls.Store(qc, openControl(qc, control)) }, answer)
}

// controls has the control streams of serveRaw's connections.
var controls sync.Map

// controlOf returns the control stream of a request's connection.
func controlOf(s *quic.Stream) *quic.Stream {
	control, _ := controls.Load(s.Conn())
	return control.(*quic.Stream)
}

// openControl opens a unidirectional stream with bytes, unless the connection has
// ended.
func openControl(qc *quic.Conn, b []byte) *quic.Stream {
	ref, _ := event.Open(context.Background(), qc, true, nil)
	s := ref.Detach()
	_, _ = s.Write(b) // fails, too, when the connection has ended
	return s
}

// serveRawControl is serveRaw that begins each connection with a function, which
// must not block.
func serveRawControl(t *testing.T, begin func(*quic.Conn), answer func(n int64, s *quic.Stream)) *rawServer {
	t.Helper()
	before := runtime.NumGoroutine()
	serverTLS, clientTLS := peertest.TLS(t)
	ln, err := quic.Listen("127.0.0.1:0", forHTTP3(serverTLS), nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	rs := &rawServer{testServer: &testServer{addr: addr, url: "https://" + addr, transport: &Transport{TLSClientConfig: clientTLS}}}
	var requests atomic.Int64
	var running sync.WaitGroup
	running.Go(func() {
		for {
			qc, err := ln.Accept(context.Background())
			if err != nil {
				return
			}
			rs.conns.Add(1)
			running.Go(func() {
				begin(qc)
				for {
					s, err := qc.AcceptStream(context.Background())
					if err != nil {
						return
					}
					n := requests.Add(1)
					running.Go(func() { answer(n, s) })
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = rs.transport.Close()
		_ = ln.Close()
		running.Wait()
		wantNoGoroutines(t, before)
	})
	return rs
}

// readRequest reads a request to its end.
func readRequest(s *quic.Stream) { _, _ = io.Copy(io.Discard, s) }

// get sends a GET request and reads the response.
func (ts *testServer) get(t *testing.T) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), "GET", ts.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp, string(content), err
}

// TestRetries has the first attempt fail in ways after which a second is safe,
// and in ways after which it is not.
func TestRetries(t *testing.T) {
	post := func(req *http.Request) { req.Method = "POST" }
	for _, tt := range []struct {
		name    string
		fail    func(s *quic.Stream)
		edit    func(*http.Request)
		warm    bool // a request before makes the connection an old one
		body    string
		noCopy  bool // the body cannot be had again
		succeed bool
	}{
		{name: "rejected", fail: reject, succeed: true},
		{name: "rejected POST", fail: reject, edit: post, succeed: true},
		{name: "rejected POST with content", fail: reject, edit: post, body: "abc", succeed: true},
		{name: "rejected POST with content read once", fail: reject, edit: post, body: "abc", noCopy: true, succeed: true},
		{name: "rejected POST with much content read once", fail: reject, edit: post, body: strings.Repeat("a", keptContent+1), noCopy: true},
		{name: "cancelled", fail: func(s *quic.Stream) { s.CancelWrite(uint64(h3.RequestCancelled)) }},
		{name: "closed old connection", fail: closeConn, warm: true, succeed: true},
		{name: "closed old connection, POST", fail: closeConn, edit: post, warm: true},
		{name: "closed old connection, POST with a key", fail: closeConn, warm: true, succeed: true, edit: func(req *http.Request) {
			req.Method = "POST"
			req.Header.Set("Idempotency-Key", "1")
		}},
		{name: "closed new connection", fail: closeConn},
		{name: "after GOAWAY, POST", fail: goAway, edit: post, succeed: true},
		{name: "closed with GOAWAY, POST with content read once", fail: goAwayAndClose, edit: post, body: "abc", noCopy: true, succeed: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failing := int64(1)
			if tt.warm {
				failing = 2
			}
			rs := serveRaw(t, func(n int64, s *quic.Stream) {
				content := readMessage(t, s).content
				if n == failing {
					tt.fail(s)
					return
				}
				if content != tt.body {
					t.Errorf("request %d has the content %q, want %q", n, content, tt.body)
				}
				s.WriteLast(headers(":status=200"))
			})
			if tt.warm {
				if _, _, err := rs.get(t); err != nil {
					t.Fatal(err)
				}
			}
			var body io.Reader
			if tt.body != "" {
				body = strings.NewReader(tt.body)
			}
			req, err := http.NewRequestWithContext(testContext(t), "GET", rs.url, body)
			if err != nil {
				t.Fatal(err)
			}
			if tt.noCopy {
				req.GetBody = nil
			}
			if tt.edit != nil {
				tt.edit(req)
			}
			resp, err := rs.transport.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if (err == nil) != tt.succeed {
				t.Errorf("%v, want success: %v", err, tt.succeed)
			}
			if err != nil && !strings.Contains(err.Error(), rs.addr) {
				t.Errorf("%v does not say where", err)
			}
		})
	}
}

// TestRejectedPauses: what a server rejects is sent again after a while, ever longer,
// unless it goes to another connection.
func TestRejectedPauses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reject func(s *quic.Stream)
		pauses int
		fails  bool
	}{
		{"rejected", reject, maxAttempts - 1, true},
		{"of a closed connection", goAwayAndClose, 0, true},
		{"not this time", nil, 0, false},
	} {
		rs := serveRaw(t, func(n int64, s *quic.Stream) {
			readRequest(s)
			if tt.reject != nil {
				tt.reject(s)
				return
			}
			s.WriteLast(headers(":status=200"))
		})
		var pauses []time.Duration
		rs.transport.paused = func(d time.Duration) { pauses = append(pauses, d) }
		if _, _, err := rs.get(t); (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
		if len(pauses) != tt.pauses {
			t.Errorf("%s: pauses of %v, want %d", tt.name, pauses, tt.pauses)
		}
		for i, pause := range pauses {
			if want := 100 * time.Millisecond << i; pause < want*9/10 || pause > want*11/10 {
				t.Errorf("%s: pause %d of %v, want about %v", tt.name, i, pause, want)
			}
		}
	}
}

func reject(s *quic.Stream) { s.CancelWrite(uint64(h3.RequestRejected)) }

func closeConn(s *quic.Stream) { _ = s.Conn().CloseWithError(uint64(h3.NoError), "idle") }

// goAway says that the request s has not been processed, and rejects it.
func goAway(s *quic.Stream) {
	controlOf(s).Write(frame(h3.FrameGoAway, string(rune(s.ID()))))
	reject(s)
}

// goAwayAndClose is goAway that closes the connection, too, in the same packet.
func goAwayAndClose(s *quic.Stream) {
	control := event.Of(controlOf(s))
	event.Run(s.Conn(), func(t event.Turn) {
		t.Write(control, frame(h3.FrameGoAway, string(rune(s.ID()))))
		closeQuietly(t)
	})
}

// TestGoAway has a server ask for no further requests.
func TestGoAway(t *testing.T) {
	release := make(chan struct{})
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		if n == 1 {
			controlOf(s).Write(frame(h3.FrameGoAway, "\x04"))
			s.Write(headers(":status=200"))
			<-release
			s.WriteLast(frame(h3.FrameData, "slow"))
			return
		}
		s.WriteLast(headers(":status=200"))
	})
	req, _ := http.NewRequestWithContext(testContext(t), "GET", rs.url, nil)
	resp, err := rs.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	retired := func() bool {
		rs.transport.mu.Lock()
		defer rs.transport.mu.Unlock()
		return len(rs.transport.pool) == 0
	}
	if !eventually(retired) {
		t.Fatal("the connection is still in use after GOAWAY")
	}
	if _, _, err := rs.get(t); err != nil {
		t.Error(err)
	}
	if n := rs.conns.Load(); n != 2 {
		t.Errorf("%d connections, want a new one", n)
	}
	close(release)
	if content, err := io.ReadAll(resp.Body); string(content) != "slow" || err != nil {
		t.Errorf("the request before GOAWAY: %q, %v", content, err)
	}
	resp.Body.Close()
}

func TestConnectionIsShared(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		s.WriteLast(headers(":status=200"))
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, _, err := rs.get(t); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := rs.conns.Load(); n != 1 {
		t.Errorf("%d connections for 20 requests at once", n)
	}
	rs.transport.CloseIdleConnections()
	if _, _, err := rs.get(t); err != nil {
		t.Error(err)
	}
	if n := rs.conns.Load(); n != 2 {
		t.Errorf("%d connections, want a second after CloseIdleConnections", n)
	}
	if err := rs.transport.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := rs.get(t); !errors.Is(err, errTransportClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestCloseEndsRetired closes a transport with a request on a connection that
// takes no more.
func TestCloseEndsRetired(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		s.Write(headers(":status=200"))
		controlOf(s).Write(frame(h3.FrameGoAway, "\x04"))
	})
	req, _ := http.NewRequestWithContext(testContext(t), "GET", rs.url, nil)
	resp, err := rs.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := rs.transport.Close(); err != nil {
		t.Error(err)
	}
	_, err = io.ReadAll(resp.Body)
	wantError(t, err, h3.NoError, false, true)
}

// TestCloseIdleKeepsBusy closes idle connections while one is in use.
func TestCloseIdleKeepsBusy(t *testing.T) {
	release := make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-release
		io.WriteString(w, "whole")
	})
	req, _ := http.NewRequestWithContext(testContext(t), "GET", ts.url, nil)
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ts.transport.CloseIdleConnections()
	close(release)
	if content, err := io.ReadAll(resp.Body); string(content) != "whole" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
}

// TestWaitForStream has requests wait for a server that allows one at a time, on the one
// connection that there may be.
func TestWaitForStream(t *testing.T) {
	started, release := make(chan struct{}, 1), make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		<-release
	}, func(s *Server) { s.QUICConfig = &quic.Config{MaxIncomingStreams: 1} })
	ts.transport.MaxConnsPerHost = 1
	first := make(chan error, 1)
	go func() {
		_, _, err := ts.get(t)
		first <- err
	}()
	<-started
	ctx, cancel := context.WithCancelCause(testContext(t))
	second := make(chan error, 1)
	req, _ := http.NewRequestWithContext(ctx, "GET", ts.url, nil)
	go func() {
		_, err := ts.transport.RoundTrip(req)
		second <- err
	}()
	waiting := func() bool { return ts.transport.waiting(ts.addr) == 1 }
	if !eventually(waiting) {
		t.Fatal("the second request does not wait")
	}
	why := errors.New("no patience")
	cancel(why)
	if err := wait(t, "the second request", second); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}

	// When the connection ends, who waits for a stream gets another one; what
	// is under way does not, as the connection was new.
	req, _ = http.NewRequestWithContext(testContext(t), "POST", ts.url, strings.NewReader("x"))
	go func() {
		resp, err := ts.transport.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		second <- err
	}()
	if !eventually(waiting) {
		t.Fatal("the third request does not wait")
	}
	for _, c := range ts.liveConns() {
		_ = c.qc.CloseWithError(uint64(h3.NoError), "")
	}
	wantError(t, wait(t, "the first request", first), h3.NoError, true, true)
	<-started
	close(release)
	if err := wait(t, "the third request", second); err != nil {
		t.Error(err)
	}
}

func TestDialFails(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	distrusting := &Transport{TLSClientConfig: &tls.Config{ServerName: "localhost"}}
	defer distrusting.Close()
	req, _ := http.NewRequestWithContext(testContext(t), "GET", ts.url, nil)
	var unknown *tls.CertificateVerificationError
	if _, err := distrusting.RoundTrip(req); !errors.As(err, &unknown) || !strings.Contains(err.Error(), ts.addr) {
		t.Errorf("an unknown certificate: %v", err)
	}
	distrusting.mu.Lock()
	if len(distrusting.pool) != 0 {
		t.Errorf("%d origins left", len(distrusting.pool))
	}
	distrusting.mu.Unlock()

	// Nobody is there: the request's context ends the wait, and the attempt.
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancelCause(testContext(t))
	why := errors.New("no patience")
	cancel(why)
	req, _ = http.NewRequestWithContext(ctx, "GET", "https://127.0.0.1:9/", strings.NewReader("x"))
	if _, err := distrusting.RoundTrip(req); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
	wantNoGoroutines(t, before)
}

// TestSlowRequestIsNotSentTwice loses the path to a server that is working on a request:
// the request fails, as the handler may be running still.
func TestSlowRequestIsNotSentTwice(t *testing.T) {
	var handled atomic.Int64
	begun := make(chan *quic.Stream, 10)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		handled.Add(1)
		if r.URL.Path == "/slow" {
			begun <- nil
			<-r.Context().Done()
		}
	}, func(s *Server) { s.QUICConfig = &quic.Config{MaxIdleTimeout: 10 * short} })
	path := startRelay(t, ts.addr)
	ts.transport.QUICConfig = &quic.Config{MaxIdleTimeout: 10 * short}
	ts.url = "https://" + path.LocalAddr().String()
	ts.do(t, "GET", "/", nil)
	done := make(chan error, 1)
	go func() {
		_, err := ts.transport.RoundTrip(mustRequest(t, ts.url+"/slow"))
		done <- err
	}()
	wait(t, "the handler", begun)
	ts.transport.mu.Lock()
	cc := ts.transport.pool[path.LocalAddr().String()].conns[0]
	ts.transport.mu.Unlock()
	acknowledged := func() (is bool) { // published figures may be a turn's in which it was not sent yet
		_ = cc.do(func(event.Turn) error {
			is = cc.awaited.list.acknowledged()
			return nil
		})
		return is
	}
	if !eventually(acknowledged) {
		t.Fatal("the request is not acknowledged")
	}
	_ = path.Close()
	var idle *quic.IdleTimeoutError
	if err := wait(t, "the request's end", done); !errors.As(err, &idle) {
		t.Errorf("%v, want an idle timeout", err)
	}
	if n := handled.Load(); n != 2 {
		t.Errorf("%d requests were handled", n)
	}
}
