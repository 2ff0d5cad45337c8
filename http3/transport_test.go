package http3

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// rawServer accepts connections and answers in bytes.
type rawServer struct {
	*testServer
	conns atomic.Int64
}

// serveRaw starts a server that calls answer with each request stream, in a
// goroutine. n counts the requests of all connections from 1.
func serveRaw(t *testing.T, answer func(n int64, s *quic.Stream)) *rawServer {
	t.Helper()
	before := runtime.NumGoroutine()
	serverTLS, clientTLS := tlsConfigs(t)
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
				if s, err := qc.OpenUniStream(context.Background()); err == nil {
					s.Write([]byte{0x00, 0x04, 0x00})
					qc.SetValue(s)
				}
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

// TestMalformedResponses has a server answer what a client must not accept.
func TestMalformedResponses(t *testing.T) {
	ok := headers(":status=200")
	long := headers(":status=200 content-length=5")
	for _, tt := range []struct {
		name      string
		bytes     []byte
		code      ErrorCode
		wholeConn bool
	}{
		{"nothing", nil, h3.MessageError, false},
		{"no :status", headers("server=x"), h3.MessageError, false},
		{"status 101", headers(":status=101"), h3.MessageError, false},
		{"request", headers(getFields), h3.MessageError, false},
		{"uppercase field", headers(":status=200 Server=x"), h3.MessageError, false},
		{"too short", join(long, frame(h3.FrameData, "abcd")), h3.MessageError, false},
		{"too short by all", long, h3.MessageError, false},
		{"too long", join(long, frame(h3.FrameData, "abcdef")), h3.MessageError, false},
		{"content with 204", join(headers(":status=204"), frame(h3.FrameData, "x")), h3.MessageError, false},
		{"pseudo-header field in trailers", join(ok, headers(":status=200")), h3.MessageError, false},
		{"only interim responses", join(headers(":status=103"), headers(":status=103")), h3.MessageError, false},
		{"content first", frame(h3.FrameData, "x"), h3.FrameUnexpected, true},
		{"content after an interim response", join(headers(":status=103"), frame(h3.FrameData, "x")), h3.FrameUnexpected, true},
		{"trailers twice", join(ok, headers("a=b"), headers("a=b")), h3.FrameUnexpected, true},
		{"PUSH_PROMISE", join(frame(h3.FramePushPromise, "\x00\x00\x00"), ok), h3.IDError, true},
		{"half a frame", join(ok, frame(h3.FrameData, "abc")[:3]), h3.FrameError, true},
		{"dynamic reference", frame(h3.FrameHeaders, "\x02\x00\x80"), ErrorCode(qpack.DecompressionFailed), true},
	} {
		ended := make(chan error, 1)
		rs := serveRaw(t, func(n int64, s *quic.Stream) {
			s.WriteLast(tt.bytes)
			readRequest(s)
			if tt.wholeConn {
				<-s.Conn().Done()
				ended <- s.Conn().Err()
			} else {
				ended <- nil
			}
		})
		_, _, err := rs.get(t)
		wantError(t, err, tt.code, false, tt.wholeConn)
		var app *quic.ApplicationError
		if err := wait(t, "the connection's end", ended); tt.wholeConn && (!errors.As(err, &app) || ErrorCode(app.Code) != tt.code) {
			t.Errorf("%s: the server saw %v, want %v", tt.name, err, tt.code)
		}
	}
}

func TestInterimResponses(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		interim := bytes.Repeat(headers(":status=103 link=x"), 3)
		if n > 1 {
			interim = bytes.Repeat(interim, maxInterim)
		}
		s.WriteLast(join(interim, headers(":status=200 x=y"), frame(h3.FrameData, "abc"), headers("a=b")))
	})
	resp, content, err := rs.get(t)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("X") != "y" || resp.Header.Get("Link") != "" || content != "abc" || resp.Trailer.Get("A") != "b" {
		t.Errorf("%+v, %q, %v", resp, content, err)
	}
	if _, _, err := rs.get(t); err == nil || !strings.Contains(err.Error(), "interim") {
		t.Errorf("a flood of interim responses: %v", err)
	}
}

func TestLargeResponseHeader(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		s.WriteLast(headers(":status=200 x=" + strings.Repeat("~", 1000)))
	})
	rs.transport.MaxResponseHeaderBytes = 1000
	_, _, err := rs.get(t)
	wantError(t, err, ErrCodeExcessiveLoad, false, false)
}

// TestUnwantedStreams has a server open what it may not.
func TestUnwantedStreams(t *testing.T) {
	for name, code := range map[string]ErrorCode{"\x01\x00": h3.IDError, "\x00\x04\x00": h3.StreamCreationError} {
		ended := make(chan error, 1)
		rs := serveRaw(t, func(n int64, s *quic.Stream) {
			readRequest(s)
			if u, err := s.Conn().OpenUniStream(context.Background()); err == nil {
				u.Write([]byte(name))
			}
			<-s.Conn().Done()
			ended <- s.Conn().Err()
		})
		_, _, err := rs.get(t)
		wantError(t, err, code, false, true)
		var app *quic.ApplicationError
		if err := wait(t, "the connection's end", ended); !errors.As(err, &app) || ErrorCode(app.Code) != code {
			t.Errorf("%q: %v, want %v", name, err, code)
		}
	}
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
		{name: "rejected POST with content that is gone", fail: reject, edit: post, body: "abc", noCopy: true},
		{name: "cancelled", fail: func(s *quic.Stream) { s.CancelWrite(uint64(ErrCodeRequestCancelled)) }},
		{name: "closed old connection", fail: closeConn, warm: true, succeed: true},
		{name: "closed old connection, POST", fail: closeConn, edit: post, warm: true},
		{name: "closed old connection, POST with a key", fail: closeConn, warm: true, succeed: true, edit: func(req *http.Request) {
			req.Method = "POST"
			req.Header.Set("Idempotency-Key", "1")
		}},
		{name: "closed new connection", fail: closeConn},
		{name: "after GOAWAY, POST", fail: goAway, edit: post, succeed: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failing := int64(1)
			if tt.warm {
				failing = 2
			}
			rs := serveRaw(t, func(n int64, s *quic.Stream) {
				readRequest(s)
				if n == failing {
					tt.fail(s)
					return
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

func reject(s *quic.Stream) { s.CancelWrite(uint64(ErrCodeRequestRejected)) }

func closeConn(s *quic.Stream) { _ = s.Conn().CloseWithError(uint64(ErrCodeNoError), "idle") }

// goAway says that the request s has not been processed, and rejects it.
func goAway(s *quic.Stream) {
	s.Conn().Value().(*quic.Stream).Write(frame(h3.FrameGoAway, string(rune(s.ID()))))
	reject(s)
}

// TestGoAway has a server ask for no further requests.
func TestGoAway(t *testing.T) {
	release := make(chan struct{})
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		if n == 1 {
			s.Conn().Value().(*quic.Stream).Write(frame(h3.FrameGoAway, "\x04"))
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
		s.Conn().Value().(*quic.Stream).Write(frame(h3.FrameGoAway, "\x04"))
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
	wantError(t, err, ErrCodeNoError, false, true)
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

// TestWaitForStream has requests wait for a server that allows one at a time.
func TestWaitForStream(t *testing.T) {
	started, release := make(chan struct{}, 1), make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		<-release
	}, func(s *Server) { s.QUICConfig = &quic.Config{MaxIncomingStreams: 1} })
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
	waiting := func() bool {
		ts.transport.mu.Lock()
		defer ts.transport.mu.Unlock()
		o := ts.transport.pool[ts.addr]
		return o != nil && o.conn != nil && o.conn.requests == 2
	}
	if !eventually(waiting) {
		t.Fatal("the second request does not use the connection")
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
		t.Fatal("the third request does not use the connection")
	}
	for _, c := range ts.liveConns() {
		_ = c.qc.CloseWithError(uint64(ErrCodeNoError), "")
	}
	wantError(t, wait(t, "the first request", first), ErrCodeNoError, true, true)
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
	if len(distrusting.pool) != 0 {
		t.Errorf("%d origins left", len(distrusting.pool))
	}

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

// TestBodies has the request's own body fail.
func TestBodies(t *testing.T) {
	handled, started := make(chan error, 1), make(chan struct{}, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		handled <- err
	})
	why := errors.New("disk on fire")
	for _, tt := range []struct {
		name   string
		body   *closer
		length int64
		want   string
	}{
		{"read error", &closer{Reader: strings.NewReader("abc"), readErr: why}, -1, "disk on fire"},
		{"close error", &closer{Reader: strings.NewReader("abc"), closeErr: why}, -1, "disk on fire"},
		{"too short", &closer{Reader: strings.NewReader("abc")}, 5, "shorter than its Content-Length 5"},
		{"too long", &closer{Reader: strings.NewReader("abc")}, 2, "longer than its Content-Length 2"},
	} {
		tt.body.gate = started // or the request is over before there is a handler
		req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url, tt.body)
		req.ContentLength = tt.length
		if _, err := ts.transport.RoundTrip(req); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		wantError(t, wait(t, "the handler", handled), ErrCodeRequestCancelled, true, false)
	}
}

// closer is a request's body that waits for its gate and ends as told.
type closer struct {
	io.Reader
	gate              <-chan struct{}
	readErr, closeErr error
	closed            bool
}

func (c *closer) Read(p []byte) (int, error) {
	if c.gate != nil {
		<-c.gate
		c.gate = nil
	}
	n, err := c.Reader.Read(p)
	if err == io.EOF && c.readErr != nil {
		err = c.readErr
	}
	return n, err
}

func (c *closer) Close() error { c.closed = true; return c.closeErr }

func TestInvalidRequests(t *testing.T) {
	valid := func() *http.Request {
		return &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "127.0.0.1:9", Path: "/"}, Header: http.Header{}}
	}
	for want, spoil := range map[string]func(*http.Request){
		"without a URL":                     func(r *http.Request) { r.URL = nil },
		`unsupported scheme "http"`:         func(r *http.Request) { r.URL.Scheme = "http" },
		"without a host":                    func(r *http.Request) { r.URL.Host = "" },
		`invalid method "G T"`:              func(r *http.Request) { r.Method = "G T" },
		"CONNECT is not supported":          func(r *http.Request) { r.Method = "CONNECT" },
		`invalid field name "a b"`:          func(r *http.Request) { r.Header["a b"] = nil },
		"invalid value of field X":          func(r *http.Request) { r.Header["X"] = []string{"secret\n"} },
		`invalid trailer "Content-Length"`:  func(r *http.Request) { r.Trailer = http.Header{"Content-Length": nil} },
		"invalid value of field X-Trailing": func(r *http.Request) { r.Trailer = http.Header{"X-Trailing": {"\x00"}} },
	} {
		req := valid()
		body := &closer{Reader: strings.NewReader("x")}
		req.Body = body
		spoil(req)
		_, err := new(Transport).RoundTrip(req)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, want)
		}
		if !body.closed {
			t.Errorf("%s: the body was not closed", want)
		}
	}
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	for want, spoil := range map[string]func(*http.Request){
		"invalid host":       func(r *http.Request) { r.Host = "a b" },
		`invalid path "//x"`: func(r *http.Request) { r.URL = &url.URL{Scheme: "https", Host: ts.addr, Opaque: "x"} },
	} {
		req := valid().WithContext(testContext(t))
		req.URL.Host = ts.addr
		spoil(req)
		if want == `invalid path "//x"` {
			want = "invalid path"
		}
		if _, err := ts.transport.RoundTrip(req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestOriginAddr(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x":   "a.example:443",
		"https://a.example:8/x": "a.example:8",
		"https://[::1]/":        "[::1]:443",
		"https://[::1]:8":       "[::1]:8",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := originAddr(u); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

func TestRequestHeader(t *testing.T) {
	for _, tt := range []struct {
		edit func(*http.Request)
		want []string
		not  string
	}{
		{func(r *http.Request) {}, []string{"{:method GET}", "{:scheme https}", "{:authority a.example}", "{:path /x?y}", "{user-agent godwit-http3}"}, "content-length"},
		{func(r *http.Request) { r.Host = "b.example:8" }, []string{"{:authority b.example:8}"}, "host "},
		{func(r *http.Request) { r.Header.Set("User-Agent", "me") }, []string{"{user-agent me}"}, "godwit"},
		{func(r *http.Request) { r.Header.Set("User-Agent", "") }, nil, "user-agent"},
		{func(r *http.Request) { r.Method = "" }, []string{"{:method GET}"}, "content-length"},
		{func(r *http.Request) { r.Method = "PUT" }, []string{"{content-length 0}"}, "upgrade"},
		{func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1 }, []string{"{content-length 1}"}, "upgrade"},
		{func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("x")) }, nil, "content-length"},
		{func(r *http.Request) {
			r.Header = http.Header{"Connection": {"x"}, "Upgrade": {"x"}, "Te": {"gzip"}, "Content-Length": {"7"}, "X-Y": {"1", "2"}}
		}, []string{"{x-y 1} {x-y 2}"}, "upgrade"},
		{func(r *http.Request) { r.Header = http.Header{"Te": {"trailers", "gzip"}} }, []string{"{te trailers}"}, "gzip"},
		{func(r *http.Request) { r.Trailer = http.Header{"B": nil, "A": nil} }, []string{"{trailer A,B}"}, "upgrade"},
	} {
		req, _ := http.NewRequest("GET", "https://a.example/x?y", nil)
		tt.edit(req)
		b, err := requestHeader(nil, req)
		if err != nil {
			t.Fatal(err)
		}
		r := h3.NewMessageReader(1, 1<<20)
		piece, _, err := r.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		var d qpack.Decoder
		fields, err := d.AppendFields(nil, piece.Bytes, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(fields)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not contain %s", got, want)
			}
		}
		if strings.Contains(got, tt.not) {
			t.Errorf("%s contains %s", got, tt.not)
		}
	}
}
