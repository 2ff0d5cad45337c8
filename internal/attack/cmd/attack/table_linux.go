package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// table prints results as they come, and keeps them.
type table struct {
	out     io.Writer
	plan    *plan
	started time.Time
	results []result
}

var columns = []string{"row", "sent", "rss MB", "cpu", "old", "new", "note"}

// widths are those of the columns on a terminal.
var widths = []int{24, 18, 12, 20, 26, 26, 0}

func newTable(out io.Writer, p *plan) *table {
	t := &table{out: out, plan: p, started: time.Now()}
	fmt.Fprintln(out, t.heading())
	t.line(columns)
	return t
}

// heading says how it was measured.
func (t *table) heading() string {
	where := "all processors shared"
	if n := len(t.plan.theirs); n > 0 {
		where = fmt.Sprintf("%d of the processors for the server alone", n)
	}
	return fmt.Sprintf("%s, %v an attack, load average before %s", where, t.plan.duration, t.plan.load)
}

func (t *table) line(cells []string) {
	var b strings.Builder
	for i, c := range cells {
		fmt.Fprintf(&b, "%-*s ", widths[i], c)
	}
	fmt.Fprintln(t.out, strings.TrimRight(b.String(), " "))
}

// add prints a result.
func (t *table) add(r *result) {
	t.results = append(t.results, *r)
	t.line(r.cells())
	for _, f := range r.Failures {
		fmt.Fprintf(t.out, "    FAILED: %s\n", f)
	}
}

// cells returns a result as the table has it.
func (r *result) cells() []string {
	return []string{
		r.Name,
		fmt.Sprintf("%s, %sB", count(r.Report.Packets), count(r.Report.Bytes)),
		fmt.Sprintf("%d/%d/%d", r.Before, r.Peak, r.After),
		fmt.Sprintf("%.2f s%s", r.CPU.Seconds(), r.perPacket()),
		r.Old.String(), r.New.String(),
		r.Report.Note + r.lines(),
	}
}

// lines says how much the server logged, if it was much.
func (r *result) lines() string {
	if r.LogLines <= 10 {
		return ""
	}
	return fmt.Sprintf("; %d lines logged", r.LogLines)
}

// count is a number in three digits.
func count(n int) string {
	switch f := float64(n); {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 1_000_000:
		return fmt.Sprintf("%.3gk", f/1e3)
	default:
		return fmt.Sprintf("%.3gM", f/1e6)
	}
}

// perPacket says what a packet cost the server, if there were enough to tell.
func (r *result) perPacket() string {
	if r.Report.Packets < 100 {
		return ""
	}
	return fmt.Sprintf(", %.3g µs", float64(r.CPUPerPacket.Nanoseconds())/1e3)
}

// String returns failures and times in milliseconds.
func (l latencies) String() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.3g", float64(d.Microseconds())/1e3) }
	return fmt.Sprintf("%d/%d %s %s %s", l.Failed, l.All, ms(l.Median), ms(l.P90), ms(l.Most))
}

// end lists what failed.
func (t *table) end() {
	fmt.Fprintf(t.out, "\n%d rows in %v\n", len(t.results), time.Since(t.started).Round(time.Second))
	for _, r := range t.results {
		if len(r.Failures) > 0 {
			fmt.Fprintf(t.out, "FAILED %s: %s\n", r.Name, strings.Join(r.Failures, "; "))
		}
	}
}

// write writes the results to files, those that have a name.
func (t *table) write(jsonFile, markdown string) error {
	if jsonFile != "" {
		data, err := json.MarshalIndent(t.results, "", "\t")
		if err != nil {
			return err
		}
		if err := writeFile(jsonFile, append(data, '\n')); err != nil {
			return err
		}
	}
	if markdown == "" {
		return nil
	}
	return writeFile(markdown, []byte(t.markdown()))
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// markdown returns the table with verdicts.
func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n| %s | verdict |\n|%s\n", t.heading(), strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)+1))
	for i := range t.results {
		r := &t.results[i]
		verdict := "ok"
		if len(r.Failures) > 0 {
			verdict = "**failed**: " + strings.Join(r.Failures, "; ")
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(strings.Join(r.cells(), "\x00"), "|", `\|`), strings.ReplaceAll(verdict, "|", `\|`))
	}
	return strings.ReplaceAll(b.String(), "\x00", " | ")
}
