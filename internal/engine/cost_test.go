package engine_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What a peer can make an endpoint do must be in proportion to what it sends: an
// attack four times as long may cost about four times as much, times a logarithm.
// A cost is counted, not timed: in executed statements of these packages, as the
// coverage tool counts them, which costs the packages nothing. What one statement
// moves with copy or append, it cannot see: those lists have bounds with names.
const costPackages = "./internal/engine,./internal/recovery,./quic/congestion,./internal/wire"

// maxGrowth is by how much the cost of an attack may grow when it is four times as
// long: n log n grows by 4.8 from 1000 to 4000, a square by 16.
const maxGrowth = 5.0

// maxSteps is how many statements a packet, frame or call of an attack may cost. A
// packet with a PING costs about 500.
const maxSteps = 4000

var (
	costRow = flag.String("cost.row", "", "the attack to run, of those in costs")
	costLen = flag.Int("cost.len", 0, "how long it is")
)

// TestCosts counts what each attack costs at two lengths.
func TestCosts(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "cost.test")
	build := exec.Command("go", "test", "-c", "-covermode=count", "-coverpkg="+costPackages, "-o", bin, "./internal/engine")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	for _, c := range costs {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			once, fourfold := countSteps(t, bin, c.name, c.length), countSteps(t, bin, c.name, 4*c.length)
			growth, each := float64(fourfold)/float64(once), fourfold/uint64(4*c.length)
			if growth > maxGrowth || each > maxSteps {
				t.Errorf("an attack of length %d costs %d steps, one of length %d costs %d, %d each: %.1f times as many",
					c.length, once, 4*c.length, fourfold, each, growth)
			}
		})
	}
}

// TestCostRow runs the attacks: all of them, short, or the one that TestCosts asks
// for in a process of its own.
func TestCostRow(t *testing.T) {
	for _, c := range costs {
		switch *costRow {
		case "":
			t.Run(c.name, func(t *testing.T) { c.attack(t, c.length/10) })
		case c.name:
			c.attack(t, *costLen)
		}
	}
}

// countSteps runs an attack and returns how many statements were executed.
func countSteps(t *testing.T, bin, name string, length int) (steps uint64) {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	cmd := exec.Command(bin, "-test.run=^TestCostRow$", "-cost.row="+name, fmt.Sprintf("-cost.len=%d", length), "-test.coverprofile="+profile)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // position, statements, count
		if len(fields) != 3 {
			continue // the mode
		}
		statements, _ := strconv.ParseUint(fields[1], 10, 64)
		count, _ := strconv.ParseUint(fields[2], 10, 64)
		steps += statements * count
	}
	if steps == 0 {
		t.Fatal("no steps were counted")
	}
	return steps
}
