// Command soak does everything at once to one `godwit serve`, for an hour: requests of
// all sizes, uploads, conversations, WebTransport, datagrams, clients that read
// slowly, change their minds, move to another address or vanish, and, in turns, the
// attacks of package attack at a tenth of their rate.
//
//	soak                   an hour; ends with 1 if something failed or did not stay flat
//	soak -time 10m -v
//
// Each minute it prints a line: the server's memory, goroutines, descriptors and
// threads, how many requests of each kind were done and how many failed, and how long an
// honest small request took.
//
// # The verdict
//
// Twice the load pauses until the server has forgotten all clients: after the warm-up and
// in the end. What the server holds must be the same at both times, as [judge] has it, and no
// honest request may have failed: nor one of a client that is slow or moves. A request that
// the server rejects for want of room is sent again, and counted as rejected.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/godwit-quic/godwit/internal/attack/child"
)

// options are the command line's.
type options struct {
	time, rest time.Duration
	server     string // a binary, instead of the tree's
	verbose    bool
}

const (
	// maxWarmUp is how much of the load's time is for caches, pools and tables to reach
	// the sizes that they keep; of a short run, a quarter.
	maxWarmUp = 2 * time.Minute
	// minRest is how long the server needs to forget clients that vanished: the idle
	// timeout of QUIC, 30 s, and of handlers' goroutines.
	minRest = 40 * time.Second
	// minTime is the least that shows anything.
	minTime = 20 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.DurationVar(&o.time, "time", time.Hour, "how long the load lasts, warm-up included")
	flags.DurationVar(&o.rest, "rest", 5*time.Minute, "how long the server is left alone before it is measured: its idle timeouts, and\ntwice the two minutes after which Go collects garbage without being asked, as\nwhat pools hold goes with the second time")
	flags.StringVar(&o.server, "server", "", "use this `binary` of the godwit command, not the tree's")
	flags.BoolVar(&o.verbose, "v", false, "print what each attack saw")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no flag", flags.Arg(0))
	case o.time < minTime:
		return fmt.Errorf("-time is %v, and must be %v at least", o.time, minTime)
	case o.rest < minRest:
		return fmt.Errorf("-rest is %v, and must be %v at least", o.rest, minRest)
	}
	if o.server == "" {
		dir, err := os.MkdirTemp("", "godwit-soak-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if o.server, err = child.Build(ctx, dir); err != nil {
			return err
		}
	}
	return soak(ctx, &o, out)
}

// soak loads a server, and judges it.
func soak(ctx context.Context, o *options, out io.Writer) error {
	server, err := child.Start(ctx, o.server, child.Options{Trace: true})
	if err != nil {
		return fmt.Errorf("the server did not start: %w", err)
	}
	defer server.Stop()
	r := &reporter{out: out, server: server, tallies: make(map[string]*tally), verbose: o.verbose, began: time.Now()}
	r.last = r.usage()
	l, err := newLoad(ctx, server.Addr, r)
	if err != nil {
		return err
	}
	warmUp := min(maxWarmUp, o.time/4)
	fmt.Fprintf(out, "load average before %s; %v of warm-up, %v of rest, %v of load, %v of rest\n", child.LoadAverage(), warmUp, o.rest, o.time-warmUp, o.rest)
	var rested [2]sample
	for i, phase := range []struct {
		name string
		load time.Duration
	}{{"warm-up", warmUp}, {"load", o.time - warmUp}} {
		if err := r.during(ctx, phase.name, func(ctx context.Context) { l.run(ctx, phase.load) }); err != nil {
			return err
		}
		if err := r.during(ctx, "rest", func(ctx context.Context) { sleep(ctx, o.rest) }); err != nil {
			return err
		}
		rested[i] = r.sample()
	}
	r.summary()
	failures := append(r.failures(), judge(rested[0], rested[1])...)
	if rested[1].goroutines > rested[0].goroutines+moreGoroutines {
		failures = append(failures, "goroutines at the end:")
		failures = append(failures, grouped(server.Dump())...)
	}
	for _, f := range failures {
		fmt.Fprintf(out, "FAILED: %s\n", f)
	}
	if len(failures) > 0 {
		return errors.New("the server did not come out as it went in")
	}
	fmt.Fprintln(out, "ok")
	return nil
}

// sleep reports false when the context ends before d has passed.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
