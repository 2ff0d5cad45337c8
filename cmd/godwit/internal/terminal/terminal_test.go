package terminal

import (
	"encoding/json"
	"strings"
	"testing"
)

// hostile are texts that a terminal would take for commands, and what is shown.
var hostile = map[string]string{
	"plain, 日本語, é, tab\t":      "plain, 日本語, é, tab\t",
	"\x1b]0;pwned\a":            `\x1b]0;pwned\a`,
	"\x1b[2J\x1b[31m":           `\x1b[2J\x1b[31m`,
	"hidden\rshown":             `hidden\rshown`,
	"\u009b31m":                 `\u009b31m`, // CSI, C1 as UTF-8
	"\x9b31m":                   `\x9b31m`,   // and as a byte
	"\u202egpj.exe\u2066":       `\u202egpj.exe\u2066`,
	"zero\u200bwidth":           `zero\u200bwidth`,
	"back\b\x7f\x00":            `back\b\x7f\x00`,
	"line\u2028separator":       `line\u2028separator`,
	"\xc3\x28 and \xed\xa0\x80": `\xc3( and \xed\xa0\x80`,
	"tag \U000e0041":            `tag \U000e0041`,
}

func TestSafe(t *testing.T) {
	for text, want := range hostile {
		if got := Safe(text); got != want {
			t.Errorf("Safe(%q) = %q, want %q", text, got, want)
		}
	}
	if got := Line("one\ntwo\r\n"); got != `one; two\r; ` {
		t.Errorf("Line: %q", got)
	}
}

// TestJSON: what is written means the same, and is safe.
func TestJSON(t *testing.T) {
	for text := range hostile {
		var b strings.Builder
		if err := json.NewEncoder(JSON(&b)).Encode(text); err != nil {
			t.Fatal(err)
		}
		if Safe(b.String()) != b.String() {
			t.Errorf("%q is written as %s", text, b.String())
		}
		var got string
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil || got != strings.ToValidUTF8(text, "\ufffd") && !strings.ContainsRune(got, '\ufffd') {
			t.Errorf("%q comes back as %q, %v", text, got, err)
		}
	}
}
