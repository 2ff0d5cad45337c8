package port

import (
	"strings"
	"testing"
)

// What is said of a command that makes no sense fits into the ring, however long the
// command was: an event that never did would keep all others back.
func TestLongTexts(t *testing.T) {
	h := open(t, Config{Events: MinRing})
	long := strings.Repeat("\x01", 150<<10)
	c := h.connect("127.0.0.1:1", "protocol", long)
	if f := h.want(EvClosed, c).failure(); f.kind != ErrOption || !strings.HasPrefix(f.text, "option protocol") {
		t.Errorf("kind %d, %.80q", f.kind, f.text)
	}
	h.pair()
}
