package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/load"
)

// TestLoad measures a server over every protocol.
func TestLoad(t *testing.T) {
	s := startServer(t, "serve", "--listen", "127.0.0.1:0")
	for _, tt := range []struct{ flag, protocol, streams string }{
		{"--http1", "HTTP/1.1", "1"}, {"--http2", "HTTP/2", "5"}, {"--http3", "HTTP/3", "5"},
	} {
		r := godwit(t, "", "load", "-k", "-c", "2", "-m", tt.streams, "-n", "50", "--json", tt.flag, s.url("/hello"))
		var result struct {
			Protocol  string             `json:"protocol"`
			Requests  int                `json:"requests"`
			Failed    int                `json:"failed"`
			Bytes     int                `json:"bytes"`
			PerSecond float64            `json:"requests_per_s"`
			Statuses  map[string]int     `json:"statuses"`
			Latency   map[string]float64 `json:"latency_us"`
			Histogram []struct {
				Count int `json:"count"`
			} `json:"histogram"`
		}
		if err := json.Unmarshal([]byte(r.stdout), &result); r.code != 0 || err != nil {
			t.Fatalf("%s: %d, %v, %s, %s", tt.flag, r.code, err, r.stdout, r.stderr)
		}
		drawn := 0
		for _, bar := range result.Histogram {
			drawn += bar.Count
		}
		if result.Protocol != tt.protocol || result.Requests != 50 || result.Failed != 0 || result.Statuses["200"] != 50 || drawn != 50 ||
			result.Bytes == 0 || result.PerSecond <= 0 || result.Latency["p50"] <= 0 || result.Latency["p99"] < result.Latency["p50"] {
			t.Errorf("%s: %s", tt.flag, r.stdout)
		}
	}
}

func TestLoadText(t *testing.T) {
	s := startServer(t, "serve", "--listen", "127.0.0.1:0")
	r := godwit(t, "", "load", "-k", "-m", "3", "-D", "200ms", "--warm-up-time", "50ms", "-d", "content", s.url("/digest"))
	for _, want := range []string{`(?m)^HTTP/3, 1 connection with 3 requests at a time each$`, `(?m)^\d+ requests in \S+: \d+/s, `, `(?m)^  status 200: \d+$`, `(?m)^latency +\d`, `(?m)^up to .*#`} {
		if !regexp.MustCompile(want).MatchString(r.stdout) || r.code != 0 {
			t.Errorf("exit code %d, no %s in\n%s%s", r.code, want, r.stdout, r.stderr)
		}
	}
}

func TestLoadFails(t *testing.T) {
	s := startServer(t, "serve", "--listen", "127.0.0.1:0")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-n", "1", s.url("/hello")}, exitFailure, "--cacert"},
		{[]string{"-k", "-n", "5", "-T", "50ms", s.url("/slow?ms=60000")}, exitFailure, ""},
		{[]string{"-k", "-n", "5", "--timeout", "50ms", s.url("/slow?ms=60000")}, exitFailure, "5 requests failed"},
		{[]string{"-k", "-n", "3", s.url("/nothing")}, exitFailure, "3 requests failed"},
		{[]string{"-k", "-n", "1", "-i", "/does/not/exist", s.url("/hello")}, exitUsage, "does/not/exist"},
		{[]string{"-k", "-n", "1", "-r", "-1", s.url("/hello")}, exitUsage, "-r and -t"},
		{[]string{"-k", "-n", "1", "--connect-to", "x", s.url("/hello")}, exitUsage, "not a host and a port"},
		{[]string{"-k", "-n", "1", "--compare", "/does/not/exist", s.url("/hello")}, exitFailure, "--compare /does/not/exist"},
		{[]string{"-k", s.url("/hello")}, exitUsage, "requests, -n, or"},
		{[]string{"-k", "-n", "1", "--http1", "--http2", s.url("/hello")}, exitUsage, "combined"},
		{[]string{"-k", "-n", "1", "--http1", "-m", "2", s.url("/hello")}, exitUsage, "-c instead of -m"},
		{[]string{"-k", "-n", "1", "-c", "0", s.url("/hello")}, exitUsage, "-c and -m"},
		{[]string{"-k", "-n", "1", "http://127.0.0.1:1/"}, exitUsage, "https only"},
		{[]string{"-k", "-n", "1", "-d", "@/does/not/exist", s.url("/")}, exitUsage, "does/not/exist"},
	} {
		r := godwit(t, "", append([]string{"load"}, tt.args...)...)
		if r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("%v: %d, %q", tt.args, r.code, r.stderr)
		}
	}
}

// TestLoadSummary: there is a summary whatever happens, and it can be compared with.
func TestLoadSummary(t *testing.T) {
	s := startServer(t, "serve", "--listen", "127.0.0.1:0")
	r := godwit(t, "", "load", "-k", "-n", "2", "--timeout", "20ms", s.url("/slow?ms=60000"))
	if !strings.Contains(r.stdout, "2 started, 0 done, 0 succeeded, 2 failed, 2 errored, 2 timed out") {
		t.Errorf("%+v", r)
	}
	if r = godwit(t, "", "load", "-n", "2", s.url("/hello")); !strings.Contains(r.stdout, "0 done, 0 succeeded, 2 failed, 2 errored, 0 timed out") {
		t.Errorf("without a connection: %+v", r)
	}
	before := filepath.Join(t.TempDir(), "before")
	r = godwit(t, "", "load", "-k", "-n", "20", "-t", "1", "--format", "json", s.url("/hello"))
	if err := os.WriteFile(before, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.addr)
	r = godwit(t, "/hello\nhttps://other.test/slow?ms=0\n", "load", "-k", "-n", "20", "-c", "2", "-r", "1000", "-i", "-", "--connect-to", "127.0.0.1:"+port,
		"--compare", before, "https://localhost")
	if r.code != exitOK || !strings.Contains(r.stdout, "20 succeeded, 0 failed") || !strings.Contains(r.stdout, "latency p99") || !strings.Contains(r.stdout, "before is HTTP/3, 1 connection with") {
		t.Errorf("%+v", r)
	}
	line := progressLine(load.Progress{Elapsed: 2 * time.Second, Done: 100, Failed: 1, Conns: 3}, &load.Options{Requests: 202})
	if line != "2s  100 requests, 50/s, 1 failed, 3 connections  50 %" {
		t.Errorf("%q", line)
	}
}
