//go:build !race

package engine_test

// raceEnabled says whether the race detector watches.
const raceEnabled = false
