package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/vbauerster/mpb/v8"
)

// TestProgress: each file has a bar, whether or not its size is known, and the
// bars end whatever becomes of the files.
func TestProgress(t *testing.T) {
	var drawn lockedBuffer
	p := &progress{mpb.New(mpb.WithOutput(&drawn), mpb.WithAutoRefresh())}
	for _, tt := range []struct {
		name     string
		total    int64
		complete bool
	}{
		{"known", 1000, true}, {"unknown", -1, true}, {"empty", 0, true}, {"broken", 2000, false},
	} {
		bar := p.bar("dir/"+tt.name, 0, tt.total)
		body := bar.reader(io.NopCloser(strings.NewReader(strings.Repeat("x", 1000))))
		if n, err := io.Copy(io.Discard, body); n != 1000 || err != nil {
			t.Errorf("%s: %d bytes, %v", tt.name, n, err)
		}
		bar.done(tt.complete)
	}
	p.wait()
	for _, want := range []string{"known ", "unknown ", "empty ", "broken ", "1000 B of 1000 B"} {
		if !strings.Contains(drawn.String(), want) {
			t.Errorf("%q is not among what was drawn:\n%s", want, drawn.String())
		}
	}
}

// TestNoProgress: nothing is drawn where nobody is watching.
func TestNoProgress(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := &app{stderr: file}
	for _, silent := range []bool{false, true} {
		p := a.newProgress(silent)
		bar := p.bar("file", 0, 1000)
		body := io.NopCloser(strings.NewReader("x"))
		if bar.reader(body) != body {
			t.Error("reads are counted")
		}
		bar.done(true)
		p.wait()
	}
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("%v, %v", info, err)
	}
}
