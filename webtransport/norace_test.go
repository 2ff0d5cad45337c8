//go:build !race

package webtransport

// raceEnabled says whether the race detector watches.
const raceEnabled = false
