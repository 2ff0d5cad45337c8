package stdtests

import (
	"regexp"
	"strings"
	"testing"
)

// outcome is what a test came to over HTTP/3.
type outcome string

const (
	passed  outcome = "passed"
	skipped outcome = "skipped itself"
	failed  outcome = "failed"
	hung    outcome = "did not end"
	leaked  outcome = "passed, but left goroutines behind"
	absent  outcome = "does not run over HTTP/3"
)

// verdict is a line about a test in its HTTP/3 mode, or a part of it.
var verdict = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): \S+/h3\b`)

// outcomeOf tells it from what a test's process printed; ok is whether it ended well.
func outcomeOf(output string, ok bool) outcome {
	said := make(map[string]bool)
	for _, m := range verdict.FindAllStringSubmatch(output, -1) {
		said[m[1]] = true
	}
	switch {
	case strings.Contains(output, "panic: test timed out"):
		return hung
	case said["FAIL"]:
		return failed
	case !ok && strings.Contains(output, "Too many goroutines running"):
		return leaked
	case !ok:
		return failed
	case said["PASS"]:
		return passed
	case said["SKIP"]:
		return skipped
	}
	return absent
}

func TestOutcomeOf(t *testing.T) {
	for output, tt := range map[string]struct {
		ok   bool
		want outcome
	}{
		"--- PASS: TestA (0.00s)\n    --- PASS: TestA/h3 (0.00s)\nPASS\n":                                                            {true, passed},
		"--- PASS: TestA (0.00s)\n    --- PASS: TestA/h3 (0.00s)\n        --- SKIP: TestA/h3/b (0.00s)\nPASS\n":                      {true, passed},
		"--- PASS: TestA (0.00s)\n    --- SKIP: TestA/h3 (0.00s)\nPASS\n":                                                            {true, skipped},
		"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/h3 (0.00s)\nFAIL\n":                                                            {false, failed},
		"=== RUN   TestA/h3\npanic: runtime error: index out of range\n":                                                             {false, failed},
		"=== RUN   TestA/h3\npanic: test timed out after 10s\n":                                                                      {false, hung},
		"    --- PASS: TestA/h3 (0.00s)\nPASS\nToo many goroutines running after net/http test(s).\n":                                {false, leaked},
		"--- PASS: TestA (0.00s)\nPASS\n":                                                                                            {true, absent},
		"--- PASS: TestA (0.00s)\n    --- PASS: TestA/h1 (0.00s)\n    --- FAIL: TestA/h3 (0.00s)\nPASS\nToo many goroutines running": {false, failed},
	} {
		if got := outcomeOf(output, tt.ok); got != tt.want {
			t.Errorf("%s, want %s:\n%s", got, tt.want, output)
		}
	}
}
