package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

func TestPerf(t *testing.T) {
	s := startServer(t, "perf", "serve", "--listen", "localhost:0", "--window", "16MiB")
	r := godwit(t, "", "perf", "run", s.addr, "--download", "1MiB", "--upload", "512KiB",
		"--streams", "2", "--conns", "2", "--window", "16MiB", "--json")
	var got map[string]float64
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != exitOK {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, want := range map[string]float64{
		"bytes": 6 << 20, "download_bytes": 4 << 20, "upload_bytes": 2 << 20, "requests": 4, "conns": 2, "streams": 2,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v: %s", name, got[name], want, r.stdout)
		}
	}
	for _, name := range []string{"gbps", "cpu_s", "seconds"} {
		if got[name] <= 0 {
			t.Errorf("%s is %v: %s", name, got[name], r.stdout)
		}
	}
	r = godwit(t, "", "perf", "run", s.addr, "--duration", "50ms")
	if r.code != exitOK || !strings.Contains(r.stdout, "Gbit/s") {
		t.Errorf("%+v", r)
	}
	cert, _, _ := writePair(t, t.TempDir(), "other")
	r = godwit(t, "", "perf", "run", s.addr, "--download", "1", "--cacert", cert)
	if r.code != exitFailure || !strings.Contains(r.stderr, s.addr) || !strings.Contains(r.stderr, "give --cacert another FILE") {
		t.Errorf("%+v", r)
	}
}

// TestLogs: both sides of a connection have their qlog files, and the client's
// secrets are written.
func TestLogs(t *testing.T) {
	dir := t.TempDir()
	logs, secrets := filepath.Join(dir, "qlog"), filepath.Join(dir, "secrets")
	s := startServer(t, "serve", "--listen", "localhost:0", "--qlog-dir", logs)
	if r := godwit(t, "", "SSLKEYLOGFILE="+secrets, "get", "-k", "--qlog-dir", logs, s.url("/hello")); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	if data, err := os.ReadFile(secrets); err != nil || !strings.Contains(string(data), "CLIENT_TRAFFIC_SECRET_0 ") {
		t.Errorf("secrets %q, %v", data, err)
	}
	s.signals <- os.Interrupt
	if r := s.wait(); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	for _, side := range []string{"client", "server"} {
		files, err := filepath.Glob(filepath.Join(logs, "*_"+side+".sqlog"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %v, %v", side, files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range []string{"packet_sent", "packet_received", "recovery_metrics_updated", "connection_closed"} {
			if !strings.Contains(string(data), `"name":"quic:`+event+`"`) {
				t.Errorf("%s: no %s in %d bytes", side, event, len(data))
			}
		}
	}

	r := godwit(t, "", "SSLKEYLOGFILE="+dir, "get", "-k", s.url("/hello"))
	if r.code != exitFailure || !strings.Contains(r.stderr, "SSLKEYLOGFILE: ") {
		t.Errorf("%+v", r)
	}
}

func TestProfiles(t *testing.T) {
	dir := t.TempDir()
	cpu, memory := filepath.Join(dir, "cpu"), filepath.Join(dir, "memory")
	if r := godwit(t, "", "version", "--cpuprofile", cpu, "--memprofile", memory); r.code != exitOK {
		t.Fatalf("%+v", r)
	}
	for _, path := range []string{cpu, memory} {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	for _, flag := range []string{"--cpuprofile", "--memprofile"} {
		if r := godwit(t, "", "version", flag, dir); r.code != exitFailure || !strings.Contains(r.stderr, dir) {
			t.Errorf("%s: %+v", flag, r)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		r := godwit(t, "", arg)
		if words := strings.Fields(r.stdout); r.code != exitOK || len(words) != 4 || words[2] != runtime.Version() {
			t.Errorf("%s: %+v", arg, r)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"serve", "get", "wt", "cert", "perf", "version", "completion", "--qlog-dir"}},
		{[]string{"get", "--help"}, []string{"--request method", "--header \"Name: value\"", "--max-time seconds", "-o, --output file"}},
		{[]string{"completion", "--help"}, []string{"source <(godwit completion zsh)", "powershell"}},
		{[]string{"cert"}, []string{"make", "renew", "show"}},
		{[]string{"perf", "run", "--help"}, []string{"--download bytes", "--json"}},
	} {
		r := godwit(t, "", tt.args...)
		if r.code != exitOK {
			t.Errorf("%v: %+v", tt.args, r)
		}
		for _, want := range tt.want {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%v lacks %q:\n%s", tt.args, want, r.stdout)
			}
		}
		if strings.Contains(r.stdout, "profile") {
			t.Errorf("%v shows what is hidden", tt.args)
		}
	}
}

// TestCompletion: shells complete values, and show what flags are without marks.
func TestCompletion(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"wt", "--draft", ""}, "2\n7\n13\n15\n"}, {[]string{"wt", "--lines", "b"}, "bidi\n"}, {[]string{"load", "--format", ""}, "text\njson\n"},
		{[]string{"serve", "--ce"}, "--cert\tPEM file with a certificate and its chain\n"}, {[]string{"g"}, "get\tFetch over HTTP/3"},
	} {
		r := godwit(t, "", append([]string{"__complete"}, tt.args...)...)
		if r.code != exitOK || !strings.Contains(r.stdout, tt.want) {
			t.Errorf("%q: %+v", tt.args, r)
		}
	}
	if r := godwit(t, "", "completion", "bash"); r.code != exitOK || !strings.Contains(r.stdout, "__complete") {
		t.Errorf("%+v", r)
	}
}

// TestManual: each command has a page that has all of its flags, and no line of which is
// taken for a request by mistake.
func TestManual(t *testing.T) {
	dir := t.TempDir()
	if r := godwit(t, "", "manual", dir); r.code != exitOK || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	for _, name := range []string{"man1/godwit.1", "man1/godwit-get.1", "man1/godwit-perf-run.1", "completions/godwit.bash", "completions/_godwit", "completions/godwit.fish", "completions/godwit.ps1"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "man1", "godwit-get.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".SH NAME\ngodwit\\-get \\- Fetch over HTTP/3", "\n\\fB\\-w, \\-\\-write\\-out\\fR \\fIformat\\fR\n", "\n.SH EXAMPLES\n.nf\n", "\n.BR godwit (1)\n"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, line := range strings.Split(string(page), "\n") {
		if word, _, _ := strings.Cut(line, " "); strings.HasPrefix(line, ".") && !slices.Contains([]string{".TH", ".SH", ".B", ".BR", ".TP", ".PP", ".nf", ".fi"}, word) || strings.HasPrefix(line, "'") {
			t.Errorf("%q looks like a request", line)
		}
	}
	if got := roff(".x\n'y' a-b\\"); got != "\\&.x\n\\(aqy\\(aq a\\-b\\e" {
		t.Errorf("%q", got)
	}
}

// TestSignal interrupts a real process.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		peertest.LeaveOut(t, "interrupts of processes", "run it on another system than Windows")
	}
	for _, args := range [][]string{{"serve"}, {"perf", "serve"}} {
		cmd := exec.Command(os.Args[0], append(args, "--listen", "localhost:0")...)
		cmd.Env = append(os.Environ(), "GODWIT_TEST_RUN_MAIN=1")
		cmd.Stderr = os.Stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		for i := 0; i < 2 && lines.Scan(); i++ {
			t.Log(lines.Text())
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		for lines.Scan() {
			t.Errorf("%v: unexpected line %q", args, lines.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}
