package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
)

// TestSmallResponseIsOneFrame checks that a small response has one HEADERS frame
// with its length, and one DATA frame.
func TestSmallResponseIsOneFrame(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 10 {
			io.WriteString(w, "0123456789")
		}
	})
	m := readMessage(t, ts.dialRaw(t).request(true, headers(getFields)))
	if len(m.content) != 100 || m.frames != 1 {
		t.Errorf("%d bytes in %d frames", len(m.content), m.frames)
	}
	if !strings.Contains(fmt.Sprint(m.fields), "{content-length 100}") {
		t.Errorf("fields %v", m.fields)
	}
}

func TestTrailers(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, announced := r.Trailer["X-Sum"]; !announced || r.Header.Get("Trailer") != "" {
			t.Errorf("announced %v, header %v", r.Trailer, r.Header)
		}
		w.Header().Set("Trailer", "X-Digest, Content-Length")
		w.Header().Add("Trailer", "x-other")
		w.WriteHeader(200)
		n, _ := io.Copy(w, r.Body)
		if got := r.Trailer.Get("X-Sum"); got != "42" {
			t.Errorf("request's trailer %q", got)
		}
		w.Header().Set("X-Digest", fmt.Sprint(n))
		w.Header().Set("X-Other", "y")
		w.Header().Set("X-Late", "not announced, not sent")
		w.Header().Set(http.TrailerPrefix+"X-Prefixed", "z")
	})
	for _, size := range []int{0, 10, 100_000} {
		resp, content := ts.do(t, "POST", "/", strings.NewReader(strings.Repeat("x", size)), func(r *http.Request) {
			r.Trailer = http.Header{"X-Sum": {"42"}}
		})
		want := http.Header{"X-Digest": {fmt.Sprint(size)}, "X-Other": {"y"}, "X-Prefixed": {"z"}}
		if len(content) != size || !reflect.DeepEqual(resp.Trailer, want) {
			t.Errorf("%d bytes, trailers %v, want %v", len(content), resp.Trailer, want)
		}
		if resp.Header.Get("X-Digest") != "" || resp.Header.Get("X-Late") != "" {
			t.Errorf("header %v", resp.Header)
		}
	}
}

func TestResponsesWithoutContent(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/head":
			io.WriteString(w, "<html>hello")
		case "/head-large":
			w.Header().Set("Content-Length", "1000000")
			w.Write(make([]byte, 1_000_000))
		case "/204", "/304":
			status := 204
			if r.URL.Path == "/304" {
				status = 304
			}
			w.WriteHeader(status)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("%d: %v", status, err)
			}
		case "/empty":
		}
	})
	for _, tt := range []struct {
		method, path string
		status       int
		length       int64
		contentType  string
	}{
		{"HEAD", "/head", 200, 11, "text/html; charset=utf-8"},
		{"HEAD", "/head-large", 200, 1_000_000, "application/octet-stream"},
		{"HEAD", "/empty", 200, -1, ""},
		{"GET", "/204", 204, 0, ""},
		{"GET", "/304", 304, 0, ""},
		{"GET", "/empty", 200, 0, ""},
		{"PUT", "/empty", 200, 0, ""},
	} {
		resp, content := ts.do(t, tt.method, tt.path, nil)
		if resp.StatusCode != tt.status || content != "" || resp.ContentLength != tt.length || resp.Header.Get("Content-Type") != tt.contentType {
			t.Errorf("%s %s: %d, length %d, type %q, content %q", tt.method, tt.path, resp.StatusCode, resp.ContentLength, resp.Header.Get("Content-Type"), content)
		}
	}
}

func TestHeaderFields(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if got := r.Header["Cookie"]; len(got) != 1 || got[0] != "a=1; b=2" {
			t.Errorf("cookies %q", got)
		}
		if got := r.Header["X-Two"]; !reflect.DeepEqual(got, []string{"1", "2"}) {
			t.Errorf("field in two lines: %q", got)
		}
		h["Set-Cookie"] = []string{"a=1", "b=2"}
		h.Set("Connection", "close")
		h.Set("Transfer-Encoding", "chunked")
		h.Set("X-Bad", "a\nb")
		h.Set("X-Kept", "before")
		h["Date"] = []string{"never"}
		w.WriteHeader(299)
		h.Set("X-Kept", "after")
		h.Set("X-Late", "1")
	})
	resp, _ := ts.do(t, "GET", "/", nil, func(r *http.Request) {
		r.Header["X-Two"] = []string{"1", "2"}
		r.Header["Cookie"] = []string{"a=1", "b=2"}
		r.Header.Set("Connection", "close")
	})
	want := http.Header{"Set-Cookie": {"a=1", "b=2"}, "X-Kept": {"before"}, "Date": {"never"}, "Content-Length": {"0"}}
	if resp.StatusCode != 299 || resp.Status != "299 " || !reflect.DeepEqual(resp.Header, want) {
		t.Errorf("%s %v, want %v", resp.Status, resp.Header, want)
	}
}

func TestContentLengthOfHandler(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/exact":
			w.Header().Set("Content-Length", "100000")
			for range 10 {
				w.Write(make([]byte, 10_000))
			}
		case "/long":
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hello")
			if _, err := io.WriteString(w, "!"); !errors.Is(err, http.ErrContentLength) {
				t.Error(err)
			}
		case "/short":
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hell")
		case "/short-flushed":
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hell")
			w.(http.Flusher).Flush()
		case "/nonsense":
			w.Header().Set("Content-Length", "-5")
			io.WriteString(w, "hello")
		}
	})
	for path, want := range map[string]int{"/exact": 100_000, "/long": 5, "/nonsense": 5} {
		if resp, content := ts.do(t, "GET", path, nil); len(content) != want || resp.ContentLength != int64(want) {
			t.Errorf("%s: %d bytes, length %d", path, len(content), resp.ContentLength)
		}
	}
	for _, path := range []string{"/short", "/short-flushed"} {
		req, _ := http.NewRequestWithContext(testContext(t), "GET", ts.url+path, nil)
		resp, err := ts.transport.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if path == "/short" {
			wantError(t, err, h3.MessageError, false, false)
		} else {
			wantError(t, err, h3.InternalError, true, false)
		}
	}
	m := readMessage(t, ts.dialRaw(t).request(true, headers(":method=GET :scheme=https :authority=a :path=/exact")))
	if m.frames != 1 && len(m.content) != 100_000 {
		t.Errorf("%d bytes in %d frames", len(m.content), m.frames)
	}
}

func TestSuperfluousWriteHeader(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(100) // interim responses are not sent
		w.WriteHeader(201)
		w.WriteHeader(202)
		defer func() {
			if recover() == nil {
				t.Error("an invalid status does not panic")
			}
		}()
		(&responseWriter{}).WriteHeader(1000)
	})
	if resp, _ := ts.do(t, "GET", "/", nil); resp.StatusCode != 201 {
		t.Errorf("status %d", resp.StatusCode)
	}
	ts.logHandler().Flush()
	if !strings.Contains(ts.log.String(), "superfluous") || !strings.Contains(ts.log.String(), "response_test.go") {
		t.Errorf("log:\n%s", ts.log)
	}
}

func TestWriteAfterHandlerReturned(t *testing.T) {
	kept, requests := make(chan http.ResponseWriter, 1), make(chan *http.Request, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { kept <- w; requests <- r })
	ts.do(t, "GET", "/", nil)
	w, r := <-kept, <-requests
	wait(t, "the request's context", r.Context().Done())
	if err := context.Cause(r.Context()); err != context.Canceled {
		t.Errorf("the context ended with %v", err)
	}
	if _, err := w.Write([]byte("late")); !errors.Is(err, errHandlerReturned) {
		t.Errorf("Write: %v", err)
	}
	if _, err := io.WriteString(w, "late"); !errors.Is(err, errHandlerReturned) {
		t.Errorf("WriteString: %v", err)
	}
	if err := http.NewResponseController(w).Flush(); !errors.Is(err, errHandlerReturned) {
		t.Errorf("Flush: %v", err)
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now()); !errors.Is(err, errHandlerReturned) {
		t.Errorf("SetWriteDeadline: %v", err)
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Now()); !errors.Is(err, errHandlerReturned) {
		t.Errorf("SetReadDeadline: %v", err)
	}
	if n, err := r.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read: %d, %v", n, err)
	}
}
