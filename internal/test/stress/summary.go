package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one of those that go test -json prints (go doc test2json).
type event struct {
	Action, Test, Output string
}

// summary is what many runs of a package's tests came to.
type summary struct {
	passed int               // tests that passed, each as often as it ran
	failed map[string]int    // how often each test failed
	output map[string]string // what each printed when it failed last
}

// sumUp reads what go test -json prints.
func sumUp(in io.Reader) summary {
	s := summary{failed: make(map[string]int), output: make(map[string]string)}
	printed := make(map[string]*strings.Builder)
	for d := json.NewDecoder(in); ; {
		var e event
		if err := d.Decode(&e); err != nil {
			_, _ = io.Copy(io.Discard, in) // so that it can end
			return s
		}
		switch e.Action {
		case "run", "start":
			printed[e.Test] = new(strings.Builder)
		case "output":
			if b := printed[e.Test]; b != nil {
				b.WriteString(e.Output)
			}
		case "pass":
			if e.Test != "" {
				s.passed++
			}
		case "fail":
			s.failed[e.Test]++
			if b := printed[e.Test]; b != nil {
				s.output[e.Test] = b.String()
			}
		}
	}
}

func (s summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d passed", s.passed)
	var names []string
	for name := range s.failed {
		if name != "" || len(s.failed) == 1 { // that the package failed tells little more
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "\n--- FAILED %d times: %s\n%s", s.failed[name], name, s.output[name])
	}
	return b.String()
}
