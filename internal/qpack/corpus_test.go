package qpack

import (
	"bufio"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpus is the QPACK offline interoperability data (github.com/qpackers/qifs):
// header lists and what other encoders made of them. It is not part of the
// repository.
const corpus = "../../../shared/qifs"

// readLists reads a .qif file: a field on each line, an empty line after each
// list.
func readLists(t *testing.T, path string) [][]Field {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lists := [][]Field{nil}
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if scanner.Text() == "" {
			lists = append(lists, nil)
			continue
		}
		name, value, _ := strings.Cut(scanner.Text(), "\t")
		last := len(lists) - 1
		lists[last] = append(lists[last], Field{name, value})
	}
	return slices.DeleteFunc(lists, func(l []Field) bool { return l == nil })
}

func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the interoperability corpus is not here:", err)
	}
	encoded, err := filepath.Glob(filepath.Join(corpus, "encoded", "*", "*.out.0.0.0"))
	if err != nil || len(encoded) == 0 {
		t.Fatalf("no files encoded with the static table alone: %v", err)
	}
	for _, path := range encoded {
		list, _, _ := strings.Cut(filepath.Base(path), ".")
		want := readLists(t, filepath.Join(corpus, list+".qif"))
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		theirs, ours := 0, 0
		for i := 0; len(raw) > 0; {
			stream, n := binary.BigEndian.Uint64(raw), binary.BigEndian.Uint32(raw[8:])
			block := raw[12 : 12+n]
			raw = raw[12+n:]
			if stream == 0 {
				if err := CheckEncoderStream(block); err != nil {
					t.Fatalf("%s: encoder stream: %v", path, err)
				}
				continue
			}
			got, err := d.AppendFields(nil, block, manyBytes)
			if err != nil || i >= len(want) || !slices.Equal(got, want[i]) {
				t.Fatalf("%s: list %d: %q, %v", path, i, got, err)
			}
			theirs += len(block)
			ours += len(AppendFieldSection(nil, got))
			i++
		}
		if ours > theirs {
			t.Errorf("%s: our encoding takes %d bytes, theirs %d", path, ours, theirs)
		}
	}
}
