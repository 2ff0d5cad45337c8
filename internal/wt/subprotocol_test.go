package wt

import (
	"slices"
	"testing"
)

func TestParseProtocols(t *testing.T) {
	for field, want := range map[string][]string{
		``:                              {},
		`"a"`:                           {"a"},
		`"a", "b","c"`:                  {"a", "b", "c"},
		`"a";q=1, "b";x;y="z,;"`:        {"a", "b"},
		`"with \"quotes\" and \\"`:      {`with "quotes" and \`},
		` "blanks"  ,` + "\t" + `"tab"`: {"blanks", "tab"},
		`a`:                             nil,
		`"a", b`:                        nil,
		`"a",`:                          nil,
		`"a" "b"`:                       nil,
		`"open`:                         nil,
		`"wrong \escape"`:               nil,
		"\"\x01\"":                      nil,
		`("a" "b")`:                     nil,
		`"a";=1`:                        nil,
	} {
		got, ok := parseProtocols(field)
		if ok != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", field, got, ok, want)
		}
	}
}

func FuzzParseProtocols(f *testing.F) {
	f.Add(`"a", "b";q="x"`)
	f.Fuzz(func(t *testing.T, field string) {
		list, ok := parseProtocols(field)
		if !ok {
			return
		}
		text, ok := FormatProtocols(list)
		if !ok {
			t.Fatalf("%q of %q cannot be sent", list, field)
		}
		if again, ok := parseProtocols(text); !ok || !slices.Equal(again, list) {
			t.Fatalf("%q of %q became %q", list, field, again)
		}
	})
}
