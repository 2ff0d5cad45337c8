package loop

import "runtime/debug"

// Source is where a loop has work from beside its socket and its mailbox: a ring of
// commands in memory that somebody else writes to. Its methods are called on the loop's
// goroutine.
type Source interface {
	// Poll does what there is to do, for a few milliseconds at most, and reports
	// whether more is left. It is called in every turn, after the handlers and before
	// anything is sent, so that it is also the time to tell what they brought about.
	Poll() (more bool)
	// Park is called when the loop is about to sleep, and reports whether it may. From
	// then on until Unpark, whoever has something to do must wake it: by its socket's
	// bell (udp.Config), or by Do.
	Park() bool
	// Unpark is called when the loop is awake again.
	Unpark()
}

// recover tells Panicked of a panic, and ends the loop.
func (l *Loop) recover() {
	v := recover()
	if v == nil {
		return
	}
	stack := debug.Stack()
	l.mail.close()
	_ = l.sock.Close() // nothing can be done about a socket that does not close
	l.config.Panicked(v, stack)
}
