package arch

import (
	"go/ast"
	"testing"
)

// A file is one topic, and a function fits on a screen.
const (
	maxFileLines     = 500
	maxFunctionLines = 80
)

// TestSizes holds files and functions to that, tests' functions excepted, which are
// tables and stories.
func TestSizes(t *testing.T) {
	for _, f := range files(t) {
		if f.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", f.name, f.lines, maxFileLines)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !f.test() && length(fn) > maxFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d", f.name, line(fn), fn.Name.Name, length(fn), maxFunctionLines)
			}
		}
	}
}
