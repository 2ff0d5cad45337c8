package http3

import (
	"strings"
	"testing"
	"time"
)

func TestParseAltSvc(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		value string
		addr  string // "" for none
		age   time.Duration
		clear bool
	}{
		{`h3=":443"`, ":443", day, false},
		{`h3=":443"; ma=3600`, ":443", time.Hour, false},
		{`h3="alt.example:8443"; ma=60; persist=1`, "alt.example:8443", time.Minute, false},
		{`h3="[2001:db8::1]:443"`, "[2001:db8::1]:443", day, false},
		{`h2=":443", h3=":444";MA=5`, ":444", 5 * time.Second, false},
		{`h3=":1", h3=":2"`, ":1", day, false},
		{`h3-29=":443", w="a,b;c=\"d", h3=":445"`, ":445", day, false},
		{`h3="\:443"`, ":443", day, false},
		{`h3=:443`, ":443", day, false},
		{`h3=":443"; ma=99999999999`, ":443", day, false}, // no number
		{`h3=":443"; ma=4000000000`, ":443", maxAltSvcAge, false},
		{`h3=":443"; ma=0`, ":443", 0, false},
		{` clear `, "", 0, true},
		{``, "", 0, false},
		{`h3`, "", 0, false},
		{`h3=""`, "", 0, false},
		{`h3="443"`, "", 0, false},
		{`h3=":0"`, "", 0, false},
		{`h3=":65536"`, "", 0, false},
		{`h3=":https"`, "", 0, false},
		{`h3=":443`, "", 0, false},
		{`H3=":443"`, "", 0, false}, // ALPN names are case-sensitive
		{strings.Repeat(" ", maxAltSvc) + `h3=":443"`, "", 0, false},
	} {
		alt, found, clear := parseAltSvc(tt.value)
		if alt.addr != tt.addr || alt.age != tt.age && found || found != (tt.addr != "") || clear != tt.clear {
			t.Errorf("%q is %+v, %v, clear %v", tt.value, alt, found, clear)
		}
	}
	if alt, found, _ := parseAltSvc(altSvcAt(4433)); !found || alt != (alternative{":4433", day}) {
		t.Errorf("our own is %+v, %v", alt, found)
	}
}

func FuzzParseAltSvc(f *testing.F) {
	f.Add(`h3=":443"; ma=3600, h2="x"`)
	f.Add(`a="\`)
	f.Fuzz(func(t *testing.T, value string) {
		alt, found, clear := parseAltSvc(value)
		if found && (clear || alt.addr == "" || alt.age < 0 || alt.age > maxAltSvcAge) {
			t.Errorf("%q is %+v, clear %v", value, alt, clear)
		}
	})
}
