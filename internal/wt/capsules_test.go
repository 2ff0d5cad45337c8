package wt

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/internal/h3"
)

// FuzzParseClose checks that a reason goes out as it came, or as much of it as may be sent.
func FuzzParseClose(f *testing.F) {
	for _, value := range []string{"", "\x00\x00\x00", "\x00\x00\x00\x2a", "\xff\xff\xff\xffso long", "\x00\x00\x00\x00\xff", "\x00\x00\x00\x01" + strings.Repeat("\u00e4", 512) + "x"} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		closed, err := parseClose(value)
		if err != nil {
			return
		}
		reason := truncateReason(closed.Reason)
		if !utf8.ValidString(reason) || !strings.HasPrefix(closed.Reason, reason) || len(reason) > MaxReason {
			t.Fatalf("%q was cut to %q", closed.Reason, reason)
		}
		if len(closed.Reason) > MaxReason && len(reason) <= MaxReason-utf8.UTFMax {
			t.Fatalf("%d bytes of %d are left", len(reason), len(closed.Reason))
		}
		want := h3.AppendCapsule(nil, CapsuleClose, append(value[:4:4], reason...))
		if got := appendClose(nil, closed.Code, reason); string(got) != string(want) {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}
