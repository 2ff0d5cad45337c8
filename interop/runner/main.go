// Command runner runs the cases of the QUIC Interop Runner without containers, between
// Godwit and other implementations, over a network in user space, and judges them by what
// arrived and what came over that network.
//
//	go run ./runner                          every cell, into ../docs/interop.md
//	go run ./runner -server quinn -client godwit -case retry,zerortt -qlog
//
// Each cell has a folder below -out: what both sides said, key logs, with -qlog their qlog.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "runner:", err)
		os.Exit(1)
	}
}

// settings are what flags say.
type settings struct {
	servers, clients, cases []string // none for all
	out, doc                string
	qlog, quick             bool
	jobs                    int
	seed                    uint64
}

func run(ctx context.Context) error {
	var s settings
	list := func(to *[]string) func(string) error {
		return func(v string) error { *to = strings.Split(v, ","); return nil }
	}
	flag.Func("server", "`names` of servers, with commas; all if there is none", list(&s.servers))
	flag.Func("client", "`names` of clients", list(&s.clients))
	flag.Func("case", "`names` of cases, those of WebTransport with wt- before", list(&s.cases))
	flag.StringVar(&s.out, "out", "../out/interop", "`folder` for the cells' files")
	flag.StringVar(&s.doc, "doc", "", "`file` to write the matrix to")
	flag.BoolVar(&s.qlog, "qlog", false, "have both sides write qlog")
	flag.BoolVar(&s.quick, "quick", false, "smaller files, and fewer connections")
	flag.IntVar(&s.jobs, "j", 4, "`cells` that run at a time: a link has 10 Mbit/s, so most wait")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the files and of what the network does")
	flag.Parse()
	m, err := s.matrix(ctx, func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) })
	if err != nil {
		return err
	}
	if s.doc != "" {
		if err := os.WriteFile(s.doc, []byte(m.markdown()), 0o644); err != nil {
			return err
		}
	}
	if n := m.count(failed); n > 0 {
		return fmt.Errorf("%d cells failed", n)
	}
	return nil
}

// matrix is all outcomes.
type matrix struct {
	quick   bool
	cases   []*testCase
	peers   []*peer
	missing map[string]string // peers that cannot be had here, and why
	cells   map[cellName]outcome
}

type cellName struct {
	server, client, test string
}

// label is a case's name in flags and folders, where WebTransport's differ from QUIC's.
func (c *testCase) label() string {
	if c.webTransport {
		return "wt-" + c.name
	}
	return c.name
}

// matrix runs the cells: pairs that we are one of.
func (s *settings) matrix(ctx context.Context, say func(string, ...any)) (*matrix, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	out, err := filepath.Abs(s.out)
	if err != nil {
		return nil, err
	}
	m := &matrix{quick: s.quick, peers: allPeers(root), missing: make(map[string]string), cells: make(map[cellName]outcome)}
	servers, err := choose(m.peers, s.servers)
	if err != nil {
		return nil, err
	}
	clients, err := choose(m.peers, s.clients)
	if err != nil {
		return nil, err
	}
	for _, c := range allCases(s.quick) {
		if len(s.cases) == 0 || slices.Contains(s.cases, c.label()) {
			m.cases = append(m.cases, c)
		}
	}
	if len(m.cases) == 0 {
		return nil, fmt.Errorf("no case is called %v", s.cases)
	}
	programs := filepath.Join(out, "programs")
	if err := os.MkdirAll(programs, 0o755); err != nil {
		return nil, err
	}
	for _, p := range m.peers {
		if !slices.Contains(servers, p) && !slices.Contains(clients, p) {
			continue
		}
		if p.command, err = p.make(ctx, programs); err != nil {
			say("without %s: %v", p.name, err)
			m.missing[p.name] = err.Error()
		}
	}
	m.run(ctx, s.cells(m, servers, clients, out), s.jobs, say)
	return m, ctx.Err()
}

// cells returns what is to be run, those that take long first.
func (s *settings) cells(m *matrix, servers, clients []*peer, out string) []*cell {
	var list []*cell
	for _, server := range servers {
		for _, client := range clients {
			if server.name != ours && client.name != ours || server.command == nil || client.command == nil {
				continue
			}
			for _, c := range m.cases {
				dir := filepath.Join(out, server.name+"_"+client.name, c.label())
				list = append(list, &cell{testCase: c, server: server, client: client, dir: dir, qlog: s.qlog, seed: s.seed})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *cell) int { return int((b.timeout - a.timeout) / time.Second) })
	return list
}

// run runs cells, some at a time.
func (m *matrix) run(ctx context.Context, cells []*cell, jobs int, say func(string, ...any)) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	queue := make(chan *cell)
	for range max(jobs, 1) {
		workers.Go(func() {
			for c := range queue {
				began := time.Now()
				o := c.run(ctx)
				mu.Lock()
				m.cells[cellName{c.server.name, c.client.name, c.label()}] = o
				say("%-11s %s -> %s %s (%.1f s) %s", o.verdict, c.client.name, c.server.name, c.label(), time.Since(began).Seconds(), o.why)
				mu.Unlock()
			}
		})
	}
	for _, c := range cells {
		if ctx.Err() != nil {
			break
		}
		queue <- c
	}
	close(queue)
	workers.Wait()
}

// count returns how many cells have a verdict.
func (m *matrix) count(v verdict) (n int) {
	for _, o := range m.cells {
		if o.verdict == v {
			n++
		}
	}
	return n
}
