package asynclog

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
)

// Records arrive in order, with their attributes, and no goroutine stays.
func TestHandler(t *testing.T) {
	leak.Check(t)
	var out bytes.Buffer
	h := New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	log := slog.New(h).With("a", 1).WithGroup("g")
	log.Info("one", "b", 2)
	log.Debug("not enabled")
	slog.New(h).Warn("two")
	h.Flush()
	h.Flush()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "msg=one a=1 g.b=2") || !strings.Contains(lines[1], "msg=two") {
		t.Errorf("%q", lines)
	}
}

// blocked is a handler that writes nothing until it is opened.
type blocked struct {
	slog.Handler
	open chan struct{}
}

func (b blocked) Handle(ctx context.Context, r slog.Record) error {
	<-b.open
	return b.Handler.Handle(ctx, r)
}

// A writer that blocks holds nobody up; what is left out is counted, and said once.
func TestBlockedWriter(t *testing.T) {
	leak.Check(t)
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		open := make(chan struct{})
		h := New(blocked{slog.NewTextHandler(&out, nil), open})
		log := slog.New(h)
		const seconds = 5
		for range seconds {
			for range 10 * maxPerSecond {
				log.Info("a fault")
			}
			time.Sleep(time.Second)
		}
		h.mu.Lock()
		waiting := len(h.waiting)
		h.mu.Unlock()
		if waiting > maxQueued+1 {
			t.Errorf("%d records wait", waiting)
		}
		began := time.Now()
		h.Flush()
		if d := time.Since(began); d != flushWait {
			t.Errorf("Flush waits for %v, want %v", d, flushWait)
		}
		close(open)
		synctest.Wait()
		log.Info("afterwards")
		h.Flush()
		written := strings.Count(out.String(), "a fault")
		said := 0
		for line := range strings.Lines(out.String()) {
			if _, n, ok := strings.Cut(strings.TrimSpace(line), "records="); ok {
				var count int
				for _, c := range n {
					count = 10*count + int(c-'0')
				}
				said += count
			}
		}
		if written > maxQueued+1 || written+said != seconds*10*maxPerSecond {
			t.Errorf("%d records were written and %d said to be left out, of %d", written, said, seconds*10*maxPerSecond)
		}
		if !strings.Contains(out.String(), "afterwards") {
			t.Error("nothing is written after the writer was blocked")
		}
	})
}
