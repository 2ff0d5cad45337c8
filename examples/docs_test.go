package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var goBlocks = regexp.MustCompile("(?ms)^```go\n(package main\n.*?)^```$")

// TestDocuments builds every whole program in the documents.
func TestDocuments(t *testing.T) {
	dir := t.TempDir()
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, name := range documents {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range goBlocks.FindAllSubmatch(text, -1) {
			programs++
			file := filepath.Join(dir, fmt.Sprintf("%d", programs), "main.go")
			if err := os.Mkdir(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, block[1], 0o666); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%s, program %d: %v\n%s", name, i+1, err, out)
			}
		}
	}
	if programs < 7 {
		t.Errorf("only %d programs were found", programs)
	}
}
