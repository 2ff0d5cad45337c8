package main

import (
	"bytes"
	"io"
	"testing"
)

// TestBinaryToTerminal: a terminal gets text, and nothing of a piece that is not.
func TestBinaryToTerminal(t *testing.T) {
	var out bytes.Buffer
	turn := make(chan struct{})
	q := &queuedWriter{out: textOnly{&out}, turn: turn}
	if _, err := io.WriteString(q, "HTTP/3 200 \r\n"); err != nil { // while it waits for its turn
		t.Fatal(err)
	}
	close(turn)
	if _, err := io.WriteString(q, "text, \u00e9\n"); err != nil {
		t.Errorf("text: %v", err)
	}
	const coloured = "\x1b[31mred\x1b[0m, caf\xe9 in Latin-1\a\t\r\n"
	if _, err := io.WriteString(q, coloured); err != nil {
		t.Errorf("coloured: %v", err)
	}
	for _, binary := range []string{"GIF89a\x00\x01", "\x89PNG\r\n\x1a\n", "\x01", "\x7fELF"} {
		if _, err := io.WriteString(q, binary); err != errBinary {
			t.Errorf("%q: %v", binary, err)
		}
	}
	if got := out.String(); got != "HTTP/3 200 \r\ntext, \u00e9\n"+coloured {
		t.Errorf("%q was written", got)
	}
}
