package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// table returns a result as cells, the header first.
func (r *result) table() [][]string {
	header := []string{"server"}
	for _, c := range r.workload.columns {
		header = append(header, c.title)
		if c.versus {
			header = append(header, "× Godwit's")
		}
	}
	cells := [][]string{header}
	for _, row := range r.rows {
		cells = append(cells, r.line(row))
	}
	return cells
}

// line returns the cells of a row.
func (r *result) line(row *row) []string {
	line := []string{row.peer.name}
	for i, c := range r.workload.columns {
		s, ok := row.spreadOf(i)
		if !ok {
			line = append(line, "failed")
		} else {
			line = append(line, s.String())
		}
		if c.versus {
			line = append(line, r.versus(s, i))
		}
	}
	return line
}

// versus compares a median with Godwit's in the same column, that of the first row of its own.
func (r *result) versus(s spread, col int) string {
	i := slices.IndexFunc(r.rows, func(row *row) bool { return strings.HasPrefix(row.peer.family, "godwit") })
	if i < 0 {
		return ""
	}
	own, ok := r.rows[i].spreadOf(col)
	if !ok || own.Median == 0 || s.Median == 0 {
		return ""
	}
	return format(s.Median / own.Median)
}

// remarks are the failures, in words.
func (r *result) remarks() []string {
	var lines []string
	for _, row := range r.rows {
		if n := len(row.failures); n > 0 {
			lines = append(lines, fmt.Sprintf("%s failed in %d of %d rounds: %s", row.peer.name, n, n+len(row.samples), row.failures[0]))
		}
	}
	return lines
}

// writeText writes tables for a terminal.
func writeText(w io.Writer, results []*result) error {
	for _, r := range results {
		if err := writeColumns(w, r.workload.title, r.table()); err != nil {
			return err
		}
		for _, remark := range r.remarks() {
			fmt.Fprintln(w, "  "+remark)
		}
	}
	return writeColumns(w, "Goals", goalTable(results))
}

// writeColumns writes a table for a terminal, if there is one.
func writeColumns(w io.Writer, title string, cells [][]string) error {
	if cells == nil {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", title); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range cells {
		fmt.Fprintln(tw, "  "+strings.Join(line, "\t"))
	}
	return tw.Flush()
}

// markdown writes a table, whose columns after the first are numbers.
func markdown(cells [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|---|%s\n", strings.Join(cells[0], " | "), strings.Repeat("--:|", len(cells[0])-1))
	for _, line := range cells[1:] {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
	}
	return b.String()
}

// writeMarkdown writes the document with all tables.
func writeMarkdown(w io.Writer, env environment, results []*result) error {
	var b strings.Builder
	b.WriteString("# Performance, side by side\n\n" +
		"Written by `make bench`, see [performance.svg](performance.svg) for a picture. Medians, with the\n" +
		"least and the most of all rounds in parentheses. Servers take turns within each round and\n" +
		"have a process of their own, as has the client, which is the same for all of them.\n" +
		"The CPU time a server needs for a unit of work is the figure that a slow client cannot\n" +
		"bend; *× Godwit's* is how many times Godwit's it is.\n")
	if cells := goalTable(results); cells != nil {
		fmt.Fprintf(&b, "\n## Goals\n\n%s", markdown(cells))
	}
	for _, r := range results {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s", r.workload.title, r.workload.about, markdown(r.table()))
		for _, remark := range r.remarks() {
			fmt.Fprintf(&b, "\n%s\n", remark)
		}
	}
	b.WriteString("\n## How it was measured\n\n")
	for _, line := range env.lines() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// jsonRow and jsonResult are the form of results in JSON.
type jsonRow struct {
	Peer     string      `json:"peer"`
	Samples  [][]float64 `json:"samples"`
	Failures []string    `json:"failures,omitempty"`
}

type jsonResult struct {
	Workload string    `json:"workload"`
	Columns  []string  `json:"columns"`
	Rows     []jsonRow `json:"rows"`
}

// writeJSON writes all samples.
func writeJSON(w io.Writer, env environment, results []*result) error {
	out := struct {
		Environment []string     `json:"environment"`
		Results     []jsonResult `json:"results"`
	}{Environment: env.lines()}
	for _, r := range results {
		j := jsonResult{Workload: r.workload.title}
		for _, c := range r.workload.columns {
			j.Columns = append(j.Columns, c.title)
		}
		for _, row := range r.rows {
			j.Rows = append(j.Rows, jsonRow{row.peer.name, row.samples, row.failures})
		}
		out.Results = append(out.Results, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
