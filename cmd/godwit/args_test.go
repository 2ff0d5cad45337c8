package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongUsage: a command line that cannot be meant gets one line that says
// what is wrong with it, and nothing is tried.
func TestWrongUsage(t *testing.T) {
	const url = "https://127.0.0.1:1/"
	for _, tt := range []struct {
		line string
		want string // in standard error
	}{
		{"get", "get needs a URL, like https://localhost:4433/"},
		{"load", "load needs one URL, like https://localhost:4433/hello"},
		{"load " + url + " " + url, "not 2 arguments"},
		{"perf run", "perf run needs the address of a server, like localhost:4433"},
		{"perf serve localhost:1", "perf serve takes no arguments"},
		{"cert mak", `unknown command "mak" for "godwit cert"; did you mean make? (godwit cert --help tells more)`},
		{"perf srve --listen x", `unknown command "srve" for "godwit perf"; did you mean serve?`},
		{"completion cmd", `unknown command "cmd" for "godwit completion" (`},
		{"serve --cors example.com .", "--cors example.com: an origin is a scheme and a host"},
		{"serve --cors https://example.com/ .", "--cors https://example.com/: an origin is a scheme and a host"},
		{"version now", "version takes no arguments"},
		{"cert renew now", "cert renew takes no arguments"},
		{"perf run localhost:1", "needs --download, --upload or --duration"},
		{"perf run localhost:1 --download 1 --duration -1s", "--duration must not be negative"},
		{"perf run localhost:1 --download 1 --conns 0", "--conns and --streams must be 1 at least"},
		{"perf run localhost:1 --download 1 --streams -1", "--conns and --streams must be 1 at least"},
		{"perf run localhost:1 --download 1 --conns 99999999", "--conns 99999999 is too many connections: 20000 at most"},
		{"perf run localhost:1 --download 1 --streams 99999999", "--streams 99999999 is too many on a connection: 10000 at most"},
		{"perf run localhost:1 --download 999999999999TiB", `"999999999999TiB" is more bytes than QUIC can count`},
		{"load -n 1 -c 0 " + url, "-c and -m must be 1 at least"},
		{"load -n 1 -c 99999999 " + url, "-c 99999999 is too many connections: 20000 at most"},
		{"load -n 1 -m 99999999 " + url, "-m 99999999 is too many on a connection: 10000 at most"},
		{"load -n 1 -c 20000 -m 10000 " + url, "-c times -m is 200000000, too many at once: 1000000 at most"},
		{"load -n -1 " + url, "-n must not be negative"},
		{"get -m 99999999999 " + url, `"99999999999" is a longer time than 292 years`},
		{"get -m -1 " + url, "neither a number of seconds nor a duration"},
	} {
		r := godwit(t, "", strings.Fields(tt.line)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, tt.want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want %q", tt.line, r, tt.want)
		}
	}
}

// TestQlogDirError: a directory that cannot be had is told before anything starts.
func TestQlogDirError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := godwit(t, "", "serve", "--listen", "localhost:0", "--qlog-dir", file)
	if r.code != exitFailure || r.stdout != "" || !strings.Contains(r.stderr, "--qlog-dir: mkdir "+file) {
		t.Errorf("%+v", r)
	}
}

// TestListenAddress: an address that is none gets an example of one.
func TestListenAddress(t *testing.T) {
	for _, line := range []string{"serve --listen 4433", "perf serve --listen 4433", "perf run 4433 --download 1"} {
		r := godwit(t, "", strings.Fields(line)...)
		if r.code != exitFailure || !strings.Contains(r.stderr, "4433: missing port in address (an address is a host and a port, like localhost:4433)") {
			t.Errorf("%s: %+v", line, r)
		}
	}
}

// TestListenTaken: of a port that is taken, one remedy is told.
func TestListenTaken(t *testing.T) {
	s := startServer(t, "perf", "serve", "--listen", "localhost:0")
	r := godwit(t, "", "perf", "serve", "--listen", s.addr)
	if r.code != exitFailure || !strings.Contains(r.stderr, s.addr) || !strings.Contains(r.stderr, "another port") || strings.Count(r.stderr, "(") != 1 {
		t.Errorf("%+v", r)
	}
}
