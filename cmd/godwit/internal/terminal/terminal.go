// Package terminal keeps what strangers have written from commanding a terminal:
// close reasons, header fields, names in certificates and in files may hold control
// sequences that clear the screen, change its title or hide what was said.
package terminal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe returns a text in which everything but graphic characters, line ends and tabs
// is written as Go would write it: C0 and C1 controls, carriage return and escape among
// them, bytes that are no UTF-8, which some terminals take for C1 controls, and what
// changes the direction of text or cannot be seen. The text itself comes back if there
// is nothing to change, as there rarely is.
func Safe(text string) string {
	i := strings.IndexFunc(text, unsafe)
	if i < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case unsafe(r):
			quoted := strconv.QuoteRuneToGraphic(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// Line is Safe for what is to be one line.
func Line(text string) string { return Safe(strings.ReplaceAll(text, "\n", "; ")) }

// unsafe reports whether a terminal could take a character for something else than
// one to show. What is no UTF-8 looks like U+FFFD here, and counts.
func unsafe(r rune) bool {
	return r == utf8.RuneError || !unicode.IsGraphic(r) && r != '\n' && r != '\t'
}

// JSON returns a writer for JSON text, in whose strings the same characters are
// escaped: encoding/json leaves all beyond ASCII as they are.
func JSON(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ io.Writer }

// Write takes whole texts, as json.Encoder writes them.
func (w jsonWriter) Write(p []byte) (int, error) {
	text := string(p)
	if strings.IndexFunc(text, unsafe) < 0 {
		return w.Writer.Write(p)
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !unsafe(r):
			b.WriteRune(r)
		case r > 0xffff: // in UTF-16, as JSON has it
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	if _, err := io.WriteString(w.Writer, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
