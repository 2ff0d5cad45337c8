package peertest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ended notes how a test was ended.
type ended struct {
	testing.TB
	how string
}

func (e *ended) end(how string)        { e.how = how; panic(e) }
func (e *ended) Helper()               {}
func (e *ended) Fatalf(string, ...any) { e.end("failed") }
func (e *ended) Skipf(string, ...any)  { e.end("skipped") }

func endOf(t *testing.T, f func(testing.TB)) (how string) {
	e := &ended{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(e) {
			panic(r)
		}
		how = e.how
	}()
	f(e)
	return ""
}

func TestLeaveOut(t *testing.T) {
	for name, tt := range map[string]struct{ ci, without, want, listed string }{
		"by hand":                   {"", "", "skipped", "peertest TestLeaveOut/by_hand: no browser: apt-get install browser\n"},
		"in CI":                     {"true", "", "failed", ""},
		"in CI, another one missed": {"true", "other", "failed", ""},
		"in CI, its registry down":  {"true", "other browser", "skipped", "peertest TestLeaveOut/in_CI,_its_registry_down: no browser: apt-get install browser\n"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "list")
			t.Setenv(inCI, tt.ci)
			t.Setenv(without, tt.without)
			t.Setenv(listFile, file)
			how := endOf(t, func(t testing.TB) { Program(t, "apt-get install browser", "browser", "browser-that-is-not-there") })
			text, _ := os.ReadFile(file)
			if how != tt.want || string(text) != tt.listed {
				t.Errorf("%s, listed %q", how, text)
			}
		})
	}
}

// skips finds the ways to skip a test, but for LeaveOut.
var skips = regexp.MustCompile(`\b(t|b|f|tb)\.Skip(f|Now)?\(|\btesting\.Short\(\)`)

// TestNothingIsSkippedSilently: a test that cannot run ends by LeaveOut, in all modules.
func TestNothingIsSkippedSilently(t *testing.T) {
	files := 0
	err := filepath.WalkDir(filepath.Join("..", "..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "leave_out_test.go" {
			return err
		}
		files++
		src, err := os.ReadFile(path)
		if found := skips.Find(src); found != nil {
			t.Errorf("%s has %s: say peertest.LeaveOut instead", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 300 {
		t.Fatalf("found only %d files", files)
	}
}
