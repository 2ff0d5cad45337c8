package loop

import (
	"testing"
	"time"

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

// TestBursts: who floods a socket for less than the loop takes to see that it is crowded, and
// pauses until it is empty, again and again, is found out by what is lost meanwhile. Those
// who send too much when they begin, and heed that, are not.
func TestBursts(t *testing.T) {
	const messages, gap = 1000, 10 * time.Millisecond // of a period
	tests := map[string]struct {
		lost func(burst int) uint64 // in each period of a burst
		want bool
	}{
		"flood":          {func(int) uint64 { return 3 * messages }, true},
		"a fifth lost":   {func(int) uint64 { return messages / 5 }, true},
		"a tenth lost":   {func(int) uint64 { return messages / 10 }, false},
		"at first alone": {func(burst int) uint64 { return messages / 100 * uint64(1+99/(1+burst*burst*burst)) / 2 }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var p pressure
			r, crowded := reading{at: 1}, false
			for burst := 0; burst < 20 && !crowded; burst++ {
				p.row = row{} // the socket was empty
				crowded = p.note(r)
				for range crowdedPeriods - 1 {
					r.at = r.at.Add(pressurePeriod)
					r.bytes, r.messages, r.lost = r.bytes+1000*messages, r.messages+messages, r.lost+tt.lost(burst)
					crowded = p.note(r) || crowded
				}
				r.at = r.at.Add(gap)
			}
			if crowded != tt.want {
				t.Errorf("crowded = %v after %v, want %v", crowded, time.Duration(r.at), tt.want)
			}
		})
	}
}
