package stdtests

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// expectation says what a test has to come to.
type expectation struct {
	kind kind
	why  string // for all but passes
}

type kind string

const (
	passes   kind = "pass"
	skips    kind = "skip"     // the test skips itself over HTTP/3
	inherent kind = "inherent" // it asks for what HTTP/3, or a test without fake network, cannot have
	varies   kind = "varies"   // what it asks for may or may not happen
	fault    kind = "fault"    // Godwit should pass it, and does not yet
	unlisted kind = ""
)

var kinds = []kind{passes, skips, inherent, varies, fault}

// check compares it with an outcome.
func (e expectation) check(got outcome) error {
	var ok bool
	switch e.kind {
	case unlisted:
		return fmt.Errorf("%s; expected.txt does not list it", got)
	case passes:
		ok = got == passed
	case skips:
		ok = got == skipped
	case varies:
		ok = got == passed || got == failed || got == hung
	case inherent, fault:
		ok = got == failed || got == hung
	}
	if !ok {
		return fmt.Errorf("%s; expected.txt says: %s %s", got, e.kind, e.why)
	}
	return nil
}

// readExpected reads expected.txt: on each line a kind, the name of a test, and a reason
// unless it passes.
func readExpected(t *testing.T) map[string]expectation {
	t.Helper()
	text, err := os.ReadFile("expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]expectation)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		name, why, _ := strings.Cut(rest, " ")
		e := expectation{kind(word), why}
		switch _, twice := all[name]; {
		case !slices.Contains(kinds, e.kind):
			t.Fatalf("%q begins with no kind", line)
		case twice:
			t.Fatalf("%s is listed twice", name)
		case (why == "") != (e.kind == passes):
			t.Fatalf("%q: a reason belongs to all that do not pass, and to no other", line)
		}
		all[name] = e
	}
	return all
}
