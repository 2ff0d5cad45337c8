// Command attack runs the attacks of package attack, each against a `godwit serve` of
// its own, and prints what became of the server and of honest clients. The
// documentation of package attack says how to read the table.
//
//	attack                       all rows; ends with 1 if one failed
//	attack -list
//	attack -run 'ack|slow' -json out/attack.json -md out/attack.md
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/godwit-quic/godwit/internal/attack"
)

// options are the command line's.
type options struct {
	run, json, markdown string
	server              string // a binary, instead of the tree's
	list, keep          bool
	duration            time.Duration
	cpus                int // for the server

	attacker, addr string // of the process that attacks
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("attack", flag.ContinueOnError)
	flags.StringVar(&o.run, "run", "", "run only rows whose name or class matches this `regexp`")
	flags.BoolVar(&o.list, "list", false, "list the rows")
	flags.BoolVar(&o.keep, "keep", true, "keep going after a row that failed")
	flags.StringVar(&o.json, "json", "", "write the results to this `file` as JSON")
	flags.StringVar(&o.markdown, "md", "", "write the table to this `file` in Markdown")
	flags.DurationVar(&o.duration, "time", 4*time.Second, "how long each attack may go on, 3 to 10 seconds")
	flags.StringVar(&o.server, "server", "", "attack this `binary` of the godwit command, not the tree's")
	flags.IntVar(&o.cpus, "cpus", 1, "processors for the server, of which nobody else gets any; 0 to share all")
	flags.StringVar(&o.attacker, "attacker", "", "carry out one `row` on -addr, and nothing else; for this command's own use")
	flags.StringVar(&o.addr, "addr", "", "`address` of the server for -attacker")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	if o.duration < 3*time.Second || o.duration > 10*time.Second {
		return fmt.Errorf("-time is %v, and must be 3 to 10 seconds", o.duration)
	}
	if o.attacker != "" {
		return carryOut(&o, out)
	}
	rows, err := selectRows(o.run)
	if err != nil {
		return err
	}
	if o.list {
		for _, r := range rows {
			fmt.Fprintf(out, "%-24s %-28s %s\n", r.Name, r.Class, r.Does)
		}
		return nil
	}
	return runAll(ctx, &o, rows, out)
}

// selectRows returns the rows that match.
func selectRows(pattern string) ([]attack.Row, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var rows []attack.Row
	for _, r := range attack.Rows() {
		if re.MatchString(r.Name) || re.MatchString(r.Class) {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no row matches %q", pattern)
	}
	return rows, nil
}

// begunLine is what the attacking process says when its preparations are over.
const begunLine = "begun"

// outcome is what the attacking process says in the end.
type outcome struct {
	attack.Report
	Error string `json:",omitempty"`
}

// carryOut is the attacking process: it attacks and reports on its standard output.
func carryOut(o *options, out io.Writer) error {
	addr, err := netip.ParseAddrPort(o.addr)
	if err != nil {
		return err
	}
	for _, r := range attack.Rows() {
		if r.Name != o.attacker {
			continue
		}
		var end outcome
		end.Report, err = r.Run(attack.Target{Server: addr, Duration: o.duration, Begun: func() { fmt.Fprintln(out, begunLine) }})
		if err != nil {
			end.Error = err.Error()
		}
		return json.NewEncoder(out).Encode(end)
	}
	return fmt.Errorf("there is no row %q", o.attacker)
}

// runAll runs the rows and judges them.
func runAll(ctx context.Context, o *options, rows []attack.Row, out io.Writer) error {
	plan, err := newPlan(ctx, o)
	if err != nil {
		return err
	}
	defer plan.close()
	t := newTable(out, plan)
	var failed []string
	for _, r := range rows {
		res := plan.attack(ctx, &r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.add(&res)
		if len(res.Failures) > 0 {
			failed = append(failed, r.Name)
			if !o.keep {
				break
			}
		}
	}
	t.end()
	if err := t.write(o.json, o.markdown); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d rows failed", len(failed), len(t.results))
	}
	return nil
}
