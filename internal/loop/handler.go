package loop

import "github.com/godwit-quic/godwit/internal/engine"

// Handler is told what happens to one connection. Its methods run on the
// loop's goroutine and must not block: every connection of the loop waits for
// them. They may call every method of Conn, Stream and Loop but Loop.Close.
type Handler interface {
	// HandleEarly: the connection may be used though the handshake is not complete: see
	// engine.EventEarly. It comes before HandleHandshakeComplete, or not at all.
	HandleEarly()
	// HandleHandshakeComplete: the connection may be used.
	HandleHandshakeComplete()
	// HandleStreamOpened: the peer opened s; comes before its other events.
	HandleStreamOpened(s *engine.Stream)
	// HandleReadable: s.Recv has something new: bytes, FIN or an error.
	HandleReadable(s *engine.Stream)
	// HandleWritable: s.Send has room again after it was full, or an error.
	HandleWritable(s *engine.Stream)
	// HandleSent: the peer acknowledged all of s or its reset.
	HandleSent(s *engine.Stream)
	// HandleStreamEnded: both halves of s have ended: its last event.
	HandleStreamEnded(s *engine.Stream)
	// HandleStreamSettled: Stream.Settle was called, and nothing is pending on s.
	HandleStreamSettled(s *engine.Stream)
	// HandleStreamsAvailable: the peer raised a stream limit.
	HandleStreamsAvailable()
	// HandleDatagrams: datagrams have arrived. The list, and what is in it, are the
	// handler's until it returns.
	HandleDatagrams(list [][]byte)
	// HandlePathChanged: Conn.Path returns another path now.
	HandlePathChanged()
	// HandlePaths: Conn.PathStanding may return something else now.
	HandlePaths()
	// HandleSilent: the peer does not answer: see engine.EventSilent.
	HandleSilent()
	// HandleUnreachable: this machine has no way to the peer at present, or, before
	// the peer's first answer, the peer's machine says that nobody listens. The
	// connection goes on: it may come back.
	HandleUnreachable(err error)
	// Woke reports whether the other methods made goroutines runnable since it
	// was called last, which may write soon.
	Woke() bool
	// HandleClosed: the connection ended; err is the engine's.
	HandleClosed(err error)
	// HandleReleased: the connection is forgotten; the last call.
	HandleReleased()
}
