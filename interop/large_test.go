package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	quicgohttp3 "github.com/quic-go/quic-go/http3"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

var largeSize = flag.Int64("interop.large", 1<<30, "bytes of each large transfer")

// maxServerMemory is what the server may use at its peak, whatever it sends
// and receives: nothing is held that was read or acknowledged.
const maxServerMemory = 100 << 20

// godwit is the command under test, running `serve`.
type godwit struct {
	path string
	base string // its URL, without the final slash
	pid  int
}

// buildGodwit builds the command and returns its path. That takes long if nothing is built
// yet, so it comes before anything with a time limit.
func buildGodwit(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "godwit")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/godwit")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// startGodwit runs the server of the command at path.
func startGodwit(t *testing.T, ctx context.Context, path string) *godwit {
	t.Helper()
	g := &godwit{path: path}
	serve := exec.CommandContext(ctx, g.path, "serve", "--listen", "127.0.0.1:0")
	serve.Stderr = os.Stderr
	out, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		if err := serve.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the server ended with %v after an interrupt", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	g.base = strings.TrimSuffix(strings.TrimSpace(line[strings.Index(line, "https://"):]), "/")
	g.pid = serve.Process.Pid
	return g
}

// peakMemory returns the largest resident set the server ever had, in bytes.
func (g *godwit) peakMemory(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.pid))
	if os.IsNotExist(err) {
		return 0 // only Linux tells
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(kib)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM in /proc status")
	return 0
}

// pieces yields size bytes, the same for the same size.
type pieces struct {
	at, size int64
	buf      []byte
}

func newPieces(size int64) *pieces { return &pieces{size: size, buf: peertest.Content(256 << 10)} }

func (p *pieces) Read(b []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	n := copy(b[:min(int64(len(b)), p.size-p.at)], p.buf[p.at%int64(len(p.buf)):])
	p.at += int64(n)
	return n, nil
}

func digestOfReader(t *testing.T, r io.Reader) digest {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return digest{n, hex.EncodeToString(h.Sum(nil))}
}

// TestLarge moves the largest transfers through the demo server with three
// clients, all with the right digests, and watches the server's memory.
func TestLarge(t *testing.T) {
	path := buildGodwit(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	g := startGodwit(t, ctx, path)
	size := *largeSize
	content := "/bytes/" + strconv.FormatInt(size, 10)
	upload := digestOfReader(t, newPieces(size))
	var download digest // by the first client; the others must see the same

	t.Run("quic-go", func(t *testing.T) {
		tr := &quicgohttp3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		defer tr.Close()
		client := &http.Client{Transport: tr}
		res, err := client.Get(g.base + content)
		if err != nil {
			t.Fatal(err)
		}
		download = digestOfReader(t, res.Body)
		if download.Bytes != size {
			t.Errorf("downloaded %d bytes, want %d", download.Bytes, size)
		}
		res, err = client.Post(g.base+"/digest", "application/octet-stream", newPieces(size))
		if err != nil {
			t.Fatal(err)
		}
		var got digest
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got != upload {
			t.Errorf("uploaded: %+v, %v; want %+v", got, err, upload)
		}
	})
	t.Run("godwit", func(t *testing.T) {
		get := exec.CommandContext(ctx, g.path, "get", "-k", "-s", "--http3-only", g.base+content)
		out, err := get.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := get.Start(); err != nil {
			t.Fatal(err)
		}
		if got := digestOfReader(t, out); got != download {
			t.Errorf("downloaded %+v, want %+v", got, download)
		}
		if err := get.Wait(); err != nil {
			t.Error(err)
		}
		post := exec.CommandContext(ctx, g.path, "get", "-k", "-s", "--http3-only", "--data-binary", "@-", g.base+"/digest")
		post.Stdin = newPieces(size)
		b, err := post.Output()
		if err != nil {
			t.Fatal(err)
		}
		var got digest
		if err := json.Unmarshal(bytes.TrimSpace(b), &got); err != nil || got != upload {
			t.Errorf("uploaded: %s, %v; want %+v", b, err, upload)
		}
	})
	t.Run("Bun", func(t *testing.T) {
		line := needBun(t).run(t, ctx, filepath.Join("..", "javascript", "bun.mjs"), g.base, strconv.FormatInt(size, 10))
		var got struct {
			Download, Upload digest
			Many             bool
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got.Download != download || got.Upload != digestOfReader(t, io.LimitReader(zeros{}, size)) || !got.Many {
			t.Errorf("Bun says %s, want download %+v", line, download)
		}
	})
	peak := g.peakMemory(t)
	t.Logf("the server's memory peaked at %d MiB", peak>>20)
	if peak > maxServerMemory {
		t.Errorf("the server's memory peaked at %d MiB, want at most %d", peak>>20, maxServerMemory>>20)
	}
}

// zeros is an endless row of zero bytes.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
