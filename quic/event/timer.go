package event

import (
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/monotime"
)

// Timer is a moment at which a handler wants to be told: an entry in the
// connection's table of deadlines, where setting, moving and stopping one costs
// little, and waiting for it nothing. The zero Timer is not set; it is made to be a
// field of what waits. It must not be copied, or moved to another connection, while
// it is set.
type Timer struct {
	entry   loop.Timer
	conn    *face.Conn
	handler TimerHandler
}

// TimerHandler is told when the moment of a Timer has come.
type TimerHandler interface {
	// HandleTimer is called on the connection's loop, once for each time that the
	// Timer was set and not set anew or stopped before, and not after
	// Handler.HandleClose. Like other callbacks it must not block.
	HandleTimer(t Turn, timer *Timer)
}

// TimerFunc is a function as a TimerHandler.
type TimerFunc func(t Turn)

// HandleTimer calls f.
func (f TimerFunc) HandleTimer(t Turn, _ *Timer) { f(t) }

// SetTimer has h called at the moment at, on the clock of Now. It replaces what timer was
// set to before. A moment that has passed comes in the next turn.
func (t Turn) SetTimer(timer *Timer, at time.Duration, h TimerHandler) {
	c := t.of()
	timer.conn, timer.handler = c, h
	c.Link.SetTimer(&timer.entry, monotime.Time(max(at, 1)), (*firing)(timer))
}

// StopTimer makes timer wait no more.
func (t Turn) StopTimer(timer *Timer) { t.of().Link.SetTimer(&timer.entry, 0, nil) }

// Pending reports whether the Timer is set, and its moment has not come. Only callbacks of
// its connection may ask.
func (timer *Timer) Pending() bool { return timer.entry.Set() }

// firing is a Timer as its loop sees it.
type firing Timer

// Fire tells the handler.
func (f *firing) Fire() {
	t := f.conn.Begin()
	defer t.End()
	f.handler.HandleTimer(Turn{t}, (*Timer)(f))
}
