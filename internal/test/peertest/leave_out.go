package peertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What tests are told by the environment.
const (
	// inCI is set where nothing may be left out.
	inCI = "CI"
	// listFile names the file that lists what was left out; `make test` sets it, and shows the list.
	listFile = "GODWIT_LEFT_OUT"
	// without names what even CI may leave out, separated by spaces, since a package
	// registry was down; .ci/run sets it.
	without = "GODWIT_WITHOUT"
)

// LeaveOut ends a test that cannot run on this machine as it has no what. It is the
// only way to do so (TestNothingIsSkippedSilently): go test says "ok" of a package whose
// tests were all skipped, `make test` lists by name what was left out. how says how to
// have it, as a command if there is one. In CI, where everything has to run, the test
// fails instead.
func LeaveOut(t testing.TB, what, how string) {
	t.Helper()
	if os.Getenv(inCI) != "" && !slices.Contains(strings.Fields(os.Getenv(without)), what) {
		t.Fatalf("no %s: %s", what, how)
	}
	leaveOut(t, what, how)
}

// NotHere leaves a test out, in CI as well, that needs a processor or a system which this
// machine is not.
func NotHere(t testing.TB, what, how string) {
	t.Helper()
	leaveOut(t, what, how)
}

func leaveOut(t testing.TB, what, how string) {
	t.Helper()
	if err := list(t.Name(), what, how); err != nil {
		t.Fatal(err)
	}
	t.Skipf("no %s: %s", what, how)
}

// list adds a line to the list, if there is one.
func list(test, what, how string) error {
	name := os.Getenv(listFile)
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	pkg := strings.TrimSuffix(filepath.Base(os.Args[0]), ".test")
	_, err = fmt.Fprintf(f, "%s %s: no %s: %s\n", pkg, test, what, strings.ReplaceAll(how, "\n", " "))
	return err
}

// Program returns the path of a program that a test needs, the first of the names that
// there is. Without any the test is left out; how says what brings it.
func Program(t testing.TB, how string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	LeaveOut(t, names[0], how)
	return ""
}
