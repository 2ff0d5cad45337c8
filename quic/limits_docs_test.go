package quic

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/admission"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/loop"
)

// row returns the numbers of the row of docs/operating.md that begins with a text.
func row(t *testing.T, doc, begin string) (numbers []int) {
	t.Helper()
	at := strings.Index(doc, "\n| "+begin)
	if at < 0 {
		t.Fatalf("no row begins with %q", begin)
	}
	line, _, _ := strings.Cut(doc[at+1:], "\n")
	for _, cell := range regexp.MustCompile(`\| *(\d+) *(?:\||$)`).FindAllString(strings.ReplaceAll(line, "|", "||"), -1) {
		n, err := strconv.Atoi(strings.Trim(cell, "| "))
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// TestOperatingTable: docs/operating.md says what the defaults are, and adds up.
func TestOperatingTable(t *testing.T) {
	b, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	l := (&TransportConfig{}).admission()
	for begin, want := range map[string][]int{
		"bytes in buffers":          {defaultMaxBufferedBytes},
		"connections |":             {l.Conns, l.ConnsPerSource},
		"handshakes whose client":   {l.Handshakes, l.HandshakesPerSource},
		"handshakes in all, from":   {l.RetryAbove},
		"buffers: to send":          {1, defaultMaxBufferedBytes, defaultMaxBufferedBytes},
		"connections at rest":       {l.Conns, 12288, l.Conns * 12288},
		"datagrams that wait":       {maxDefaultLoops, loop.MaxWaitingBytes, maxDefaultLoops * loop.MaxWaitingBytes},
		"tokens that were used":     {5, admission.MaxUsedTokens / 5, admission.MaxUsedTokens},
		"tickets whose early data":  {handshake.MaxReplayTickets, 128, handshake.MaxReplayTickets * 128},
		"0-RTT packets that came":   {maxDefaultLoops, engine.MaxStrayBytes, maxDefaultLoops * engine.MaxStrayBytes},
		"handshakes, proved or not": {l.Handshakes + l.RetryAbove, 40960, (l.Handshakes + l.RetryAbove) * 40960},
	} {
		got := row(t, doc, begin)
		if len(got) != len(want) {
			t.Errorf("%q: %v, want %v", begin, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", begin, got, want)
				break
			}
		}
	}
	sum := 0
	for _, begin := range []string{"buffers: to send", "connections at rest", "handshakes, proved or not", "handlers that wait", "datagrams that wait", "tokens that were used"} {
		r := row(t, doc, begin)
		if len(r) != 3 || r[0]*r[1] != r[2] {
			t.Errorf("%q does not multiply: %v", begin, r)
			continue
		}
		sum += r[2]
	}
	if got := row(t, doc, "in all"); len(got) != 1 || got[0] != sum {
		t.Errorf("in all %v, want %d", got, sum)
	}
	if sum > 1<<30*2/3 {
		t.Errorf("%d bytes are too much for a machine with 1 GiB", sum)
	}
}
