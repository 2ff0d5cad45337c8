package loop

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// A loop is crowded where more comes than it takes, for long, and not where senders fill
// the socket's buffer and go no further, lose some on the way, or are many at first.
func TestCrowded(t *testing.T) {
	type period struct {
		queued         int    // bytes, at the end
		lost, messages uint64 // in the period; messages have 1000 bytes
	}
	const full = 8 << 20
	flood := period{full, 500, 1000}
	tests := map[string]struct {
		periods []period
		want    bool
	}{
		"flood":            {[]period{{full, 0, 1000}, flood, flood}, true},
		"buffer full":      {[]period{{full, 0, 1000}, {full, 0, 1000}, {full, 0, 1000}, {full, 0, 1000}}, false},
		"buffer fills":     {[]period{{full / 2, 0, 1000}, {full, 0, 1000}, {full, 0, 1000}, {full, 0, 1000}}, false},
		"some lost":        {[]period{{full, 20, 1000}, {full, 20, 1000}, {full, 20, 1000}, {full, 20, 1000}}, false},
		"too many at once": {[]period{{full, 0, 1000}, flood, {full, 20, 1000}, {full, 0, 1000}, flood}, false},
		"slow":             {[]period{{0, 20, 100}, {0, 20, 100}, {0, 20, 100}}, true},
		"ever more":        {[]period{{1 << 20, 0, 1000}, {2 << 20, 0, 1000}, {3 << 20, 0, 1000}}, true},
		"growing slowly":   {[]period{{1 << 17, 0, 1100}, {1 << 18, 0, 1100}, {1<<18 + 1<<17, 0, 1100}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var p pressure
			r := reading{at: monotime.Time(pressurePeriod)}
			crowded := p.note(r)
			for _, period := range tt.periods {
				r.at = r.at.Add(pressurePeriod)
				r.queued = period.queued
				r.lost += period.lost
				r.messages += period.messages
				r.bytes += 1000 * period.messages
				crowded = p.note(r)
			}
			if crowded != tt.want {
				t.Errorf("crowded = %v, want %v", crowded, tt.want)
			}
		})
	}
}
