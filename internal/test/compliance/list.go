package compliance

import (
	"fmt"
	"strings"
)

// row is a requirement and what became of it.
type row struct {
	requirement
	tests  []string // of the form folder.TestName
	reason string   // why there is no test, or why those are enough
}

// parseList reads a file of package doc's form.
func parseList(text string) ([]row, error) {
	var rows []row
	var section string
	number := 0
	for line := range strings.Lines(text) {
		number++
		kind, rest, _ := strings.Cut(strings.TrimRight(line, " \n"), " ")
		switch {
		case kind == "":
		case kind == "#":
			section = rest
		case kind == ">":
			rows = append(rows, row{requirement: requirement{section, rest}})
		case kind == "//":
		case len(rows) == 0:
			return nil, fmt.Errorf("line %d: %q is before any sentence", number, kind)
		case kind == "test:":
			last := &rows[len(rows)-1]
			last.tests = append(last.tests, strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == ' ' })...)
		case kind == "reason:":
			last := &rows[len(rows)-1]
			last.reason = strings.TrimSpace(last.reason + " " + rest)
		default:
			return nil, fmt.Errorf("line %d begins with %q, which is none of # > test: reason: //", number, kind)
		}
	}
	return rows, nil
}
