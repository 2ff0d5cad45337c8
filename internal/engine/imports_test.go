package engine_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pure lists the packages that must stay free of the outside world.
var pure = []string{"engine", "recovery", "congestion", "protect", "wire", "monotime", "h3", "wt"}

// maxFileLines keeps files to one topic.
const maxFileLines = 700

// TestPurity holds the engine and all below it to the design: no sockets,
// operating system, contexts or clocks, no goroutines and no locks. HTTP/3's machine has
// sync for counters and pointers that other goroutines read, and for a pool.
func TestPurity(t *testing.T) {
	forbidden := map[string]bool{"net": true, "os": true, "context": true, "sync": true, "sync/atomic": true}
	files := 0
	for _, pkg := range pure {
		names, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			files++
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, imp := range f.Imports {
				path, _ := strconv.Unquote(imp.Path.Value)
				if forbidden[path] && !(pkg == "h3" && strings.HasPrefix(path, "sync")) {
					t.Errorf("%s imports %s", name, path)
				}
			}
			if pkg == "h3" && strings.Contains(string(src), "sync.Mutex") {
				t.Errorf("%s has a lock", name)
			}
			if n := strings.Count(string(src), "\n"); n > maxFileLines {
				t.Errorf("%s has %d lines, more than %d", name, n, maxFileLines)
			}
			for i, line := range strings.Split(string(src), "\n") {
				if code, _, _ := strings.Cut(line, "//"); strings.Contains(code, "time.Now(") || strings.HasPrefix(strings.TrimSpace(code), "go ") {
					t.Errorf("%s:%d: reads a clock or starts a goroutine: %s", name, i+1, strings.TrimSpace(line))
				}
			}
		}
	}
	if files < 30 {
		t.Fatalf("found only %d files", files)
	}
}
