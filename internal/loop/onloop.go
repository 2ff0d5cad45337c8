package loop

import (
	"reflect"
	"runtime"
)

// runEntry is where the code of a loop's goroutine begins.
var runEntry = runtime.FuncForPC(reflect.ValueOf((*Loop).run).Pointer()).Entry()

// OnLoop reports whether the caller runs on the goroutine of a loop, of any, where
// nothing may wait. It looks through the calls that led to it, which takes
// microseconds.
func OnLoop() bool {
	var pcs [64]uintptr
	for skip := 1; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		frames := runtime.CallersFrames(pcs[:n])
		for more := n > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if f.Entry == runEntry {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
