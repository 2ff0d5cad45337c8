package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/wtclient"
)

// wtEvent is a line of godwit wt --json.
type wtEvent struct {
	Event       string            `json:"event"`
	Draft       int               `json:"draft"`
	Subprotocol string            `json:"subprotocol"`
	Kind        string            `json:"kind"`
	Text        string            `json:"text"`
	Base64      string            `json:"base64"`
	Bytes       int               `json:"bytes"`
	Code        uint32            `json:"code"`
	Reason      string            `json:"reason"`
	Sent        map[string]uint64 `json:"sent"`
	Received    map[string]uint64 `json:"received"`
	Ping        *struct {
		Sent        int                `json:"sent"`
		Back        int                `json:"back"`
		Lost        int                `json:"lost"`
		LossPercent float64            `json:"loss_percent"`
		RTT         map[string]float64 `json:"rtt_ms"`
	} `json:"ping"`
}

// wtRun is a godwit wt --json under way, whose standard input is open.
type wtRun struct {
	t       *testing.T
	stdin   *io.PipeWriter
	signals chan os.Signal
	events  *bufio.Scanner
	code    chan int
	stderr  lockedBuffer
}

func startWT(t *testing.T, args ...string) *wtRun {
	t.Helper()
	r := &wtRun{t: t, signals: make(chan os.Signal, 1), code: make(chan int, 1)}
	input, stdin := io.Pipe()
	output, stdout := io.Pipe()
	r.stdin, r.events = stdin, bufio.NewScanner(output)
	a := &app{
		stdin: input, stdout: stdout, stderr: &r.stderr,
		getenv: func(string) string { return "" }, signals: r.signals,
	}
	go func() {
		r.code <- a.run(append([]string{"wt", "-k", "--json", "--timeout", "30s"}, args...))
		stdout.Close()
	}()
	return r
}

// next returns the next event, which must be one of those wanted.
func (r *wtRun) next(wanted ...string) wtEvent {
	r.t.Helper()
	if !r.events.Scan() {
		r.t.Fatalf("no more events, want %v: %s", wanted, r.stderr.String())
	}
	var e wtEvent
	if err := json.Unmarshal(r.events.Bytes(), &e); err != nil {
		r.t.Fatalf("%q: %v", r.events.Text(), err)
	}
	for _, want := range wanted {
		if e.Event == want {
			return e
		}
	}
	r.t.Fatalf("%q, want one of %v", r.events.Text(), wanted)
	return e
}

// end reads the summary and returns it with the exit code.
func (r *wtRun) end() (wtEvent, int) {
	r.t.Helper()
	e := r.next("summary")
	if r.events.Scan() {
		r.t.Errorf("%q after the summary", r.events.Text())
	}
	return e, <-r.code
}

// TestWT sends everything there is and sees it come back.
func TestWT(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	r := startWT(t, "--datagram", "one", "--bidi", "two", "--uni", "three", "--lines", "datagram", "--wait", "0s", s.url("/wt/echo"))
	if e := r.next("open"); e.Draft != 15 {
		t.Errorf("%+v", e)
	}
	want := map[string]string{"datagram": "one", "data answer": "two", "data uni": "three", "end answer": "", "end uni": ""}
	for len(want) > 0 {
		e := r.next("datagram", "data", "end")
		key := strings.TrimSpace(e.Event + " " + e.Kind)
		if text, ok := want[key]; !ok || e.Text != text {
			t.Errorf("%+v, want one of %v", e, want)
		}
		delete(want, key)
	}
	_, _ = io.WriteString(r.stdin, "typed\n")
	if e := r.next("datagram"); e.Text != "typed" {
		t.Errorf("%+v", e)
	}
	_, _ = io.WriteString(r.stdin, "\xff\xfe\n")
	if e := r.next("datagram"); e.Base64 != "//4=" || e.Bytes != 2 {
		t.Errorf("%+v", e)
	}
	r.stdin.Close()
	e, code := r.end()
	if code != exitOK || e.Sent["datagrams"] != 3 || e.Sent["streams"] != 2 || e.Sent["bytes"] != 18 ||
		e.Received["datagrams"] != 3 || e.Received["streams"] != 1 || e.Received["bytes"] != 18 {
		t.Errorf("exit code %d, %+v", code, e)
	}
}

// TestWTLines sends lines by streams, whose answers are waited for.
func TestWTLines(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	r := godwit(t, "a\nb\n", "wt", "-k", "--lines", "bidi", "--wait", "0s", s.url("/wt/echo"))
	for _, want := range []string{"open      at 127.0.0.1:", "answer 4  a\n", "answer 4  ends after 1 byte\n", "answer 8  b\n",
		"summary   sent 0 datagrams and 2 streams with 2 bytes, received "} {
		if r.code != exitOK || !strings.Contains(r.stdout, want) {
			t.Errorf("%+v lacks %q", r, want)
		}
	}
	r = godwit(t, "", "wt", "-k", "-q", "--bidi", "as it is\n", "--wait", "0s", s.url("/wt/echo"))
	if r.code != exitOK || r.stdout != "as it is\n" || r.stderr != "" {
		t.Errorf("%+v", r)
	}
}

// TestWTPush shows what the server sends, asked for in every draft.
func TestWTPush(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	for flag, draft := range map[string]int{"2": 2, "7": 7, "13": 13, "15": 15, "0": 15} {
		r := startWT(t, "--draft", flag, "--wait", "0s", s.url("/wt/push"))
		if e := r.next("open"); e.Draft != draft {
			t.Errorf("--draft %s: %+v", flag, e)
		}
		for kinds := map[string]bool{"": true, "uni": true, "bidi": true}; len(kinds) > 0; {
			e := r.next("datagram", "data", "end")
			if e.Event != "end" && e.Text != "hello" || e.Event == "end" && e.Bytes != 5 {
				t.Errorf("--draft %s: %+v", flag, e)
			}
			if e.Event != "data" { // a stream counts when it has ended
				delete(kinds, e.Kind)
			}
		}
		r.stdin.Close()
		if e, code := r.end(); code != exitOK || e.Received["bytes"] != 15 {
			t.Errorf("--draft %s: exit code %d, %+v", flag, code, e)
		}
	}
}

func TestWTPing(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	r := startWT(t, "--count", "20", "--interval", "1ms", "--size", "100", "--wait", "5s", s.url("/wt/echo"))
	r.next("open")
	e := r.next("reply", "summary")
	for ; e.Event == "reply"; e = r.next("reply", "summary") {
		if e.Bytes != 100 {
			t.Errorf("%+v", e)
		}
	}
	p, code := e.Ping, <-r.code
	if code != exitOK || p == nil || p.Sent != 20 || p.Back == 0 || p.Lost != p.Sent-p.Back ||
		p.RTT["min"] <= 0 || p.RTT["p50"] < p.RTT["min"] || p.RTT["p90"] < p.RTT["p50"] || p.RTT["max"] < p.RTT["p99"] {
		t.Errorf("exit code %d, %+v", code, p)
	}
	text := godwit(t, "", "wt", "-k", "-q", "-c", "3", "-i", "1ms", "--wait", "5s", s.url("/wt/echo"))
	if text.code != exitOK || !strings.Contains(text.stdout, "3 datagrams of 32 bytes sent, ") || !strings.Contains(text.stdout, "\nround trip: min ") {
		t.Errorf("%+v", text)
	}
	text = godwit(t, "", "wt", "-k", "-c", "2", "-i", "1ms", "--wait", "20ms", s.url("/wt/chat"))
	if text.code != exitFailure || !strings.Contains(text.stdout, "0 came back, 100.0 % lost") || !strings.Contains(text.stderr, "/wt/echo") {
		t.Errorf("%+v", text)
	}
}

// TestWTEnds: every way to end has its exit code and its words.
func TestWTEnds(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	for _, tt := range []struct {
		path           string
		args           []string
		code           int
		stdout, stderr string // contained in them
	}{
		{"/wt/close?code=0", nil, exitOK, "closed    by the server with code 0\n", ""},
		{"/wt/close?code=7&reason=so%20long", nil, exitClosed, "closed    by the server with code 7: so long\n", "the server closed the session with code 7: so long\n"},
		{"/wt/close?code=4294967295", []string{"--stream"}, exitClosed, "", "with code 4294967295\n"},
		{"/wt/reject?status=404", nil, exitHTTPStatus, "", "refused the session with status 404 Not Found: refused, as you asked\n"},
		{"/hello", nil, exitHTTPStatus, "", "refused the session with status 405 Method Not Allowed\n"},
		{"/wt/chat", []string{"-m", "100ms"}, exitFailure, "summary", "not done after 100ms\n"},
		{"/wt/echo", []string{"--count", "1000", "--interval", "50ms", "-m", "1500ms"}, exitFailure, "round trip", "not done after 1.5s\n"},
		{"/wt/echo", []string{"--count", "0", "--interval", "50ms", "-m", "1500ms"}, exitOK, "round trip", ""},
		{"/wt/drain", []string{"-m", "100ms"}, exitFailure, "draining  the server asks to end the session soon\n", "not done after 100ms\n"},
		{"/wt/echo", []string{"--datagram", strings.Repeat("x", 5000)}, exitFailure, "", "5000 bytes do not fit into a datagram"},
		{"/wt/echo", []string{"-c", "1", "--size", "5000"}, exitFailure, "", "5000 bytes do not fit into a datagram"},
		{"/wt/subprotocol", []string{"--subprotocol", "a", "--subprotocol", "b", "--wait", "0s"}, exitOK, "-15, subprotocol b, ", ""},
	} {
		r := godwit(t, "", append([]string{"wt", "-k", "--wait", "1m", s.url(tt.path)}, tt.args...)...)
		if r.code != tt.code || !strings.Contains(r.stdout, tt.stdout) || !strings.Contains(r.stderr, tt.stderr) || tt.stderr == "" && r.stderr != "" {
			t.Errorf("%s: %+v, want %+v", tt.path, r, tt)
		}
	}
}

// TestWTNoServer: an attempt to open a session ends when time is up.
func TestWTNoServer(t *testing.T) {
	url := "https://" + silentAddr(t) + "/"
	if r := godwit(t, "", "wt", "-k", "-m", "100ms", url); r.code != exitFailure || !strings.Contains(r.stderr, url+": not done after 100ms: no session yet (is a server listening on this UDP port?)\n") {
		t.Errorf("%+v", r)
	}
}

// TestWTInterrupt: an interrupt ends a session with its summary. For an endless
// ping that is no failure.
func TestWTInterrupt(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	r := startWT(t, "--datagram", "hello", "--lines", "datagram", s.url("/wt/echo"))
	r.next("open")
	r.next("datagram")
	r.signals <- os.Interrupt
	if e, code := r.end(); code != exitInterrupted || e.Received["datagrams"] != 1 {
		t.Errorf("exit code %d, %+v", code, e)
	}
	r = startWT(t, "--interval", "1ms", s.url("/wt/echo"))
	r.next("open")
	r.next("reply")
	r.signals <- os.Interrupt
	e := r.next("reply", "summary")
	for e.Event == "reply" {
		e = r.next("reply", "summary")
	}
	if code := <-r.code; code != exitOK || e.Ping == nil || e.Ping.Back == 0 {
		t.Errorf("exit code %d, %+v", code, e)
	}
}

// TestWTStream pipes through one stream.
func TestWTStream(t *testing.T) {
	s := startServer(t, "serve", "--listen", "localhost:0")
	data := strings.Repeat("0123456789", 100_000)
	if r := godwit(t, data, "wt", "-k", "--stream", s.url("/wt/echo")); r.code != exitOK || r.stdout != data || r.stderr != "" {
		t.Errorf("exit code %d, %d bytes, %q", r.code, len(r.stdout), r.stderr)
	}
}

// TestWTCertificate: a session needs a reason to trust the server.
func TestWTCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, _, flags := certPaths(dir)
	saveCert(t, dir, 0)
	s := startServer(t, append([]string{"serve", "--listen", "localhost:0"}, flags...)...)
	other := strings.Repeat("0", 64)
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--cert-hash", s.hash}, exitOK, ""},
		{[]string{"--cert-hash", other, "--cert-hash", strings.ToUpper(s.hash[:2]) + ":" + s.hash[2:]}, exitOK, ""},
		{[]string{"--cacert", cert}, exitOK, ""},
		{nil, exitFailure, "use --cert-hash with its SHA-256"},
		{[]string{"--cert-hash", other}, exitFailure, "has none of the hashes given"},
	} {
		r := godwit(t, "", append([]string{"wt", "--wait", "0s", s.url("/wt/echo")}, tt.args...)...)
		if r.code != tt.code || !strings.Contains(r.stderr, tt.want) || tt.want == "" && r.stderr != "" {
			t.Errorf("%v: %+v", tt.args, r)
		}
	}
}

// TestWTUsage: what makes no sense is refused before anything is sent.
func TestWTUsage(t *testing.T) {
	const url = "https://localhost:1/"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "needs one URL, like https://localhost:4433/wt/echo (godwit wt --help tells more)"},
		{[]string{url, url}, "needs one URL"},
		{[]string{"http://localhost/"}, "https only"},
		{[]string{url, "--draft", "3"}, "--draft must be 2, 7, 13 or 15"},
		{[]string{url, "--lines", "streams"}, `not "streams"`},
		{[]string{url, "--cert-hash", "abc"}, "64 hexadecimal digits"},
		{[]string{url, "--cert-hash", strings.Repeat("0", 64), "-k"}, "only one"},
		{[]string{url, "--count", "1", "--datagram", "x"}, "datagrams of their own"},
		{[]string{url, "--interval", "1s", "--stream"}, "datagrams of their own"},
		{[]string{url, "--stream", "--bidi", "x"}, "sends nothing else"},
		{[]string{url, "--stream", "--json"}, "nothing but the answer"},
		{[]string{url, "--json", "-q"}, "cannot be combined"},
		{[]string{url, "--count", "-1"}, "must not be negative"},
		{[]string{url, "--size", "31"}, "at least 32"},
		{[]string{url, "-H", "nonsense"}, "not a header"},
		{[]string{url, "-H", "Host: x"}, "is its URL's"},
	} {
		r := godwit(t, "", append([]string{"wt"}, tt.args...)...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%v: %+v, want %q", tt.args, r, tt.want)
		}
	}
}

// TestWTHeader: --origin and -H go into the request.
func TestWTHeader(t *testing.T) {
	opts := wtOptions{origin: "https://example.com", headers: []string{"x-token: 7"}, lines: "uni", size: wtclient.MinPingSize}
	target, header, err := opts.check("localhost/wt")
	if err != nil || target.String() != "https://localhost/wt" || header.Get("Origin") != "https://example.com" || header.Get("X-Token") != "7" {
		t.Errorf("%v, %v, %v", target, header, err)
	}
}
