package qpack

import (
	"fmt"
	"testing"
)

// TestRecentCoded decodes strings that repeat, more of them than are remembered,
// among others that do not, with and without room for them.
func TestRecentCoded(t *testing.T) {
	var d Decoder
	for round := range 4 {
		for i := range 3 * recentSlots {
			for _, want := range []string{fmt.Sprintf("repeated-%d", i), fmt.Sprintf("once-%d-%d", round, i), "constant"} {
				coded := appendHuffman(nil, want)
				if got, err := d.decodeString(coded, true, len(want)); err != nil || got != want {
					t.Fatalf("round %d: %q, %v, want %q", round, got, err, want)
				}
				if _, err := d.decodeString(coded, true, len(want)-1); err != ErrSectionTooLarge {
					t.Fatalf("round %d: %q without room: %v", round, want, err)
				}
			}
		}
	}
	if s, err := d.decodeString(nil, true, 0); s != "" || err != nil {
		t.Errorf("nothing decodes to %q, %v", s, err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = d.decodeString(appendHuffman(make([]byte, 0, 16), "constant"), true, 8) }); n != 0 {
		t.Errorf("%v allocations for a string that repeats", n)
	}
}
