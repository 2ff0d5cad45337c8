package webtransport

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// idleWatch ends a session in which the peer sends nothing (Config.IdleTimeout).
type idleWatch struct {
	session *Session
	timeout time.Duration
	heard   atomic.Int64 // when something was received last, a time.Duration since start
	start   time.Time

	mu    sync.Mutex
	timer *time.Timer // nil before begin
}

func newIdleWatch(s *Session, timeout time.Duration) *idleWatch {
	return &idleWatch{session: s, timeout: timeout, start: time.Now()}
}

// begin starts to watch.
func (w *idleWatch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.timeout, w.check)
}

// end ends it.
func (w *idleWatch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// check closes the session if it is idle, or looks again when it may be. There is
// one timer for each session, however much it receives.
func (w *idleWatch) check() {
	idle := time.Since(w.start) - time.Duration(w.heard.Load())
	if idle >= w.timeout {
		_ = w.session.CloseWithError(0, fmt.Sprintf("nothing was received for %v", w.timeout))
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.session.endedWith() == nil {
		w.timer.Reset(w.timeout - idle)
	}
}

// received notes that the peer has sent something. Any goroutine may call it.
func (s *Session) received() {
	if w := s.idle; w != nil {
		w.heard.Store(int64(time.Since(w.start)))
	}
}
