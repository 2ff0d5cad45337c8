package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"

	"golang.org/x/term"
)

// errBinary is why content is not written to a terminal, which would take some of it
// for commands. curl has the same habit.
var errBinary = errors.New("the content is binary and would garble the terminal: -o - writes it all the same, -o FILE to a file")

// textOnly writes to a terminal what has no control characters but those that text has, and
// nothing after that.
type textOnly struct{ out io.Writer }

// isBinary reports whether a character is none of text: a control character beyond the bell,
// those that move the cursor, and the escape that colours begin with. Bytes that are not UTF-8
// may be another encoding's text.
func isBinary(r rune) bool { return r < '\a' || r > '\r' && r < ' ' && r != '\x1b' || r == '\x7f' }

func (t textOnly) Write(p []byte) (int, error) {
	if bytes.ContainsFunc(p, isBinary) {
		return 0, errBinary
	}
	return t.out.Write(p)
}

// contentOut returns what content goes to that no file is named for: standard output,
// unless that is a terminal and nobody has asked for it by "-o -".
func (a *app) contentOut(opts *getOptions) io.Writer {
	f, ok := a.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || slices.Contains(opts.outputs, stdoutName) {
		return a.stdout
	}
	return textOnly{f}
}
