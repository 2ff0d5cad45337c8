package wire

import (
	"strings"
	"testing"
)

func TestReservedVersions(t *testing.T) {
	for _, random := range []uint32{0, 1<<32 - 1, 0x12345678} {
		v := ReservedVersion(random)
		if !v.Reserved() || v.Known() {
			t.Errorf("%#x makes %v", random, v)
		}
	}
	for _, v := range []Version{0, Version1, Version2, 0x0a0a0a0b} {
		if v.Reserved() {
			t.Errorf("%v counts as reserved", v)
		}
	}
}

// Malformed version_information, and what is none in one direction only (RFC 9368,
// Section 4).
func TestVersionInformation(t *testing.T) {
	const v1, v2, grease = "00000001", "6b3343cf", "5a6a7a8a"
	tests := []struct {
		name, value    string
		client, server bool // valid from
	}{
		{"usual", v1 + v2 + v1, true, true},
		{"greased", v1 + grease + v1, true, true},
		{"many", v1 + v1 + strings.Repeat(grease, 300), true, true},
		{"repeated", v1 + v1 + v1, true, true},
		{"none available", v1, false, true},
		{"chosen not available", v1 + v2, false, true},
		{"reserved chosen", grease + v1, false, true},
		{"empty", "", false, false},
		{"three bytes", v1[:6], false, false},
		{"a byte too many", v1 + v1 + "00", false, false},
		{"zero chosen", "00000000" + "00000000", false, false},
		{"zero available", v1 + v1 + "00000000", false, false},
	}
	for _, tt := range tests {
		value := unhex(t, tt.value)
		b := append(appendParam(nil, paramVersionInformation, len(value)), value...)
		for from, valid := range map[Side]bool{ClientSide: tt.client, ServerSide: tt.server} {
			p, err := ParseTransportParameters(b, from)
			if (err == nil) != valid || err != nil && !strings.Contains(err.Error(), "version_information") {
				t.Errorf("%s from a %v: %+v, %v", tt.name, from, p.VersionInformation, err)
			}
			if err == nil && len(p.VersionInformation.Available) != len(value)/4-1 {
				t.Errorf("%s from a %v: %+v", tt.name, from, p.VersionInformation)
			}
		}
	}
}
