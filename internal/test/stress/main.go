// Command stress finds tests that fail now and then: it runs each package's tests many times
// while both cores, or all, are busy with something else, and sums up what failed.
//
//	go run ./internal/test/stress -count 20 ./http3 ./quic
//	go run ./internal/test/stress -run TestSignal -race ./cmd/godwit
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	count := flag.Int("count", 20, "run each test `n` times")
	run := flag.String("run", "", "run only the tests that match `regexp`")
	race := flag.Bool("race", false, "use the race detector")
	busy := flag.Int("busy", runtime.NumCPU(), "keep as many `threads` busy")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := stress(ctx, packages, testArgs(*count, *run, *race), *busy); err != nil {
		fmt.Fprintln(os.Stderr, "stress:", err)
		os.Exit(1)
	}
}

// testTimeout bounds the tests of one package, all their runs together.
const testTimeout = time.Hour

func testArgs(count int, run string, race bool) []string {
	args := []string{"test", "-json", "-count", strconv.Itoa(count), "-timeout", testTimeout.String()}
	if run != "" {
		args = append(args, "-run", run)
	}
	if race {
		args = append(args, "-race")
	}
	return args
}

var errFailed = errors.New("not all runs passed")

// stress runs the tests of packages, one package after the other.
func stress(ctx context.Context, patterns, args []string, busy int) error {
	list, err := exec.CommandContext(ctx, "go", append([]string{"list"}, patterns...)...).Output()
	if err != nil {
		return fmt.Errorf("go list %v: %w", patterns, err)
	}
	packages := strings.Fields(string(list))
	// What is built now is not built under load.
	build := exec.CommandContext(ctx, "go", append(append([]string{}, args...), append([]string{"-run", "^$"}, packages...)...)...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the tests: %w", err)
	}
	defer keepBusy(busy)()
	failed := false
	for _, pkg := range packages {
		start := time.Now()
		cmd := exec.CommandContext(ctx, "go", append(append([]string{}, args...), pkg)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		s := sumUp(out)
		err = cmd.Wait()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Printf("%s: %s, %v\n", pkg, s, time.Since(start).Round(time.Second))
		failed = failed || err != nil
	}
	if failed {
		return errFailed
	}
	return nil
}

// keepBusy has threads do nothing useful, until the function it returns is called.
func keepBusy(threads int) (stop func()) {
	var done atomic.Bool
	old := runtime.GOMAXPROCS(threads + 2) // the rest is for what this program does
	for range threads {
		go func() {
			for !done.Load() {
			}
		}()
	}
	return func() {
		done.Store(true)
		runtime.GOMAXPROCS(old)
	}
}
