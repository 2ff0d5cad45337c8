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
	if _, err := q.Write([]byte("GIF89a\x00\x01")); err != errBinary {
		t.Errorf("binary: %v", err)
	}
	if got := out.String(); got != "HTTP/3 200 \r\ntext, \u00e9\n" {
		t.Errorf("%q was written", got)
	}
}
