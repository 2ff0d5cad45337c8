package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	r := godwit(t, "", "version")
	if words := strings.Fields(r.stdout); r.code != exitOK || len(words) != 4 || words[2] != runtime.Version() {
		t.Errorf("%+v", r)
	}
}

func TestHelp(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"serve", "get", "wt", "cert", "perf", "version", "--qlog-dir"}},
		{[]string{"get", "--help"}, []string{"--request method", "--header \"Name: value\"", "--max-time seconds", "-o, --output file"}},
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
