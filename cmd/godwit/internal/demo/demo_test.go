package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// start serves a handler with all routes, over HTTP/2 if wanted, and returns a
// client and the server's URL.
func start(t *testing.T, http2 bool) (*http.Client, string) {
	t.Helper()
	handler := New(Options{})
	srv := httptest.NewUnstartedServer(handler)
	srv.EnableHTTP2 = http2
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.Client(), srv.URL
}

// both runs a test over HTTP/1.1 and HTTP/2.
func both(t *testing.T, test func(t *testing.T, client *http.Client, url string)) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			client, url := start(t, proto == "HTTP/2.0")
			test(t, client, url)
		})
	}
}

// do sends a request and returns the response and its whole body.
func do(t *testing.T, client *http.Client, method, url string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(data)
}

func TestRoutes(t *testing.T) {
	hello := sha256.Sum256([]byte("hello"))
	both(t, func(t *testing.T, client *http.Client, url string) {
		for _, tt := range []struct {
			method, path, body string
			status             int
			contentType, want  string // want is contained in the answer
		}{
			{"GET", "/", "", 200, "text/html; charset=utf-8", "brought this page to 127.0.0.1:"},
			{"GET", "/nothing", "", 404, "text/plain; charset=utf-8", "not found"},
			{"GET", "/hello", "", 200, "text/plain; charset=utf-8", "Hello over HTTP/"},
			{"POST", "/hello", "", 405, "text/plain; charset=utf-8", "Method Not Allowed"},
			{"POST", "/echo", "back and forth", 200, "application/octet-stream", "back and forth"},
			{"POST", "/digest", "hello", 200, "application/json", `{"bytes":5,"sha256":"` + hex.EncodeToString(hello[:]) + `"}`},
			{"GET", "/bytes/0", "", 200, "application/octet-stream", ""},
			{"GET", "/bytes/17179869185", "", 400, "text/plain; charset=utf-8", "17179869185\" is not a number of bytes from 0 to 17179869184"},
			{"GET", "/bytes/-1", "", 400, "text/plain; charset=utf-8", "not a number of bytes"},
			{"GET", "/bytes/many", "", 400, "text/plain; charset=utf-8", "not a number of bytes"},
			{"GET", "/slow?ms=0", "", 200, "text/plain; charset=utf-8", "waited for 0 ms"},
			{"GET", "/slow", "", 400, "text/plain; charset=utf-8", "ms must say"},
			{"GET", "/slow?ms=600001", "", 400, "text/plain; charset=utf-8", "from 0 to 600000"},
		} {
			resp, got := do(t, client, tt.method, url+tt.path, strings.NewReader(tt.body))
			if resp.StatusCode != tt.status || resp.Header.Get("Content-Type") != tt.contentType || !strings.Contains(got, tt.want) {
				t.Errorf("%s %s: %d, %q, %q", tt.method, tt.path, resp.StatusCode, resp.Header.Get("Content-Type"), got)
			}
		}
	})
}

// TestBytesContent pins what clients may rely on: the content of /bytes/{n} is
// the same for ever, and a shorter one is the beginning of a longer one.
func TestBytesContent(t *testing.T) {
	both(t, func(t *testing.T, client *http.Client, url string) {
		const n = 3*blockSize + 1000
		resp, got := do(t, client, "GET", fmt.Sprintf("%s/bytes/%d", url, n), nil)
		if len(got) != n || resp.ContentLength != n {
			t.Fatalf("%d bytes, Content-Length %d, want %d", len(got), resp.ContentLength, n)
		}
		sum := sha256.Sum256([]byte(got))
		if want := "bb067581fa1f6a3df48d1d81f7f5312767d9f2ac938ae41f9d06f410fd6862fc"; hex.EncodeToString(sum[:]) != want {
			t.Errorf("SHA-256 %x, want %s", sum, want)
		}
		if _, short := do(t, client, "GET", url+"/bytes/1000", nil); short != got[:1000] || short != got[blockSize:blockSize+1000] {
			t.Error("1000 bytes differ from the beginning of more, or of the second block")
		}
		resp, got = do(t, client, "HEAD", url+"/bytes/17179869184", nil)
		if resp.ContentLength != maxBytes || got != "" {
			t.Errorf("HEAD: Content-Length %d, body %q", resp.ContentLength, got)
		}
	})
}

// TestEchoStreams: what was sent comes back before the rest is sent.
func TestEchoStreams(t *testing.T) {
	both(t, func(t *testing.T, client *http.Client, url string) {
		body, send := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/echo", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "text/x-words")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); got != "text/x-words" {
			t.Errorf("Content-Type %q", got)
		}
		for _, word := range []string{"one", "two", "three"} {
			if _, err := io.WriteString(send, word); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(word))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != word {
				t.Fatalf("sent %q, got %q, %v", word, got, err)
			}
		}
		if err := send.Close(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
			t.Errorf("after the end: %q, %v", rest, err)
		}
	})
}

func TestTrailers(t *testing.T) {
	both(t, func(t *testing.T, client *http.Client, url string) {
		resp, got := do(t, client, "GET", url+"/trailers", nil)
		sum := sha256.Sum256([]byte(got))
		if resp.Trailer.Get("Body-Sha256") != hex.EncodeToString(sum[:]) || resp.Trailer.Get("Body-Length") != fmt.Sprint(len(got)) {
			t.Errorf("trailers %v of %q", resp.Trailer, got)
		}
	})
}

func TestInfo(t *testing.T) {
	both(t, func(t *testing.T, client *http.Client, url string) {
		resp, got := do(t, client, "GET", url+"/info", nil)
		var answer info
		if err := json.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Protocol != resp.Proto || "https://"+answer.Local != url || !strings.HasPrefix(answer.Remote, "127.0.0.1:") {
			t.Errorf("%s", got)
		}
		if answer.TLS == nil || answer.TLS.Version != "TLS 1.3" || answer.QUIC != nil {
			t.Errorf("%s", got)
		}
	})
}

// TestSite: what is no route of the demo is the site's, and the page makes room for it.
func TestSite(t *testing.T) {
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "site ", r.URL.Path) })
	for path, want := range map[string]string{"/": "site /", "/hello/": "site /hello/", "/hello": "Hello over", "/demo": "<!doctype html>"} {
		w := servePath(t, Options{Site: site}, path)
		if !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: %.40q", path, w.Body)
		}
	}
}

// TestSlowEnds: a client that has gone away holds no handler.
func TestSlowEnds(t *testing.T) {
	handler := New(Options{})
	returned := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		close(returned)
	}))
	defer srv.Close()
	client := &http.Client{Timeout: 50 * time.Millisecond}
	if _, err := client.Get(srv.URL + "/slow?ms=600000"); err == nil {
		t.Error("ten minutes have passed")
	}
	<-returned
}

// countingWriter is a client that takes everything.
type countingWriter struct {
	header http.Header
	n      int64
	writes int
}

func (w *countingWriter) Header() http.Header { return w.header }
func (w *countingWriter) WriteHeader(int)     {}
func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	w.writes++
	return len(p), nil
}

// TestBytesWrites: the route for benchmarks writes much at a time.
func TestBytesWrites(t *testing.T) {
	handler := New(Options{})
	w := &countingWriter{header: make(http.Header)}
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/bytes/1073741824", nil))
	if w.n != 1<<30 || w.writes > 1<<30/blockSize+1 {
		t.Errorf("%d bytes in %d writes", w.n, w.writes)
	}
}

func TestEchoBrokenBody(t *testing.T) {
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("the handler ended with %v", r)
		}
	}()
	broken := io.MultiReader(strings.NewReader("some"), brokenReader{})
	serveEcho(httptest.NewRecorder(), httptest.NewRequest("POST", "/echo", broken))
	t.Error("the handler returned as if all was well")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDigestBrokenBody(t *testing.T) {
	w := httptest.NewRecorder()
	serveDigest(w, httptest.NewRequest("POST", "/digest", io.MultiReader(bytes.NewReader(make([]byte, 7)), brokenReader{})))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "after 7 bytes") {
		t.Errorf("%d, %q", w.Code, w.Body)
	}
}
