package arch

import (
	"go/ast"
	"slices"
	"testing"
)

// machines are the packages that know no clock and start no goroutine: the time is given
// to them, and the same inputs give the same outputs.
var machines = []string{
	"internal/varint", "internal/monotime", "internal/wire", "internal/protect", "internal/protect/gcm", "quic/congestion", "internal/recovery",
	"internal/connid", "internal/streambuf", "internal/path", "internal/engine", "internal/qpack", "internal/h3", "internal/wt",
}

// TestMachines: there is no clock, timer or goroutine in them.
func TestMachines(t *testing.T) {
	clocks := append([]string{"Now", "Since", "Until"}, timers...)
	for _, f := range files(t) {
		if f.test() || !slices.Contains(machines, f.pkg()) {
			continue
		}
		for n := range ast.Preorder(f.File) {
			if _, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s:%d: starts a goroutine", f.name, line(n))
			}
			if name := timeCall(n); slices.Contains(clocks, name) {
				t.Errorf("%s:%d: reads a clock: time.%s", f.name, line(n), name)
			}
		}
	}
}

// timers are the functions that make a timer of the runtime.
var timers = []string{"AfterFunc", "NewTimer", "NewTicker", "After", "Tick", "Sleep"}

// aboveLoop are the packages whose deadlines should be entries of a loop's table.
var aboveLoop = []string{"quic", "http3", "webtransport"}

// timersLeft is how many timers of the runtime a file above the loop may make, until
// it makes none. internal/bounded has one for waits that end though a loop hangs.
var timersLeft = map[string]int{}

// TestTimers: above the loop there are no timers of the runtime but those listed.
func TestTimers(t *testing.T) {
	for _, f := range files(t) {
		if f.test() || !slices.Contains(aboveLoop, f.pkg()) {
			continue
		}
		left := timersLeft[f.name]
		for n := range ast.Preorder(f.File) {
			if name := timeCall(n); slices.Contains(timers, name) {
				if left--; left < 0 {
					t.Errorf("%s:%d: time.%s, where deadlines belong to the loop", f.name, line(n), name)
				}
			}
		}
	}
}

// timeCall returns the name of a function of package time that n names, or "".
func timeCall(n ast.Node) string {
	if s, ok := n.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
			return s.Sel.Name
		}
	}
	return ""
}
