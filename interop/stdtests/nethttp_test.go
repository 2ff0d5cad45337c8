package stdtests

import (
	"context"
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var only = flag.String("stdtests.run", "", "run only the tests that match this `regexp`, and show what they print")

const (
	// passPatience is for tests that pass; most take less than a second.
	passPatience = 60 * time.Second
	// otherPatience is for tests that do not, many of which never end.
	otherPatience = 10 * time.Second
	// others is how many of the latter run at once: they mostly wait.
	others = 6
	// passing is how many of the former do.
	passing = 2
)

// TestNetHTTP runs each test, and compares with what is expected.
func TestNetHTTP(t *testing.T) {
	matches, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	expected := readExpected(t)
	g := copyRelease(t)
	program := g.buildTests()
	var easy, hard []string
	for _, name := range testsIn(t, g.path("net/http")) {
		switch {
		case !matches.MatchString(name):
		case expected[name].kind == passes:
			easy = append(easy, name)
		default:
			hard = append(hard, name)
		}
	}
	outcomes := runAll(t.Context(), hard, others, func(ctx context.Context, name string) result {
		return g.run(ctx, program, name, otherPatience)
	})
	outcomes = append(outcomes, runAll(t.Context(), easy, passing, func(ctx context.Context, name string) result {
		return g.run(ctx, program, name, passPatience)
	})...)
	count := make(map[kind]int)
	for _, r := range outcomes {
		e := expected[r.name]
		delete(expected, r.name)
		if r.outcome == absent && e.kind == unlisted {
			continue // not for HTTP/3
		}
		count[e.kind]++
		t.Run(r.name, func(t *testing.T) {
			if err := e.check(r.outcome); err != nil {
				t.Errorf("%v\n%s", err, r.output)
			} else if *only != "" {
				t.Logf("%s\n%s", r.outcome, r.output)
			}
		})
	}
	if *only == "" {
		for name := range expected {
			t.Errorf("%s is expected, and not there", name)
		}
	}
	t.Logf("%s: %d pass, %d skip themselves, %d fail for what HTTP/3 or the test is, %d vary, %d fail by a fault of ours",
		release, count[passes], count[skips], count[inherent], count[varies], count[fault])
}

// testsIn returns the names of the tests in a folder that run once for each version of HTTP.
func testsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tests in %s: %v", dir, err)
	}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") && runsModes(fn) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// runsModes reports whether a test calls what runs it for each version.
func runsModes(test *ast.FuncDecl) (does bool) {
	ast.Inspect(test, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if f, ok := call.Fun.(*ast.Ident); ok && slices.Contains([]string{"run", "runSynctest", "runCancelTest"}, f.Name) {
				does = true
			}
		}
		return !does
	})
	return does
}

// result is what came of a test.
type result struct {
	name    string
	outcome outcome
	output  string
}

// runAll runs tests, some at once, and returns the results in the tests' order.
func runAll(ctx context.Context, names []string, atOnce int, run func(context.Context, string) result) []result {
	results := make([]result, len(names))
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				results[i] = run(ctx, names[i])
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wg.Wait()
	return results
}

// run runs one test in a process of its own.
func (g goroot) run(ctx context.Context, program, name string, limit time.Duration) result {
	ctx, cancel := context.WithTimeout(ctx, limit+5*time.Second) // if it cannot even end itself
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.v", "-test.run", "^"+name+"$", "-test.timeout", limit.String())
	cmd.Dir = g.path("net/http")
	cmd.Env = append(os.Environ(), "GOROOT="+g.dir, "TMPDIR="+g.tmp)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, fs.ErrClosed) {
		return result{name, failed, err.Error()}
	}
	return result{name, outcomeOf(string(out), err == nil), string(out)}
}
