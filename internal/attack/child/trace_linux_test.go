package child

import (
	"strings"
	"testing"
)

// TestTrace: goroutines are counted, and what is not of a trace is passed on.
func TestTrace(t *testing.T) {
	var tr trace
	log := new(Log)
	tr.copy(log, strings.NewReader(`said before
SCHED 5000ms: gomaxprocs=2 idleprocs=2 threads=6
  P0: status=0 schedtick=1
  M1: p=0 curg=nil
  G1: status=4(select) m=nil lockedm=nil
  G2: status=4(force gc (idle)) m=nil lockedm=nil
  G3: status=6() m=nil lockedm=nil
said between
SCHED 10000ms: gomaxprocs=2
  G1: status=4(select) m=nil lockedm=nil
`))
	if tr.last != 2 || tr.count != 1 {
		t.Errorf("%d goroutines, %d in the last list", tr.last, tr.count)
	}
	if log.Lines() != 2 || log.String() != "said before; said between" {
		t.Errorf("passed on: %s", log)
	}
}

// TestDump: each goroutine of a dump is told with its innermost function.
func TestDump(t *testing.T) {
	tr := trace{dumping: true}
	log := new(Log)
	tr.copy(log, strings.NewReader(`SIGQUIT: quit
PC=0x1 m=0 sigcode=0

goroutine 1 gp=0x1 m=nil [select, 2 minutes]:
main.(*app).serve(0x1, {0x2, 0x3})
	/serve.go:96 +0x1

goroutine 7 [IO wait]:
internal/poll.runtime_pollWait(0x1, 0x72)
	/netpoll.go:1 +0x1

rax    0x1
`))
	if got := strings.Join(tr.dump, "; "); got != "select: main.(*app).serve; IO wait: internal/poll.runtime_pollWait" {
		t.Errorf("%q", got)
	}
	if log.Lines() != 0 {
		t.Errorf("passed on: %s", log)
	}
}
