package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/attack"
)

// list runs the command and returns what it printed.
func list(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(context.Background(), args, &out)
	return out.String(), err
}

func TestList(t *testing.T) {
	all, err := list(t, "-list")
	if err != nil || strings.Count(all, "\n") != len(attack.Rows()) {
		t.Errorf("%v, %d rows listed of %d", err, strings.Count(all, "\n"), len(attack.Rows()))
	}
	some, err := list(t, "-list", "-run", "^ack-never$")
	if err != nil || strings.Count(some, "\n") != 1 || !strings.HasPrefix(some, "ack-never ") {
		t.Errorf("%v, %q", err, some)
	}
	byClass, err := list(t, "-list", "-run", "^CRYPTO buffering$")
	if err != nil || !strings.Contains(byClass, "crypto-gap") {
		t.Errorf("%v, %q", err, byClass)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-list", "-run", "("}, {"-list", "-run", "no such row"}, {"-list", "more"}, {"-time", "1h", "-list"}, {"-time", "1s", "-list"},
		{"-attacker", "no such row", "-addr", "127.0.0.1:1"}, {"-attacker", "pings", "-addr", "nowhere"},
	} {
		if _, err := list(t, args...); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// TestAttacker: the process that attacks reports what it did, also when it could not.
func TestAttacker(t *testing.T) {
	nobody, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	out, err := list(t, "-attacker", "ack-optimistic", "-addr", nobody.LocalAddr().String(), "-time", "3s")
	var end outcome
	if err != nil || json.Unmarshal([]byte(out), &end) != nil {
		t.Fatalf("%v, %q", err, out)
	}
	if end.Error == "" || end.Packets == 0 {
		t.Errorf("%+v", end)
	}
}

// TestJudge: each reason to fail is found, and nothing else.
func TestJudge(t *testing.T) {
	p := new(plan)
	for name, test := range map[string]struct {
		change func(r *result)
		want   string
	}{
		"nothing":      {func(*result) {}, ""},
		"old request":  {func(r *result) { r.Old.Failed = 1 }, "1 of 3 honest requests failed"},
		"new request":  {func(r *result) { r.New.Failed, r.New.Error = 1, "reset" }, "1 of 3 honest requests failed (reset)"},
		"memory":       {func(r *result) { r.Peak = maxMemory }, "memory reached 150 MB"},
		"CPU time":     {func(r *result) { r.CPU = time.Minute }, "60.00 s of CPU time"},
		"broken rule":  {func(r *result) { r.Report.Broken = []string{"too much"} }, "too much"},
		"busy machine": {func(r *result) { r.New.Failed, r.Waited = 1, time.Second }, "the server waited 1.0 s"},
	} {
		r := result{Old: latencies{All: 2}, New: latencies{All: 1}, Elapsed: time.Second, Peak: 20, CPU: time.Millisecond}
		test.change(&r)
		p.judge(&r, nil)
		switch got := strings.Join(r.Failures, "; "); {
		case test.want == "" && got != "":
			t.Errorf("%s: %q", name, got)
		case len(r.Failures) > 1 || !strings.Contains(got, test.want):
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestTable prints and writes a result that failed.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	tab := newTable(&out, &plan{duration: 4 * time.Second, load: "0.5", theirs: []int{1}})
	tab.add(&result{
		Name: "pings", Report: attack.Report{Packets: 1_234_567, Bytes: 12_345, Note: "a|b"}, Before: 14, Peak: 200, After: 20,
		CPU: 2 * time.Second, CPUPerPacket: 4 * time.Microsecond, LogLines: 11,
		Old: latencies{All: 90, Failed: 1, Median: time.Millisecond, P90: 2 * time.Millisecond, Most: 3 * time.Second}, Failures: []string{"too much"},
	})
	tab.end()
	for _, want := range []string{"1.23M, 12.3kB", "14/200/20", "2.00 s, 4 µs", "1/90 1 2 3e+03", "11 lines logged", "FAILED pings: too much", "load average before 0.5"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, out.String())
		}
	}
	dir := t.TempDir()
	asJSON, markdown := filepath.Join(dir, "out", "a.json"), filepath.Join(dir, "a.md")
	if err := tab.write(asJSON, markdown); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(asJSON)
	var back []result
	if err != nil || json.Unmarshal(data, &back) != nil || len(back) != 1 || back[0].Peak != 200 {
		t.Errorf("%v, %s", err, data)
	}
	data, err = os.ReadFile(markdown)
	if err != nil || !strings.Contains(string(data), `| a\|b; 11 lines logged | **failed**: too much |`) {
		t.Errorf("%v, %s", err, data)
	}
}

// TestHonestTally: percentiles.
func TestHonestTally(t *testing.T) {
	tl := tally{took: []time.Duration{3, 1, 2, 10, 4, 5, 6, 7, 8, 9}, failed: 2}
	if got, want := tl.short(), (latencies{All: 10, Failed: 2, Median: 6, P90: 10, Most: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := new(tally).short(); got != (latencies{}) {
		t.Errorf("%+v of nothing", got)
	}
}
