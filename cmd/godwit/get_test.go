package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGet(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	upload := filepath.Join(t.TempDir(), "upload")
	data := strings.Repeat("0123456789", 100_000)
	if err := os.WriteFile(upload, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(data))
	digest := `{"bytes":1000000,"sha256":"` + hex.EncodeToString(sum[:]) + "\"}\n"
	for _, tt := range []struct {
		name  string
		args  []string
		stdin string
		want  string // the beginning of standard output
	}{
		{"plain", []string{s.url("/hello")}, "", "Hello over HTTP/3.0!\n"},
		{"without a scheme", []string{s.addr + "/hello"}, "", "Hello over HTTP/3.0!\n"},
		{"data", []string{"-d", "a=1", "-d", "b=2", s.url("/echo")}, "", "a=1&b=2"},
		{"data from standard input", []string{"-d", "@-", s.url("/echo")}, "typed", "typed"},
		{"data from a file", []string{"-d", "@" + upload, s.url("/digest")}, "", digest},
		{"JSON", []string{"-i", "--json", `{"a":1}`, s.url("/echo")}, "", "HTTP/3 200 \r\ncontent-type: application/json\r\n"},
		{"content type", []string{"-i", "-d", "x", "-H", "content-type: text/x", s.url("/echo")}, "", "HTTP/3 200 \r\ncontent-type: text/x\r\n"},
		{"method", []string{"-X", "DELETE", "-i", s.url("/hello")}, "", "HTTP/3 405 \r\nallow: GET, HEAD\r\n"},
		{"head", []string{"-I", s.url("/bytes/1000")}, "", "HTTP/3 200 \r\ncontent-length: 1000\r\ncontent-type: application/octet-stream\r\n"},
		{"HTTP/1.1", []string{"--http1.1", s.url("/hello")}, "", "Hello over HTTP/1.1!\n"},
		{"HTTP/2", []string{"--http2", s.url("/hello")}, "", "Hello over HTTP/2.0!\n"},
		{"repeat", []string{"--repeat", "3", "-Z", "--parallel-max", "2", s.url("/hello"), s.url("/slow?ms=0")}, "",
			strings.Repeat("Hello over HTTP/3.0!\nwaited for 0 ms\n", 3)},
		{"repeat to nowhere", []string{"--repeat", "2", "-o", os.DevNull, s.url("/hello")}, "", ""},
		{"repeat with data", []string{"--repeat", "2", "-d", "x", s.url("/echo")}, "", "xx"},
		{"status of 400", []string{s.url("/slow")}, "", "ms must say"},
		{"several", []string{s.url("/slow?ms=100"), s.url("/hello"), s.url("/slow?ms=0")}, "",
			"waited for 100 ms\nHello over HTTP/3.0!\nwaited for 0 ms\n"},
	} {
		r := godwit(t, tt.stdin, append([]string{"get", "-k"}, tt.args...)...)
		if r.code != exitOK || !strings.HasPrefix(r.stdout, tt.want) || r.stderr != "" {
			t.Errorf("%s: %+v, want %q", tt.name, r, tt.want)
		}
	}
}

func TestGetHeader(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	r := godwit(t, "", "get", "-k", "-i", s.url("/trailers"))
	head, rest, _ := strings.Cut(r.stdout, "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/3 200 \r\n") || !slices.IsSorted(strings.Split(head, "\r\n")[1:]) {
		t.Errorf("header %q", head)
	}
	if _, trailers, _ := strings.Cut(rest, "\n\r\n"); !strings.HasPrefix(trailers, "body-length: 62\r\nbody-sha256: ") {
		t.Errorf("trailers %q", trailers)
	}
}

// TestGetMany: more requests than the server allows at once, all of which wait
// for the first, arrive whole and in order.
func TestGetMany(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	const count, each = maxParallel + 10, 200_000
	args := []string{"get", "-k", "-Z", s.url("/slow?ms=50")}
	for range count {
		args = append(args, s.url("/bytes/200000"))
	}
	r := godwit(t, "", args...)
	content := strings.TrimPrefix(r.stdout, "waited for 50 ms\n")
	if r.code != exitOK || len(content) != count*each {
		t.Fatalf("code %d, %d bytes of %d: %s", r.code, len(content), count*each, r.stderr)
	}
	for i := range count {
		if content[i*each:(i+1)*each] != content[:each] {
			t.Errorf("response %d is another", i)
		}
	}
}

// TestQueuedWriter: what comes before its turn is kept, in memory and then in a
// file, which is gone in the end.
func TestQueuedWriter(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	for _, tt := range []struct {
		name   string
		before int  // pieces written before the turn
		given  bool // the turn comes at all
		files  int  // kept then
	}{
		{"at once", 0, true, 0}, {"memory", 10, true, 0}, {"file", 30, true, 1}, {"never", 40, false, 1},
	} {
		turn := make(chan struct{})
		var out, want strings.Builder
		q := &queuedWriter{out: &out, turn: turn}
		for i := range 40 {
			if i == tt.before && tt.given {
				close(turn)
			}
			piece := strings.Repeat(string(rune('A'+i)), 100_000)
			want.WriteString(piece)
			if n, err := q.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("%s: wrote %d, %v", tt.name, n, err)
			}
			if i == tt.before-1 {
				if kept, _ := filepath.Glob(filepath.Join(dir, "*")); len(kept) != tt.files || out.Len() > 0 {
					t.Errorf("%s: files %q, %d bytes written too early", tt.name, kept, out.Len())
				}
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		if !tt.given {
			cancel()
			want.Reset()
		}
		if err := q.finish(ctx); (err == nil) != tt.given {
			t.Errorf("%s: %v", tt.name, err)
		}
		cancel()
		q.close()
		if out.String() != want.String() {
			t.Errorf("%s: %d bytes, want %d", tt.name, out.Len(), want.Len())
		}
		if kept, _ := filepath.Glob(filepath.Join(dir, "*")); len(kept) > 0 {
			t.Errorf("%s: left %q", tt.name, kept)
		}
	}
}

func TestGetFiles(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "sub", "file.txt"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "serve", "--listen", "localhost:0", "--demo", "--log", "off", root)
	t.Chdir(t.TempDir())
	r := godwit(t, "", "get", "-k", "-o", "one", "-o", "-", "-O", s.url("/bytes/100000"), s.url("/hello"), s.url("/sub/file.txt"))
	if r.code != exitOK || r.stdout != "Hello over HTTP/3.0!\n" || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	for name, size := range map[string]int64{"one": 100_000, "file.txt": 7} {
		if info, err := os.Stat(name); err != nil || info.Size() != size {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	// A redirect is shown, or followed.
	if r = godwit(t, "", "get", "-k", "-i", s.url("/sub")); !strings.HasPrefix(r.stdout, "HTTP/3 301 ") {
		t.Errorf("%+v", r)
	}
	if r = godwit(t, "", "get", "-k", "-L", s.url("/sub")); !strings.Contains(r.stdout, "file.txt") {
		t.Errorf("%+v", r)
	}
	// Where there is no response worth it, no file is left.
	if r = godwit(t, "", "get", "-k", "-f", "-o", "two", s.url("/nothing")); r.code != exitHTTPStatus || !strings.Contains(r.stderr, "/nothing: the server answered 404 Not Found") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat("two"); err == nil {
		t.Error("a file was made for an error")
	}
	if r = godwit(t, "", "get", "-k", "-o", "no/such/directory", s.url("/hello")); r.code != curlWrite || !strings.Contains(r.stderr, "no/such/directory") {
		t.Errorf("%+v", r)
	}
}

// silentAddr returns an address where nobody answers.
func silentAddr(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

func TestGetErrors(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	perf := startServer(t, "perf", "serve", "--listen", "localhost:0")
	silent := silentAddr(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want []string // in the line on standard error
	}{
		{"untrusted", []string{s.url("/")}, curlUntrusted, []string{s.addr, "unknown authority", "--cacert FILE", "-k"}},
		{"another protocol", []string{"-k", "--http3-only", "https://" + perf.addr}, curlTLS, []string{perf.addr, "not this protocol"}},
		{"nobody there", []string{"-k", "--http3-only", "-m", "0.2", "https://" + silent}, curlTimeout, []string{silent, "not done after 200ms: no connection yet (is a server listening on this UDP port?)"}},
		{"too slow", []string{"-k", "--max-time", "200ms", s.url("/slow?ms=600000")}, curlTimeout, []string{"ms=600000: not done after 200ms\n"}},
		{"status", []string{"-k", "--fail", s.url("/slow")}, exitHTTPStatus, []string{"the server answered 400 Bad Request"}},
		{"silent", []string{"-k", "-s", "-f", s.url("/slow")}, exitHTTPStatus, nil},
		{"silent but", []string{"-k", "-sS", "-f", s.url("/slow")}, exitHTTPStatus, []string{"400"}},
		{"no file to send", []string{"-k", "-d", "@/no/such/file", s.url("/echo")}, curlRead, []string{"/no/such/file"}},
		{"no such host", []string{"-k", "https://host.invalid/"}, curlResolve, []string{"host.invalid/: lookup host.invalid"}},
		{"no such port", []string{"https://127.0.0.1:70000/"}, curlURL, []string{"there is no port 70000"}},
		{"no such family", []string{"-k", "-6", "https://127.0.0.1/"}, curlResolve, []string{"https://127.0.0.1/: "}},
		{"bad method", []string{"-k", "-X", "A B", s.url("/")}, exitFailure, []string{"method"}},
		{"bad header", []string{"-k", "-H", "a b: c", s.url("/")}, exitFailure, []string{"field name"}},
		{"no CA file", []string{"--cacert", "/no/such/file", s.url("/")}, curlCAFile, []string{"--cacert", "/no/such/file"}},
		{"CA file without any", []string{"--cacert", text, s.url("/")}, curlCAFile, []string{text, "no certificate"}},
	} {
		r := godwit(t, "", append([]string{"get"}, tt.args...)...)
		lines := 1
		if tt.want == nil {
			lines = 0
		}
		if r.code != tt.code || r.stdout != "" || strings.Count(r.stderr, "\n") != lines {
			t.Errorf("%s: %+v", tt.name, r)
		}
		for _, want := range tt.want {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%s: %q lacks %q", tt.name, r.stderr, want)
			}
		}
	}
	// One of several fails: the others arrive, and the exit code tells.
	r := godwit(t, "", "get", "-k", "-f", s.url("/hello"), s.url("/nothing"), s.url("/hello"))
	if r.code != exitHTTPStatus || strings.Count(r.stdout, "Hello") != 2 {
		t.Errorf("%+v", r)
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"fly"}, `unknown command "fly"`},
		{[]string{"gett"}, `unknown command "gett" for "godwit"; did you mean get? (godwit --help tells more)`},
		{[]string{"version", "here"}, "what is \"here\" for?"},
		{[]string{"serve", "a", "b"}, "another directory for all names"},
		{[]string{"serve", "a=b", "A=c"}, "another directory for a"},
		{[]string{"serve", "a="}, "names no directory"},
		{[]string{"serve", "--spa"}, "--spa is for a directory"},
		{[]string{"serve", "--log", "xml", "."}, "--log must be"},
		{[]string{"serve", "--immutable", "assets", "."}, "begins with a slash"},
		{[]string{"serve", "-H", "nonsense", "."}, "is not a header"},
		{[]string{"serve", "--port", "1"}, "unknown flag: --port; did you mean --listen? (godwit serve --help tells more)"},
		{[]string{"get", "--insecur", "https://host/"}, "unknown flag: --insecur; did you mean --insecure? (godwit get"},
		{[]string{"get", "--verbos", "https://host/"}, "did you mean --verbose?"},
		{[]string{"get", "--timeout", "1", "https://host/"}, "did you mean --max-time?"},
		{[]string{"get", "--http1", "https://host/"}, "did you mean --http1.1?"},
		{[]string{"get", "--nonsense", "https://host/"}, "unknown flag: --nonsense (godwit get"},
		{[]string{"get", "-y", "https://host/"}, "unknown flag: -y (godwit get"},
		{[]string{"get", "-o", "a", "-o", "b", "https://host/"}, "more files to write (2) than URLs (1)"},
		{[]string{"get", "-O", "https://host/"}, "no file name for -O"},
		{[]string{"get", "-H", "nonsense", "https://host/"}, "is not a header"},
		{[]string{"get", "-d", "@-", "https://host/a", "https://host/b"}, "one URL only"},
		{[]string{"get", "-d", "x", "--json", "{}", "https://host/"}, "cannot be combined"},
		{[]string{"get", "-I", "-d", "x", "https://host/"}, "-I sends no data"},
		{[]string{"get", "--repeat", "2", "-o", "a", "https://host/"}, "same file several times"},
		{[]string{"get", "--repeat", "2", "-d", "@-", "https://host/"}, "standard input several times"},
		{[]string{"get", "--parallel-max", "-1", "https://host/"}, "must not be negative"},
		{[]string{"get", "--http1.1", "--http2", "https://host/"}, "cannot be combined"},
		{[]string{"get", "--max-time", "soon", "https://host/"}, "neither a number of seconds"},
		{[]string{"perf", "run", "host:1"}, "needs --download, --upload or --duration"},
		{[]string{"perf", "run", "host:1", "--download", "much"}, "is not a number of bytes"},
	} {
		r := godwit(t, "", tt.args...)
		if r.code != exitUsage || !strings.Contains(r.stderr, tt.want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: %+v, want %q", tt.args, r, tt.want)
		}
	}
}

// TestHeaders: the headers given replace the command's own, and add up.
func TestHeaders(t *testing.T) {
	o := &getOptions{getRequest: getRequest{
		data:    []datum{{dataPlain, "x"}},
		headers: []string{"accept: a", "Accept: b", "User-Agent:", "host: other", "X-Time: 1:2"},
	}}
	plans, err := o.plan([]string{"https://host/"})
	if err != nil {
		t.Fatal(err)
	}
	p := plans[0]
	if got := p.header.Values("Accept"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Accept %q", got)
	}
	if agent, ok := p.header["User-Agent"]; !ok || len(agent) > 0 {
		t.Errorf("User-Agent %q, %v", agent, ok)
	}
	if p.host != "other" || p.header.Get("X-Time") != "1:2" || p.method != "POST" || p.header.Get("Content-Type") == "" {
		t.Errorf("%+v", p)
	}
}

func TestFlagValues(t *testing.T) {
	for text, want := range map[string]size{"0": 0, "1000": 1000, "1k": 1 << 10, "64KiB": 64 << 10, "16M": 16 << 20, "1GB": 1 << 30, "2TiB": 2 << 40} {
		var got size
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "M", "-1", "1.5G", "1X", "KM1", "9999999T", "99999999999999999999"} {
		var got size
		if err := got.Set(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
	for text, want := range map[string]time.Duration{"2": 2 * time.Second, "0.5": 500 * time.Millisecond, "1m": time.Minute} {
		var got seconds
		if err := got.Set(text); err != nil || time.Duration(got) != want || got.String() != want.String() {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	var got seconds
	if err := got.Set("-1"); err == nil {
		t.Errorf("-1: %v", got)
	}
}
