package child

import (
	"bufio"
	"io"
	"strings"
	"sync"
	"syscall"
)

// traceEnv has Go's runtime write all goroutines to the standard error, every five
// seconds: "SCHED 5010ms: …", and then a line for each processor, thread and
// goroutine (package runtime, "Environment Variables").
const traceEnv = "GODEBUG=schedtrace=5000,scheddetail=1"

// trace counts goroutines in what the runtime writes.
type trace struct {
	mu      sync.Mutex
	count   int // so far, in the list that is being read
	last    int // in the list before
	dumping bool
	dump    []string // of goroutines, by Dump
}

// Goroutines returns how many goroutines the server had, its runtime's included, 5 to
// 10 seconds ago. It is 0 without Options.Trace, and at the beginning.
func (s *Server) Goroutines() int {
	s.trace.mu.Lock()
	defer s.trace.mu.Unlock()
	return s.trace.last
}

// Dump ends the server and returns where its goroutines were: one line for each, with
// the function that is innermost.
func (s *Server) Dump() []string {
	s.trace.mu.Lock()
	s.trace.dumping = true
	s.trace.mu.Unlock()
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	<-s.done
	if s.unread != nil {
		return nil
	}
	<-s.read
	s.trace.mu.Lock()
	defer s.trace.mu.Unlock()
	return s.trace.dump
}

// copy passes on what r has beside traces, until its end.
func (t *trace) copy(w io.Writer, r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if line := lines.Text(); !t.line(line) {
			_, _ = io.WriteString(w, line+"\n") // a log does not fail
		}
	}
	_, _ = io.Copy(w, r) // after a line that is longer than any of a trace
}

// line reports whether a line belongs to a trace, and takes note of what it says.
func (t *trace) line(line string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.dumping:
		t.readDump(line)
		return true
	case strings.HasPrefix(line, "SCHED "):
		t.last, t.count = t.count, 0
	case strings.HasPrefix(line, "  G"):
		const dead = ": status=6(" // its memory waits for another goroutine
		if !strings.Contains(line, dead) {
			t.count++
		}
	case strings.HasPrefix(line, "  P"), strings.HasPrefix(line, "  M"):
	default:
		return false
	}
	return true
}

// readDump reads "goroutine 1 [select]:" and the line after it, "path.function(…)".
func (t *trace) readDump(line string) {
	last := len(t.dump) - 1
	switch {
	case strings.HasPrefix(line, "goroutine "):
		_, state, _ := strings.Cut(line, "[")
		state, _, _ = strings.Cut(state, "]")
		state, _, _ = strings.Cut(state, ",") // and for how long
		t.dump = append(t.dump, state+": ")
	case last >= 0 && strings.HasSuffix(t.dump[last], ": "):
		t.dump[last] += line[:max(strings.LastIndex(line, "("), 0)]
	}
}
