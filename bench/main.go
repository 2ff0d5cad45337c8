// Command bench measures Godwit side by side with other implementations of
// QUIC and HTTP on one machine:
//
//	cd bench && go run .
//
// It builds all programs, runs each server in a process of its own against the
// same client, in interleaved rounds, and prints tables of medians with their
// spread. The tables of a whole run also go to docs/performance-table.md, a
// chart to docs/performance.svg.
//
// Bun and Node are installed with npm, and the JavaScript package's engine needs a C
// compiler; quinn and quiche are built with cargo, the latter
// also with cmake, a C++ compiler and libclang. That takes some minutes once.
// What cannot be had on a machine is left out and named.
//
//	go run . -quick                        what matters most, in 10 minutes
//	go run . -only bulk,requests           some of the workloads
//	go run . -peers godwit,quic-go         some of the implementations
//	go run . -json > results.json          all samples
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// settings are the command line.
type settings struct {
	only, peers []string // empty for all
	rounds      int
	quick, json bool
	docs        string // directory, empty for none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	list := func(to *[]string) func(string) error {
		return func(v string) error {
			*to = strings.Split(v, ",")
			return nil
		}
	}
	flags.Func("only", "workloads, comma-separated: "+strings.Join(groups(), ", "), list(&s.only))
	flags.Func("peers", "implementations, comma-separated: "+strings.Join(families(), ", "), list(&s.peers))
	flags.IntVar(&s.rounds, "rounds", 0, "rounds of each workload (default 5; with -quick the longest have 1)")
	flags.BoolVar(&s.quick, "quick", false, "measure for a shorter time")
	flags.BoolVar(&s.json, "json", false, "print all samples as JSON instead of tables")
	flags.StringVar(&s.docs, "docs", "", "`directory` for the tables and the chart (default ../docs if nothing is left out)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%q is not understood", flags.Args())
	}
	if err := check(s.only, groups(), "workload"); err != nil {
		return nil, err
	}
	if s.docs == "" && s.only == nil && s.peers == nil {
		s.docs = "../docs"
	}
	return &s, check(s.peers, families(), "implementation")
}

// check makes sure that all names are known.
func check(names, known []string, what string) error {
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s %q is unknown; there are %s", what, name, strings.Join(known, ", "))
		}
	}
	return nil
}

func run(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err == flag.ErrHelp {
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "godwit-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	progress := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	p, err := build(ctx, dir, s, progress)
	if err != nil {
		return err
	}
	b := &bench{settings: s, programs: p, progress: progress}
	results := b.run(ctx)
	if ctx.Err() != nil {
		progress("interrupted: what there is follows, and no document is written")
		s.docs = ""
	}
	return publish(os.Stdout, s, describe(p, b), results)
}

// publish prints the results and writes the documents.
func publish(w io.Writer, s *settings, env environment, results []*result) error {
	if s.json {
		if err := writeJSON(w, env, results); err != nil {
			return err
		}
	} else if err := writeText(w, results); err != nil {
		return err
	}
	if s.docs == "" {
		return nil
	}
	if err := writeFile(filepath.Join(s.docs, "performance-table.md"), func(w io.Writer) error {
		return writeMarkdown(w, env, results)
	}); err != nil {
		return err
	}
	return writeFile(filepath.Join(s.docs, "performance.svg"), func(w io.Writer) error {
		return writeChart(w, results)
	})
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close() // the first error says more
		return err
	}
	return f.Close()
}
