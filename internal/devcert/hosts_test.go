package devcert

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMakeHosts(t *testing.T) {
	long := strings.Repeat("a", 60) + ".example.com"
	for _, hosts := range [][]string{
		{"dev.example.com", "*.dev.example.com", "192.0.2.7", "2001:db8::1"},
		{"host_with-underscore", "x"},
		{long},
	} {
		cert, _, err := Make(time.Now(), hosts...)
		if err != nil {
			t.Errorf("%v: %v", hosts, err)
			continue
		}
		if got := Hosts(cert.Leaf); !slices.Equal(got, hosts) {
			t.Errorf("made for %v, want %v", got, hosts)
		}
		if err := cert.Leaf.VerifyHostname("localhost"); err == nil {
			t.Errorf("%v: valid for localhost too", hosts)
		}
		if name := cert.Leaf.Subject.CommonName; len(name) > maxCommonName {
			t.Errorf("common name of %d bytes", len(name))
		}
	}
}

func TestMakeNoHosts(t *testing.T) {
	for _, host := range []string{
		"", "localhost:4433", "https://localhost", "a b", "münchen.example", "-x.example", "x-.example", "a..b",
		"a.*.example", "*", "[::1]", strings.Repeat("a", 64), strings.Repeat("a.", 130) + "a",
	} {
		if _, _, err := Make(time.Now(), "localhost", host); err == nil || !strings.Contains(err.Error(), "neither a host name nor an IP address") {
			t.Errorf("%q: %v", host, err)
		}
	}
}
