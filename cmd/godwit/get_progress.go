package main

import (
	"io"
	"os"
	"path/filepath"

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

// bar adds a bar for a file of so many bytes, -1 if that is unknown.
func (p *progress) bar(name string, total int64) progressBar {
	if p.bars == nil {
		return progressBar{}
	}
	before := mpb.PrependDecorators(decor.Name(terminal.Line(filepath.Base(name)), decor.WCSyncSpaceR))
	speed := decor.AverageSpeed(decor.SizeB1024(0), "% .1f", decor.WCSyncSpace)
	if total < 0 {
		return progressBar{p.bars.New(0, mpb.SpinnerStyle(), before,
			mpb.AppendDecorators(decor.CurrentKibiByte("% .1f", decor.WCSyncSpace), speed))}
	}
	return progressBar{p.bars.AddBar(total, before,
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace), speed))}
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
