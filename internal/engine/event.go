package engine

// EventKind says what an Event tells.
type EventKind uint8

// The kinds of events.
const (
	// EventHandshakeComplete: the application may use the connection
	// (RFC 9001, Section 4.1.1). At most once.
	EventHandshakeComplete EventKind = iota
	// EventEarly: the application may use the connection though the handshake is not
	// complete: see Conn.EarlyAccepted. It comes before EventHandshakeComplete, and
	// before what a client sent early is told; at most once for a server.
	EventEarly
	// EventStreamOpened: the peer opened Stream. Comes before any other event
	// of that stream.
	EventStreamOpened
	// EventStreamReadable: Stream.Recv has something new: bytes, FIN, a reset
	// or the connection's end.
	EventStreamReadable
	// EventStreamWritable: a write to Stream.Send that found it full may
	// proceed, or the send half ended (STOP_SENDING, the connection's end).
	EventStreamWritable
	// EventStreamSent: the send half of Stream ended: the peer acknowledged
	// all of it or its reset.
	EventStreamSent
	// EventStreamEnded: both halves of Stream have ended, and the engine has
	// forgotten it. The last event of a stream that ends before its connection.
	EventStreamEnded
	// EventStreamsAvailable: the peer raised a stream limit.
	EventStreamsAvailable
	// EventDatagrams: PollDatagrams has something new. It must be called while the
	// packets that brought it are there.
	EventDatagrams
	// EventPathChanged: the peer's address changed and was accepted, or this side, a
	// client, has moved.
	EventPathChanged
	// EventPaths: Conn.PathStanding of a client's path may have changed, or what ProbePath
	// says.
	EventPaths
	// EventSilent: the peer answers nothing any more, and may be gone: see
	// silentAfter. It comes once, and again after the peer was heard.
	EventSilent
	// EventClosed: the connection ended for the application; Err says why.
	// Every stream's buffers carry the error too. Nothing but EventReleased
	// comes after it.
	EventClosed
	// EventReleased: the closing or draining period is over, the endpoint has
	// forgotten the connection, and it must not be used any more.
	EventReleased
)

// eventSet has a bit for each kind of event.
type eventSet uint16

// Event is something the application may want to know.
type Event struct {
	Kind   EventKind
	Stream *Stream
	Err    error
}
