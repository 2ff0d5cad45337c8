package http3

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
)

func TestHello(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/3.0" || r.ProtoMajor != 3 || r.Method != "GET" || r.URL.Path != "/hello" || r.URL.RawQuery != "a=b" ||
			r.RequestURI != "/hello?a=b" || r.TLS == nil || r.TLS.NegotiatedProtocol != "h3" || r.RemoteAddr == "" ||
			r.ContentLength != 0 || r.Body != http.NoBody || r.Header.Get("X-Test") != "1" || r.Header.Get("User-Agent") != userAgent {
			t.Errorf("request %+v", r)
		}
		if !strings.HasPrefix(r.Host, "127.0.0.1:") || r.Header.Get("Host") != "" {
			t.Errorf("host %q, field %q", r.Host, r.Header.Get("Host"))
		}
		if r.Context().Value(http.ServerContextKey) == nil || r.Context().Value(http.LocalAddrContextKey) == nil {
			t.Error("the context has no server or address")
		}
		io.WriteString(w, "hello")
	})
	resp, content := ts.do(t, "GET", "/hello?a=b", nil, func(r *http.Request) { r.Header.Set("X-Test", "1") })
	if content != "hello" || resp.StatusCode != 200 || resp.Status != "200 OK" || resp.Proto != "HTTP/3.0" || resp.ContentLength != 5 ||
		resp.TLS == nil || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("response %+v with %q", resp, content)
	}
	if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
		t.Error(err)
	}
}

func TestEcho(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	for _, size := range []int{0, 1, 100, writeBufferSize, writeBufferSize + 1, scratchSize - 100, 100_000, 3 << 20} {
		sent := make([]byte, size)
		rand.Read(sent)
		for name, body := range map[string]io.Reader{"known": bytes.NewReader(sent), "unknown": io.MultiReader(bytes.NewReader(sent))} {
			_, got := ts.do(t, "POST", "/", body)
			if got != string(sent) {
				t.Errorf("%d bytes, %s length: %d bytes came back, equal: false", size, name, len(got))
			}
		}
	}
}

// TestFullDuplex has request and response flow at the same time, piece by piece.
func TestFullDuplex(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := errors.Join(control.EnableFullDuplex(), control.Flush()); err != nil {
			t.Error(err)
		}
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(bytes.ToUpper(buf[:n]))
			control.Flush()
			if err != nil {
				return
			}
		}
	})
	pr, pw := io.Pipe()
	req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url, pr)
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, word := range []string{"one", "two", "three"} {
		io.WriteString(pw, word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != strings.ToUpper(word) {
			t.Fatalf("%q, %v", got, err)
		}
	}
	pw.Close()
	if rest, err := io.ReadAll(resp.Body); len(rest) != 0 || err != nil {
		t.Errorf("rest %q, %v", rest, err)
	}
}

func TestPanics(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun")
		if r.URL.Path == "/flushed" {
			w.(http.Flusher).Flush()
		}
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("as the test wants it: " + r.URL.Path)
	})
	for _, path := range []string{"/plain", "/flushed", "/abort"} {
		req, _ := http.NewRequestWithContext(testContext(t), "GET", ts.url+path, nil)
		resp, err := ts.transport.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		wantError(t, err, h3.InternalError, true, false)
	}
	logs := func(text string) func() bool { return func() bool { return strings.Contains(ts.log.String(), text) } }
	if !eventually(logs("the test wants it: /flushed")) || !eventually(logs("the test wants it: /plain")) || !strings.Contains(ts.log.String(), "server_test.go") {
		t.Errorf("log:\n%s", ts.log)
	}
	ts.logHandler().Flush()
	if strings.Contains(ts.log.String(), "/abort") {
		t.Errorf("http.ErrAbortHandler was logged:\n%s", ts.log)
	}
}

// TestContextEndsWithRequest cancels requests at the client.
func TestContextEndsWithRequest(t *testing.T) {
	started, ended := make(chan struct{}, 1), make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/derived" {
			ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
			defer cancel()
			r = r.WithContext(ctx)
		}
		w.(http.Flusher).Flush()
		started <- struct{}{}
		<-r.Context().Done()
		ended <- r.Context().Err()
	})
	for _, path := range []string{"/", "/derived", "/close"} {
		ctx, cancel := context.WithCancelCause(testContext(t))
		req, _ := http.NewRequestWithContext(ctx, "GET", ts.url+path, nil)
		resp, err := ts.transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		<-started
		if path == "/close" {
			resp.Body.Close()
		} else {
			why := errors.New("changed my mind")
			cancel(why)
			if _, err := io.ReadAll(resp.Body); !errors.Is(err, why) {
				t.Errorf("%s: %v, want %v", path, err, why)
			}
		}
		if err := wait(t, "the handler's context", ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", path, err)
		}
		cancel(nil)
	}
}

// TestContextEndsWithHandler looks at a context after its handler returned, when
// it is first asked for then and when it was before.
func TestContextEndsWithHandler(t *testing.T) {
	contexts := make(chan context.Context, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/asked" {
			if err := r.Context().Err(); err != nil {
				t.Error(err)
			}
		}
		contexts <- r.Context()
	})
	for _, path := range []string{"/asked", "/not-asked"} {
		ts.do(t, "GET", path, nil)
		ctx := <-contexts
		wait(t, "the context's end", ctx.Done())
		if _, ok := ctx.Deadline(); ok || ctx.Err() == nil {
			t.Errorf("%s: %v", path, ctx.Err())
		}
	}
}

func TestConnectionEndCancelsContext(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		_, err := io.ReadAll(r.Body)
		<-r.Context().Done()
		ended <- err
	})
	c := ts.dialRaw(t)
	c.request(false, headers(postFields))
	<-started
	c.qc.CloseWithError(uint64(h3.NoError), "bye")
	wantError(t, wait(t, "the handler", ended), h3.NoError, true, true)
}

func TestDeadlines(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := control.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Error(err)
		}
		if _, err := r.Body.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		if err := control.SetReadDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		if got, err := io.ReadAll(r.Body); string(got) != "late" || err != nil {
			t.Errorf("read after the deadline was moved: %q, %v", got, err)
		}
		if err := control.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Error(err)
		}
		_, err := w.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		if _, again := w.Write([]byte("x")); again != err {
			t.Errorf("write again: %v", again)
		}
	})
	pr, pw := io.Pipe()
	req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url, pr)
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(pw, "late")
	pw.Close()
	_, err = io.ReadAll(resp.Body)
	wantError(t, err, h3.InternalError, true, false)
	resp.Body.Close()
}

// TestUnreadBody has handlers answer without reading, or closing early.
func TestUnreadBody(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/closed" {
			r.Body.Close()
			if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Error(err)
			}
		}
		io.WriteString(w, "enough")
	})
	for _, path := range []string{"/", "/closed"} {
		for _, body := range []io.Reader{strings.NewReader("small"), bytes.NewReader(make([]byte, 10<<20))} {
			if resp, content := ts.do(t, "POST", path, body); content != "enough" || resp.StatusCode != 200 {
				t.Errorf("%s: %d %q", path, resp.StatusCode, content)
			}
		}
	}
}

// TestReaderLeftBehind has a handler return while its goroutine waits for the
// request's content.
func TestReaderLeftBehind(t *testing.T) {
	ended := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		reading := make(chan struct{})
		go func() {
			r.Body.Read(make([]byte, 1)) // what came with the header
			close(reading)
			_, err := r.Body.Read(make([]byte, 1))
			ended <- err
		}()
		<-reading
		io.WriteString(w, "done")
	})
	c := ts.dialRaw(t)
	s := c.request(false, join(headers(postFields), frame(h3.FrameData, "x")))
	if m := readMessage(t, s); m.content != "done" {
		t.Errorf("%q", m.content)
	}
	if err := wait(t, "the reader", ended); err == nil || err == io.EOF {
		t.Errorf("read %v", err)
	}
}

func TestRequestConn(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		qc := RequestConn(r)
		if qc == nil || qc.RemoteAddr().String() != r.RemoteAddr || qc.Stats().ReceivedPackets == 0 {
			t.Errorf("connection %v", qc)
		}
	})
	ts.do(t, "GET", "/", nil)
	if r, _ := http.NewRequest("GET", "/", nil); RequestConn(r) != nil {
		t.Error("a request from elsewhere has a connection")
	}
}

func TestManyRequests(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%d %x %v", n, sum.Sum(nil), err)
	})
	const count = 200 // twice as many as may be open
	results := make(chan error, count)
	for i := range count {
		go func() {
			data := bytes.Repeat([]byte{byte(i)}, i*100)
			req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url, bytes.NewReader(data))
			resp, err := ts.transport.RoundTrip(req)
			if err != nil {
				results <- err
				return
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if want := fmt.Sprintf("%d %x <nil>", len(data), sha256.Sum256(data)); err == nil && string(got) != want {
				err = fmt.Errorf("%q, want %q", got, want)
			}
			results <- err
		}()
	}
	for range count {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestOptionsAsterisk(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the handler was called") })
	m := readMessage(t, ts.dialRaw(t).request(true, headers(":method=OPTIONS :scheme=https :authority=a :path=*")))
	if !strings.Contains(fmt.Sprint(m.fields), "{:status 200}") || m.content != "" {
		t.Errorf("%+v", m)
	}
}

func TestConnect(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "CONNECT" || r.Host != "a.example:25" || r.URL.Host != r.Host || r.RequestURI != r.Host {
			t.Errorf("%+v", r)
		}
		w.(http.Flusher).Flush()
		io.Copy(w, r.Body)
	})
	c := ts.dialRaw(t)
	m := readMessage(t, c.request(true, join(headers(":method=CONNECT :authority=a.example:25"), frame(0, "ping"))))
	if m.content != "ping" || strings.Contains(fmt.Sprint(m.fields), "content-length") {
		t.Errorf("%+v", m)
	}
}

// TestUploadsAreRemoved: the temporary files of a multipart form are gone when the
// client has its answer, also when the handler panicked.
func TestUploadsAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		if files, err := os.ReadDir(os.TempDir()); len(files) != 1 || err != nil {
			t.Errorf("%d temporary files, %v", len(files), err)
		}
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
	})
	for _, path := range []string{"/", "/panic"} {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, _ := w.CreateFormFile("file", "name")
		part.Write(make([]byte, 100_000))
		w.Close()
		req, _ := http.NewRequestWithContext(testContext(t), "POST", ts.url+path, &form)
		req.Header.Set("Content-Type", w.FormDataContentType())
		if resp, err := ts.transport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
		if files, err := os.ReadDir(os.TempDir()); len(files) != 0 || err != nil {
			t.Errorf("%s: %d temporary files are left, %v", path, len(files), err)
		}
	}
}
