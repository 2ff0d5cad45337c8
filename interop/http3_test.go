package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	quicgo "github.com/quic-go/quic-go"
	quicgohttp3 "github.com/quic-go/quic-go/http3"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// routes is what the servers here serve, ours and quic-go's alike.
func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	mux.HandleFunc("GET /bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		piece := make([]byte, 64<<10)
		for n > 0 {
			m, err := w.Write(piece[:min(n, len(piece))])
			if err != nil {
				return
			}
			n -= m
		}
	})
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("POST /digest", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		if err != nil {
			return
		}
		_ = json.NewEncoder(w).Encode(digest{n, hex.EncodeToString(h.Sum(nil))})
	})
	mux.HandleFunc("GET /trailers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-After")
		fmt.Fprintln(w, "body")
		w.Header().Set("X-After", "late")
	})
	mux.HandleFunc("POST /trailers", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.Trailer.Get("X-Sum"))
	})
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"protocol": r.Proto})
	})
	return mux
}

// digest is the answer of /digest.
type digest struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest{int64(len(b)), hex.EncodeToString(sum[:])}
}

// do sends a request over HTTP/3 and returns the response, which must be a good
// one, and its content.
func do(t *testing.T, ctx context.Context, client *http.Client, method, url string, body io.Reader, edit ...func(*http.Request)) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range edit {
		f(req)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: body: %v", method, url, err)
	}
	if res.ProtoMajor != 3 || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s", method, url, res.Proto, res.Status)
	}
	return res, b
}

// checkContent uses the routes that move content through a client. sizes are what
// to upload and download, in bytes.
func checkContent(t *testing.T, ctx context.Context, client *http.Client, base string, sizes []int) {
	t.Helper()
	if _, b := do(t, ctx, client, "GET", base+"/hello", nil); string(b) != "hello\n" {
		t.Errorf("hello: %q", b)
	}
	for _, n := range sizes {
		data := peertest.Content(n)
		if _, b := do(t, ctx, client, "GET", base+"/bytes/"+strconv.Itoa(n), nil); len(b) != n {
			t.Errorf("bytes/%d: %d", n, len(b))
		}
		if _, b := do(t, ctx, client, "POST", base+"/echo", bytes.NewReader(data)); !bytes.Equal(b, data) {
			t.Errorf("echo of %d bytes differs, got %d", n, len(b))
		}
		for name, body := range map[string]io.Reader{
			"known":   bytes.NewReader(data),
			"unknown": struct{ io.Reader }{bytes.NewReader(data)}, // no Content-Length
		} {
			var got digest
			_, b := do(t, ctx, client, "POST", base+"/digest", body)
			if err := json.Unmarshal(b, &got); err != nil || got != digestOf(data) {
				t.Errorf("digest of %d bytes, %s length: %s, %v", n, name, b, err)
			}
		}
	}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if _, b := do(t, ctx, client, "GET", base+"/bytes/"+strconv.Itoa(1000+i), nil); len(b) != 1000+i {
				t.Errorf("parallel: %d bytes, want %d", len(b), 1000+i)
			}
		})
	}
	wg.Wait()
}

// checkFields uses what is sent in field sections: HEAD, and trailers both ways.
func checkFields(t *testing.T, ctx context.Context, client *http.Client, base string) {
	t.Helper()
	if res, b := do(t, ctx, client, "HEAD", base+"/bytes/5000", nil); res.ContentLength != 5000 || len(b) != 0 {
		t.Errorf("HEAD: length %d, body of %d", res.ContentLength, len(b))
	}
	if res, b := do(t, ctx, client, "GET", base+"/trailers", nil); string(b) != "body\n" || res.Trailer.Get("X-After") != "late" {
		t.Errorf("trailers: %q, %v", b, res.Trailer)
	}
	_, b := do(t, ctx, client, "POST", base+"/trailers", strings.NewReader("abc"), func(req *http.Request) {
		req.ContentLength = -1
		req.Trailer = http.Header{"X-Sum": {"900150983cd2"}}
	})
	if string(b) != "900150983cd2" {
		t.Errorf("trailers of a request: the server saw %q", b)
	}
}

// serveHTTP3 runs our server on a port of its own and returns its URL.
func serveHTTP3(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	srv := &http3.Server{Addr: "127.0.0.1:0", Handler: routes(), TLSConfig: cfg}
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "https://" + ln.Addr().String()
}

// hostPort returns what a URL says about where a server is.
func hostPort(t *testing.T, base string) (host, port string) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname(), u.Port()
}

// TestQuicGoHTTP3Client has quic-go's HTTP/3 client use our server.
func TestQuicGoHTTP3Client(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	base := serveHTTP3(t, serverTLS)
	tr := &quicgohttp3.Transport{TLSClientConfig: clientTLS}
	defer tr.Close()
	client := &http.Client{Transport: tr}
	checkContent(t, ctx, client, base, sizes)
	checkFields(t, ctx, client, base)
}

// TestQuicGoHTTP3Server has our HTTP/3 client use quic-go's server.
func TestQuicGoHTTP3Server(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	base := serveQuicGoHTTP3(t, serverTLS)
	tr := &http3.Transport{TLSClientConfig: clientTLS}
	defer tr.Close()
	client := &http.Client{Transport: tr}
	checkContent(t, ctx, client, base, sizes)
	checkFields(t, ctx, client, base)
}

// serveQuicGoHTTP3 runs quic-go's server on a port of its own and returns its URL.
func serveQuicGoHTTP3(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &quicgohttp3.Server{Handler: routes(), TLSConfig: cfg, QUICConfig: &quicgo.Config{}}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(pc) }()
	t.Cleanup(func() {
		_ = srv.Close()
		_ = pc.Close()
		<-served
	})
	return "https://" + pc.LocalAddr().String()
}

// TestBunHTTP3Server has our HTTP/3 client use Bun.serve.
func TestBunHTTP3Server(t *testing.T) {
	bun := needBun(t)
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	cert, key := peertest.PEM(t, serverTLS)
	base := "https://" + net.JoinHostPort("127.0.0.1", bun.run(t, ctx, "http3_server.mjs", cert, key))
	tr := &http3.Transport{TLSClientConfig: clientTLS}
	defer tr.Close()
	checkContent(t, ctx, &http.Client{Transport: tr}, base, sizes)
}

// TestBunFetch has Bun's fetch use our server over HTTP/3.
func TestBunFetch(t *testing.T) {
	bun := needBun(t)
	ctx := timeout(t)
	serverTLS, _ := peertest.TLS(t, "h3")
	base := serveHTTP3(t, serverTLS)
	const size = 32 << 20
	line := bun.run(t, ctx, filepath.Join("..", "javascript", "bun.mjs"), base, strconv.Itoa(size))
	wantContent(t, line, "HTTP/3.0", size)
}

// wantContent judges what javascript/content.mjs says of a server whose /info names a
// protocol, or that has none, with size bytes each way.
func wantContent(t *testing.T, line, protocol string, size int) {
	t.Helper()
	var got struct {
		Hello            string
		Info             map[string]string
		Download, Upload digest
		Echo, Many       bool
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	want := digestOf(make([]byte, size))
	if got.Hello != "hello\n" || got.Info["protocol"] != protocol || got.Download != want || got.Upload != want || !got.Echo || !got.Many {
		t.Errorf("got %s, want digests %+v", line, want)
	}
}
