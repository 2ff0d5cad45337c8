package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

// TestJudge: what has grown is found, and nothing else.
func TestJudge(t *testing.T) {
	rest := sample{memory: 40, goroutines: 20, descriptors: 12, threads: 8}
	for name, test := range map[string]struct {
		change func(s *sample)
		want   string
	}{
		"nothing":          {func(*sample) {}, ""},
		"less":             {func(s *sample) { *s = sample{memory: 20, goroutines: 3, descriptors: 8} }, ""},
		"threads":          {func(s *sample) { s.threads *= 2 }, ""},
		"some":             {func(s *sample) { s.memory += moreMemory; s.goroutines += moreGoroutines }, ""},
		"memory":           {func(s *sample) { s.memory += moreMemory + 1 }, "65 MB of memory at rest, 40 after the warm-up"},
		"goroutines":       {func(s *sample) { s.goroutines += moreGoroutines + 1 }, "25 goroutines at rest, 20 after"},
		"descriptors":      {func(s *sample) { s.descriptors++ }, "13 descriptors at rest, 12 after"},
		"two at one time ": {func(s *sample) { s.descriptors++; s.memory *= 3 }, "120 MB"},
	} {
		after := rest
		test.change(&after)
		got := strings.Join(judge(rest, after), "; ")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestFailures: failures of honest clients count, with what happened, others do not.
func TestFailures(t *testing.T) {
	r := &reporter{tallies: make(map[string]*tally), began: time.Now()}
	for range 2 * maxErrors {
		r.add("get", true, nil)
		r.add("get", true, errors.New("reset by the server"))
		r.add("attack", false, errors.New("closed by the server"))
	}
	got := r.failures()
	if len(got) != 1 || !strings.HasPrefix(got[0], "10 of 20 clients of kind get: ") || strings.Count(got[0], "reset by the server") != maxErrors {
		t.Errorf("%q", got)
	}
	if got := r.counts(); got != " attack 0/10 get 10/10" {
		t.Errorf("%q", got)
	}
}

// TestGrouped: goroutines at the same place are one line.
func TestGrouped(t *testing.T) {
	if got := strings.Join(grouped([]string{"b", "a", "c", "b"}), ";"); got != "     2 b;     1 a;     1 c" {
		t.Errorf("%q", got)
	}
}

// TestAttacks: each that takes its turn is in the table.
func TestAttacks(t *testing.T) {
	for _, name := range attacks {
		if _, err := rowNamed(name); err != nil {
			t.Error(err)
		}
	}
}

// TestRejected: only what the server has not seen may be sent again.
func TestRejected(t *testing.T) {
	turnedAway := &http3.Error{Code: http3.ErrCodeRequestRejected, Remote: true}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {io.EOF, false}, {turnedAway, true}, {fmt.Errorf("asking: %w", turnedAway), true},
		{&http3.Error{Code: http3.ErrCodeRequestCancelled, Remote: true}, false},
		{&http3.Error{Code: http3.ErrCodeRequestRejected, Remote: true, WholeConn: true}, false},
	} {
		if got := rejected(test.err); got != test.want {
			t.Errorf("%v: %v", test.err, got)
		}
	}
}

func TestSize(t *testing.T) {
	for range 10_000 {
		if n := size(maxSize); n < 0 || n > maxSize {
			t.Fatalf("%d bytes", n)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-time", "1s"}, {"-rest", "1s"}, {"more"}, {"-nothing"}} {
		if err := run(context.Background(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
