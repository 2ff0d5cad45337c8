package wt

import "github.com/godwit-quic/godwit/internal/h3"

// EventKind says what an Event tells.
type EventKind uint8

// The kinds of events for the application.
const (
	// EventSettled: the peer's SETTINGS are known, so that requests can be made
	// and answered. At most once.
	EventSettled EventKind = iota + 1
	// EventAdmission: Admission waits no more.
	EventAdmission
	// EventIncoming: Stream, one of the peer's, waits in Session to be accepted.
	EventIncoming
	// EventMayOpen: Stream, which this end wanted to open, may be opened now, or
	// its session has ended.
	EventMayOpen
	// EventMayWrite: Allow returned 0 for Stream, and may not any more.
	EventMayWrite
	// EventDatagram: a datagram waits in Session, where none did.
	EventDatagram
	// EventDraining: the peer, or the connection's GOAWAY, asks for Session to be
	// ended soon. At most once for each.
	EventDraining
	// EventEnded: Session has ended, and Err says why: nothing can be sent or
	// accepted in it any more. What has arrived may still be read. Once for each,
	// before what the connection below has to do for it.
	EventEnded
)

// The kinds of events that the connection below has something to do for.
const (
	// EventContent: Session has content to send on its CONNECT stream, which
	// PollContent returns: to be called when what was sent on it before has left.
	EventContent EventKind = iota + 100
	// EventFinish: send Data, if there is any, as the last content of Session's
	// CONNECT stream, and finish it; whatever the peer's flow control says, and
	// before what the events that follow ask for.
	EventFinish
	// EventAbort: reset Session's CONNECT stream, and stop reading it, with Code.
	EventAbort
	// EventStopReading: stop reading Session's CONNECT stream, with Code.
	EventStopReading
	// EventReset: reset Stream with Code. Its header must arrive all the same if
	// this end wrote it (Section 4.4).
	EventReset
	// EventStop: stop reading Stream with Code. HandleDiscarded is to follow, as
	// after a cancellation by the application.
	EventStop
	// EventClose: finish Stream, whose end had to wait.
	EventClose
	// EventFail: close the connection with Code; Err says why.
	EventFail
)

// Event is something that follows from what the machine was told.
type Event struct {
	Kind      EventKind
	Session   *Session
	Stream    *Stream
	Admission *Admission
	Code      h3.ErrorCode
	Data      []byte // the receiver's
	Err       error
}

// PollEvents moves the next events to dst and returns how many. They come in the
// order in which they must be acted on.
func (c *Conn) PollEvents(dst []Event) int {
	n := copy(dst, c.events)
	clear(c.events[:n])
	if c.events = c.events[n:]; len(c.events) == 0 {
		c.events = c.eventRoom[:0]
	}
	return n
}

// HasEvents reports whether PollEvents would return any.
func (c *Conn) HasEvents() bool { return len(c.events) > 0 }

func (c *Conn) emit(e Event) {
	if len(c.events) == 0 {
		c.events = c.eventRoom[:0]
	}
	c.events = append(c.events, e)
}
