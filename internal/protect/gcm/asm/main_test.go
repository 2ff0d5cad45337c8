package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated: the assembly is what this program writes now. The first line, which has the
// command, aside.
func TestGenerated(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gcm_amd64.s")
	if out, err := exec.Command("go", "run", ".", "-out", name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../gcm_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ = bytes.Cut(want, []byte("\n"))
	if _, have, _ = bytes.Cut(have, []byte("\n")); !bytes.Equal(have, want) {
		t.Error("gcm_amd64.s is stale: go generate ./internal/protect/gcm")
	}
}
