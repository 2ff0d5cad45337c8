package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// fakeResults are results with a peer that failed in one round and one that
// never worked.
func fakeResults() []*result {
	return []*result{{
		workload: bulkWorkloads[0],
		rows: []*row{
			{peer: floorPeer, samples: [][]float64{{9, 0.5, 0.5}}},
			{peer: perfPeers[0], samples: [][]float64{{5, 1.2, 1}, {4, 1, 1}, {6, 1.1, 1}}},
			{peer: perfPeers[1], samples: [][]float64{{2, 2.2, 1}, {2.5, 2.4, 1}}, failures: []string{"it was tired"}},
			{peer: perfPeers[2], failures: []string{"no end", "no end"}},
		},
	}}
}

func TestTable(t *testing.T) {
	var lines []string
	for _, line := range fakeResults()[0].table() {
		lines = append(lines, strings.Join(line, " | "))
	}
	want := []string{
		"server | Gbit/s | server CPU, s/GiB | × Godwit's | client CPU, s/GiB",
		floorPeer.name + " | 9.00 | 0.500 | 0.455 | 0.500",
		"Godwit | 5.00 (4.00–6.00) | 1.10 (1.00–1.20) | 1.00 | 1.00",
		"quic-go | 2.25 (2.00–2.50) | 2.30 (2.20–2.40) | 2.09 | 1.00",
		"x/net/quic | failed | failed |  | failed",
	}
	if got, want := strings.Join(lines, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := writeMarkdown(&b, environment{machine: "Machine: this one."}, fakeResults()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n## Bulk over QUIC, 1 connection, 1 stream\n",
		"\n|---|--:|--:|--:|--:|\n",
		"\nquic-go failed in 1 of 3 rounds: it was tired\n",
		"\n- Machine: this one.\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := writeJSON(&b, environment{}, fakeResults()); err != nil {
		t.Fatal(err)
	}
	var got struct{ Results []jsonResult }
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 1 || len(got.Results[0].Rows) != 4 || len(got.Results[0].Rows[1].Samples) != 3 {
		t.Errorf("%+v", got)
	}
}

func TestChart(t *testing.T) {
	ps := panels(fakeResults())
	if len(ps) != 2 || len(ps[0].bars) != 3 || ps[0].bars[2].name != "floor" || !ps[0].bars[1].own {
		t.Errorf("panels %+v", ps)
	}
	for _, results := range [][]*result{nil, fakeResults()} {
		var b bytes.Buffer
		if err := writeChart(&b, results); err != nil {
			t.Fatal(err)
		}
		for dec := xml.NewDecoder(&b); ; {
			if _, err := dec.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFormat(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.001: "0.0010", 0.5: "0.500", 1: "1.00", 12.345: "12.3", 99.96: "100.0",
		123.4: "123", 1234.5: "1,234", 1234567: "1,234,567", -1234: "-1,234",
	} {
		if got := format(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	s, err := parse([]string{"-quick", "-only", "bulk,idle", "-rounds", "2"})
	if err != nil || !s.quick || s.rounds != 2 || !s.wantsWorkload("idle") || s.wantsWorkload("burst") || !s.wantsPeer("bun") {
		t.Errorf("%+v, %v", s, err)
	}
	for _, args := range [][]string{{"-only", "nothing"}, {"-peers", "nobody"}, {"extra"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%q was understood", args)
		}
	}
}

func TestAddress(t *testing.T) {
	for line, want := range map[string]string{
		"127.0.0.1:4433\n": "127.0.0.1:4433", "serving perf at localhost:1\n": "localhost:1", "4433\n": "127.0.0.1:4433",
	} {
		if got, err := address(line); err != nil || got != want {
			t.Errorf("%q is %q, %v", line, got, err)
		}
	}
	if _, err := address("\n"); err == nil {
		t.Error("an empty line has an address")
	}
}

func TestStart(t *testing.T) {
	if _, err := start(t.Context(), []string{"sh", "-c", "echo out of luck >&2; exit 1"}); err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("%v does not say why the server did not start", err)
	}
	s, err := start(t.Context(), []string{"sh", "-c", "echo at 127.0.0.1:1; exec sleep 60"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	if s.addr != "127.0.0.1:1" {
		t.Errorf("the address is %q", s.addr)
	}
}

func TestGoals(t *testing.T) {
	var lines []string
	for _, line := range goalTable(fakeResults()) {
		lines = append(lines, strings.Join(line, " | "))
	}
	want := []string{
		"goal | wanted | measured | reached",
		"Bulk: goodput, × quic-go's | at least 2.00 | 2.22 | yes",
		"Bulk: goodput, × the floor's | at least 0.600 | 0.556 | no",
		"Bulk: server CPU, s/GiB | at most 1.40 | 1.10 | yes",
	}
	if got, want := strings.Join(lines, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := goalTable(nil); got != nil {
		t.Errorf("goals without results: %v", got)
	}
}

// TestNames makes sure that goals are about workloads and peers that exist.
func TestNames(t *testing.T) {
	var all results
	for _, w := range workloads() {
		r := &result{workload: w}
		for _, p := range w.peers {
			r.rows = append(r.rows, &row{peer: p, samples: [][]float64{make([]float64, len(w.columns))}})
			for i := range w.columns {
				r.rows[len(r.rows)-1].samples[0][i] = 1
			}
		}
		all = append(all, r)
	}
	if got, want := len(goalTable(all)), len(goals)+1; got != want {
		t.Errorf("%d goals of %d have a value", got-1, want-1)
	}
}
