package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

// progress shows a bar for each file being written, if somebody is watching.
type progress struct {
	bars *mpb.Progress // nil when nobody is
}

// newProgress shows bars on standard error if that is a terminal.
func (a *app) newProgress(silent bool) *progress {
	f, ok := a.stderr.(*os.File)
	if silent || !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh())}
}

// wait returns when all bars have been drawn for the last time.
func (p *progress) wait() {
	if p.bars != nil {
		p.bars.Wait()
	}
}

// progressBar is one file's bar.
type progressBar struct {
	bar *mpb.Bar // nil when nobody is watching
}

// bar adds a bar for a file that has offset bytes already and gets so many more, -1 if that
// is unknown.
func (p *progress) bar(name string, offset, length int64) progressBar {
	if p.bars == nil {
		return progressBar{}
	}
	before := mpb.PrependDecorators(decor.Name(terminal.Line(filepath.Base(name)), decor.WCSyncSpaceR))
	start := time.Now()
	after := mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
		return describe(s.Current, offset, offset+length, length >= 0, time.Since(start))
	}, decor.WCSyncSpace))
	if length < 0 {
		return progressBar{p.bars.New(0, mpb.SpinnerStyle(), before, after)}
	}
	bar := p.bars.AddBar(offset+length, before, after)
	bar.SetCurrent(offset)
	return progressBar{bar}
}

// describe says how much of a file there is, how fast it came, and for how long it will.
func describe(current, offset, total int64, known bool, elapsed time.Duration) string {
	speed := float64(current-offset) / max(elapsed.Seconds(), 1e-3)
	text := formatBytes(int64(speed)) + "/s"
	if !known {
		return formatBytes(current) + "  " + text
	}
	text = formatBytes(current) + " of " + formatBytes(total) + "  " + text
	if left := float64(total-current) / speed; current < total && left < (100*time.Hour).Seconds() {
		text += "  " + (time.Duration(left) * time.Second).String() + " left"
	}
	return text
}

// formatBytes writes a number of bytes with a unit, which is a power of 1024.
func formatBytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	units, value := "KMGTPE", float64(n)/(1<<10)
	for value >= 1023.95 && len(units) > 1 {
		value /= 1 << 10
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", value, units[0])
}

// reader returns r, counting what is read.
func (b progressBar) reader(r io.ReadCloser) io.ReadCloser {
	if b.bar == nil {
		return r
	}
	return b.bar.ProxyReader(r)
}

// done ends the bar.
func (b progressBar) done(complete bool) {
	switch {
	case b.bar == nil:
	case complete:
		b.bar.SetTotal(-1, true) // as many bytes as there were
	default:
		b.bar.Abort(false)
	}
}
