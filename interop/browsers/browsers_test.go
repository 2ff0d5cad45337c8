package browsers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// puppeteerVersion is the release tested.
const puppeteerVersion = "25.16.0"

// patience bounds all checks of one browser.
const patience = 5 * time.Minute

// puppeteer returns the path of puppeteer-core's module, installing it on first
// use.
var puppeteer = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "godwit-interop", "puppeteer-core-"+puppeteerVersion)
	root := filepath.Join(dir, "node_modules", "puppeteer-core")
	manifest := filepath.Join(root, "package.json")
	if _, err := os.Stat(manifest); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "puppeteer-core@"+puppeteerVersion)
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("installing puppeteer-core: %w\n%s", err, out)
		}
	}
	text, err := os.ReadFile(manifest)
	if err != nil {
		return "", err
	}
	var pkg struct{ Main, Module string }
	if err := json.Unmarshal(text, &pkg); err != nil {
		return "", err
	}
	for _, entry := range []string{pkg.Module, pkg.Main, "lib/puppeteer/puppeteer-core.js", "lib/esm/puppeteer/puppeteer-core.js"} {
		path := filepath.Join(root, entry)
		if info, err := os.Stat(path); entry != "" && err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("puppeteer-core %s has no module where it is looked for", puppeteerVersion)
})

// find returns the path of a program, and skips the test when the machine has
// none.
func find(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("none of %v is installed", names)
	return ""
}

// result is the outcome of one check.
type result struct {
	Name  string
	Value any
	Error string
	MS    int
}

// runChecks runs all checks in a browser, against `godwit serve` and a server that
// records how sessions end.
func runChecks(t *testing.T, name, executable string) (map[string]result, *recorder) {
	t.Helper()
	node := find(t, "node")
	find(t, "npm")
	library, err := puppeteer()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	url, hash := serveDemo(t, ctx)
	rec := startRecorder(t)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>checks</title>"))
	}))
	t.Cleanup(pages.Close)
	about, err := json.Marshal(map[string]any{"url": url, "recorder": rec.url, "hash": hash, "recorderHash": rec.hash})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, node, "drive.mjs", library, name, executable, pages.URL, string(about))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	results := make(map[string]result)
	for line := range strings.Lines(string(out)) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		results[r.Name] = r
	}
	if err != nil {
		t.Fatalf("driving %s: %v\n%s\n%s", name, err, out, complaints.String())
	}
	return results, rec
}

// serveDemo builds and runs `godwit serve`, and returns its URL and the hash of its
// certificate.
func serveDemo(t *testing.T, ctx context.Context) (url, hash string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "godwit")
	build := exec.Command("go", "build", "-o", binary, "./cmd/godwit")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building godwit: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("godwit serve:\n%s", complaints.String())
		}
	})
	lines := bufio.NewScanner(stdout)
	for (url == "" || hash == "") && lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "serving "); ok {
			url = strings.TrimSuffix(after, "/")
		}
		if _, after, ok := strings.Cut(lines.Text(), "SHA-256 "); ok {
			hash = after
		}
	}
	if url == "" || hash == "" {
		t.Fatalf("godwit serve did not say where it is")
	}
	return url, hash
}

// wanted are the outcomes that both browsers must have.
var wanted = map[string]any{
	"ready":          true,
	"datagram":       "ping",
	"bidirectional":  []any{true, true, true},
	"unidirectional": []any{true, true, true},
	"emptyStream":    []any{true, true},
	"fiftyStreams":   50.0,
	"serverStreams":  []any{"hello", "hello", "hello"},
	"closedByServer": []any{4000000007.0, "so long"},
	"closedByClient": true,
	"rejected":       "refused",
	"twoSessions":    []any{true, true},
	"fiftySessions":  50.0,
	"chat":           "hi",

	"datagramsInBursts": []any{200.0, 200.0, 200.0},
	"closedWithStream":  50.0,
}

func testBrowser(t *testing.T, name, executable string, special map[string]any) {
	results, rec := runChecks(t, name, executable)
	for _, table := range []map[string]any{wanted, special} {
		for check, want := range table {
			t.Run(check, func(t *testing.T) {
				r, ok := results[check]
				t.Logf("took %d ms", r.MS)
				switch {
				case !ok:
					t.Error("did not run")
				case r.Error != "":
					t.Error(r.Error)
				case !reflect.DeepEqual(r.Value, want):
					t.Errorf("got %v, want %v", r.Value, want)
				}
			})
		}
	}
	t.Run("burst", func(t *testing.T) {
		ratio, _ := results["burst"].Value.(float64)
		t.Logf("%.1f %% of 500 datagrams came back", 100*ratio)
		// Browsers drop what a page writes faster than they send, and more on a
		// busy machine: how many arrive is for the reader to judge.
		if ratio == 0 {
			t.Errorf("no datagram came back: %s", results["burst"].Error)
		}
	})
	t.Run("closed at the server", rec.check)
}

func TestChromium(t *testing.T) {
	testBrowser(t, "chrome", find(t, "chromium", "google-chrome"), map[string]any{
		"resetCode": 42.0,
		"stopCode":  43.0,
		"draining":  []any{"drained", true},
	})
}

// TestFirefox expects less: reader.cancel() sends no STOP_SENDING, a page that reads
// a stream that was reset gets a TypeError without a code, and draining is unknown.
func TestFirefox(t *testing.T) {
	testBrowser(t, "firefox", find(t, "firefox-esr", "firefox"), map[string]any{
		"resetCode": nil,
		"draining":  []any{"unknown", true},
	})
}
