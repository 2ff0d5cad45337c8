package attack

import (
	"regexp"
	"testing"
)

// TestRows checks that each row can be found and understood.
func TestRows(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*$`)
	seen := make(map[string]bool)
	for _, r := range Rows() {
		if !name.MatchString(r.Name) || seen[r.Name] {
			t.Errorf("row %q has no name of its own", r.Name)
		}
		seen[r.Name] = true
		if r.Does == "" || r.Class == "" || r.run == nil {
			t.Errorf("row %s says not what it is, or does nothing", r.Name)
		}
	}
	// Those that a server of ours did not withstand once must stay.
	for _, n := range []string{
		"ack-every-other-2700", "ack-every-other-5400", "ack-every-other-10700",
		"slow-read-4", "slow-read-10", "slow-read-40", "slow-headers", "slow-windows",
		"cookie-bomb", "cookie-bomb-4", "wt-streams-blocked",
		"handshakes-2000", "handshakes-3000", "initials-8000", "initials-200000", "initials-steady",
		"violations-log-unread", "qpack-cancellations",
	} {
		if !seen[n] {
			t.Errorf("there is no row %s", n)
		}
	}
}
