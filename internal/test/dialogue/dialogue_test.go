package dialogue

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("dialogue.update", false, "write what the dialogues print into their files")

// TestDialogues plays the scripts in testdata: what each command leads to is as written.
func TestDialogues(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Play(string(script))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, string(script), got)
		})
	}
}

// compare shows where a dialogue is not as written, from the first line that differs.
func compare(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			t.Errorf("from line %d the dialogue is not as written\nwritten:\n%s\nnow:\n%s", i+1, excerpt(w, i), excerpt(g, i))
			return
		}
	}
}

func excerpt(lines []string, from int) string {
	from = min(from, len(lines))
	return strings.Join(lines[from:min(from+8, len(lines))], "\n")
}

// TestScripts: what is wrong with a script is said, and nothing is played past it.
func TestScripts(t *testing.T) {
	for script, want := range map[string]string{
		"run 10ms\n----\n":                                   "begins with its network",
		"network rtt=10ms\nrun 10ms\n":                       "without ----",
		"network rtt=10ms\n\nrun 10ms\n----\n":               "no ---- below it",
		"network rtt=10ms\n----\n\nserver sing loudly\n----": "the handshake is not complete",
		"network speed=10\n----\n":                           "no such network",
		"network rtt=10ms\nnobody open bidi\n----\n":         "no side and no command",
	} {
		if _, err := Play(script); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", script, err, want)
		}
	}
}
