// Package monotime is the engine's notion of time: nanoseconds on a monotonic
// clock that starts at an arbitrary moment.
//
// The engine never reads a clock. Whoever drives it (an event loop, a
// simulator, a test) passes the present moment in:
//
//	now := monotime.Time(1)
//	deadline := now.Add(25 * time.Millisecond)
//	if !deadline.After(now) { … }
//
// A Time is eight bytes, a third of a time.Time, which matters in tables that
// every connection carries. The zero Time means "not set" or "never".
package monotime

import "time"

// Time is a moment in nanoseconds since the driver's own origin. Zero means
// that no moment is set; a driver's clock therefore starts at 1 or later.
type Time int64

// Add returns the moment d after t. The result for an unset t is meaningless.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Before reports whether t is earlier than u. Both must be set.
func (t Time) Before(u Time) bool { return t < u }

// After reports whether t is later than u. Both must be set.
func (t Time) After(u Time) bool { return t > u }

// IsZero reports whether t is unset.
func (t Time) IsZero() bool { return t == 0 }

// Earliest returns the earlier of two moments; an unset one does not count.
func Earliest(t, u Time) Time {
	if t == 0 || (u != 0 && u < t) {
		return u
	}
	return t
}
