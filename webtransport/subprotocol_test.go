package webtransport

import (
	"errors"
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
		text, ok := formatProtocols(list)
		if !ok {
			t.Fatalf("%q of %q cannot be sent", list, field)
		}
		if again, ok := parseProtocols(text); !ok || !slices.Equal(again, list) {
			t.Fatalf("%q of %q became %q", list, field, again)
		}
	})
}

func TestProtocols(t *testing.T) {
	for name, test := range map[string]struct {
		offered, known []string
		require        bool
		want           string
		fails          bool
	}{
		"none offered":           {nil, []string{"a"}, false, "", false},
		"none known":             {[]string{"a"}, nil, false, "", false},
		"the server's order":     {[]string{"a", "b"}, []string{"b", "a"}, false, "b", false},
		"nothing fits":           {[]string{"a"}, []string{"b"}, false, "", false},
		"the server insists":     {[]string{"a"}, []string{"b"}, true, "", true},
		"odd names":              {[]string{`q"\`, "x"}, []string{`q"\`}, true, `q"\`, false},
		"the server has its way": {[]string{"a", "b"}, []string{"b"}, true, "b", false},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, &Upgrader{Protocols: test.known, RequireProtocol: test.require})
			d := ts.dialer()
			d.Protocols = test.offered
			s, resp, err := d.Dial(testContext(t), "https://"+ts.addr, nil)
			if test.fails {
				var rejected *RejectedError
				if !errors.As(err, &rejected) || resp.StatusCode != 400 {
					t.Errorf("Dial: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.CloseWithError(0, "")
			if server := ts.accept(); s.Protocol() != test.want || server.Protocol() != test.want {
				t.Errorf("chosen %q and %q, want %q", s.Protocol(), server.Protocol(), test.want)
			}
		})
	}
}

// TestClientInsists: a client that needs a subprotocol gives up without.
func TestClientInsists(t *testing.T) {
	ts := serve(t, nil, nil)
	d := ts.dialer()
	d.Protocols, d.RequireProtocol = []string{"a"}, true
	if _, _, err := d.Dial(testContext(t), "https://"+ts.addr, nil); !errors.Is(err, ErrProtocol) {
		t.Errorf("Dial: %v", err)
	}
	<-ts.accept().Context().Done()
}
