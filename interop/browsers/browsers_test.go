package browsers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// puppeteerVersion is the release tested.
const puppeteerVersion = "25.16.0"

// patience bounds all checks of one browser.
const patience = 5 * time.Minute

var puppeteerKit = peertest.NPM("puppeteer-core", puppeteerVersion)

// needPuppeteer returns the paths of node and of puppeteer-core's module, installing the
// latter on first use; so it comes before anything with a time limit.
func needPuppeteer(t *testing.T) (node, library string) {
	t.Helper()
	node = peertest.Program(t, "apt-get install nodejs", "node")
	peertest.Program(t, "apt-get install npm", "npm")
	root := filepath.Join(puppeteerKit.Dir(t), "node_modules", "puppeteer-core")
	text, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pkg struct{ Main, Module string }
	if err := json.Unmarshal(text, &pkg); err != nil {
		t.Fatal(err)
	}
	for _, entry := range []string{pkg.Module, pkg.Main, "lib/puppeteer/puppeteer-core.js", "lib/esm/puppeteer/puppeteer-core.js"} {
		path := filepath.Join(root, entry)
		if info, err := os.Stat(path); entry != "" && err == nil && !info.IsDir() {
			return node, path
		}
	}
	t.Fatalf("puppeteer-core %s has no module where it is looked for", puppeteerVersion)
	return "", ""
}

func chromium(t *testing.T) string {
	t.Helper()
	return peertest.Program(t, "apt-get install chromium", "chromium", "google-chrome")
}

func firefox(t *testing.T) string {
	t.Helper()
	return peertest.Program(t, "apt-get install firefox-esr", "firefox-esr", "firefox")
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
	needPuppeteer(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	url, hash := serveDemo(t, ctx)
	rec := startRecorder(t)
	return drive(t, ctx, name, executable, map[string]string{"url": url, "recorder": rec.url, "hash": hash, "recorderHash": rec.hash}), rec
}

// drive runs checks in a browser. about tells them of the servers; those are run that only names, all if there
// are none.
func drive(t *testing.T, ctx context.Context, name, executable string, about map[string]string, only ...string) map[string]result {
	t.Helper()
	node, library := needPuppeteer(t)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>checks</title>"))
	}))
	t.Cleanup(pages.Close)
	text, err := json.Marshal(about)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, node, "drive.mjs", library, name, executable, pages.URL, string(text))
	if len(only) > 0 {
		cmd.Env = append(os.Environ(), "ONLY="+strings.Join(only, ","))
	}
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
	return results
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

	"closedWithStream": 50.0,
}

func testBrowser(t *testing.T, name, executable string, special map[string]any) {
	results, rec := runChecks(t, name, executable)
	for _, table := range []map[string]any{wanted, special} {
		for check, want := range table {
			t.Run(check, func(t *testing.T) { judge(t, results, check, want) })
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
	t.Run("datagramsInBursts", func(t *testing.T) {
		counts, _ := results["datagramsInBursts"].Value.([]any)
		t.Logf("of %d datagrams in bursts of %d there came %v", bursts*burstDatagrams, burstDatagrams, counts)
		for _, n := range counts {
			if n == 0.0 || *quiet && n != float64(bursts*burstDatagrams) {
				t.Errorf("%v of %d", n, bursts*burstDatagrams)
			}
		}
		if len(counts) == 0 {
			t.Errorf("none: %s", results["datagramsInBursts"].Error)
		}
	})
	t.Run("closed at the server", rec.check)
}

// judge wants a check to have had an outcome.
func judge(t *testing.T, results map[string]result, check string, want any) {
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
}

// The outcomes that one of the browsers has. Of Firefox less is wanted: reader.cancel()
// sends no STOP_SENDING, a page that reads a stream that was reset gets a TypeError without a
// code, and draining is unknown.
var (
	chromiumOnly = map[string]any{"resetCode": 42.0, "stopCode": 43.0, "draining": []any{"drained", true}}
	firefoxOnly  = map[string]any{"resetCode": nil, "draining": []any{"unknown", true}}
)

func TestChromium(t *testing.T) { testBrowser(t, "chrome", chromium(t), chromiumOnly) }

func TestFirefox(t *testing.T) { testBrowser(t, "firefox", firefox(t), firefoxOnly) }
