package http3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// TestSmallUpload: little content that is in memory leaves in one piece with the header,
// and can be had once more.
func TestSmallUpload(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		w.Header().Set("X-Trailer", r.Trailer.Get("X-A"))
		if w.Write(content); err != nil {
			t.Error(err)
		}
	})
	for name, body := range map[string]io.Reader{
		"bytes.Reader": bytes.NewReader([]byte("content")), "bytes.Buffer": bytes.NewBufferString("content"),
		"strings.Reader": strings.NewReader("content"), "pipe": pipeOf("content"),
	} {
		resp, content := ts.do(t, "POST", "/", body, func(r *http.Request) { r.Trailer = http.Header{"X-A": {"1"}} })
		if content != "content" || resp.Header.Get("X-Trailer") != "1" {
			t.Errorf("%s: %q, %v", name, content, resp.Header)
		}
	}
	for length, want := range map[int64]string{6: "longer than its Content-Length 6", 8: "shorter than its Content-Length 8"} {
		req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url, strings.NewReader("content"))
		req.ContentLength = length
		if _, err := ts.transport.RoundTrip(req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	wantUnused(t, ts.transport)
}

func pipeOf(content string) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, content)
		w.CloseWithError(err)
	}()
	return r
}

// TestSmallUploadAgain has the server reject what was sent in one piece.
func TestSmallUploadAgain(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		if n == 1 {
			s.CancelRead(uint64(h3.RequestRejected))
			s.CancelWrite(uint64(h3.RequestRejected))
			return
		}
		content, _ := io.ReadAll(s)
		s.WriteLast(join(headers(":status=200"), frame(h3.FrameData, string(content[len(content)-7:]))))
	})
	rs.transport.paused = func(time.Duration) {}
	req, _ := http.NewRequestWithContext(testContext(t), "POST", rs.url, strings.NewReader("content"))
	resp, err := rs.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != "content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestWholeBody: a response that has come at once is read like any other, and its memory
// is nobody else's.
func TestWholeBody(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	var kept []*http.Response
	for _, path := range []string{"/a", "/b", "/c"} {
		req := mustRequest(t, ts.url+path)
		resp, err := ts.transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, resp)
	}
	for i, resp := range kept {
		p := make([]byte, 1)
		if n, err := resp.Body.Read(nil); n != 0 || err != nil {
			t.Errorf("read of nothing: %d, %v", n, err)
		}
		if n, err := resp.Body.Read(p); n != 1 || p[0] != '/' || err != nil {
			t.Errorf("%d, %q, %v", n, p, err)
		}
		rest, err := io.ReadAll(resp.Body)
		if string(rest) != string("abc"[i]) || err != nil || resp.Header.Get("Content-Length") != "2" {
			t.Errorf("%q, %v, %v", rest, err, resp.Header)
		}
		if n, err := resp.Body.Read(p); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
		_ = resp.Body.Close()
		if n, err := resp.Body.Read(p); n != 0 || err != http.ErrBodyReadAfterClose {
			t.Errorf("after Close: %d, %v", n, err)
		}
	}
}

// TestLargeHeaderOfResponse has a response whose header is decoded beside the event loop.
func TestLargeHeaderOfResponse(t *testing.T) {
	large := strings.Repeat("~", 3*loopHeaderBytes)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", large)
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("X-Large", large)
		io.WriteString(w, "content")
	})
	resp, content := ts.do(t, "GET", "/", nil)
	if content != "content" || resp.Header.Get("X-Large") != large || resp.Header.Get("Link") != large {
		t.Errorf("%q, %d fields", content, len(resp.Header))
	}
}

// TestHookStopsRequest has a hook for interim responses give up, and the next wait until
// it has returned.
func TestHookStopsRequest(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		s.WriteLast(join(bytes.Repeat(headers(":status=103"), 3), headers(":status=200")))
	})
	var running, calls atomic.Int32
	req := mustRequest(t, rs.url)
	_, err := rs.transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			if running.Add(1) != 1 {
				t.Error("called before it had returned")
			}
			defer running.Add(-1)
			if calls.Add(1) == 2 {
				return errTest
			}
			return nil
		},
	})))
	if !errors.Is(err, errTest) || calls.Load() != 2 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
	wantUnused(t, rs.transport)
}

// TestContextOverBeforeSending ends a request's context at every moment of its beginning.
func TestContextOverBeforeSending(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	ts.do(t, "GET", "/", nil)
	for range 200 {
		ctx, cancel := context.WithCancel(testContext(t))
		body := newStuckBody()
		req, _ := http.NewRequestWithContext(ctx, "POST", ts.url, body)
		go cancel()
		if resp, err := ts.transport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		wait(t, "the body to be closed", body.closed)
	}
	wantUnused(t, ts.transport)
}
