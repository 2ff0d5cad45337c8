package quic

// Handler is told what happens on an event-driven connection: see
// Config.NewHandler. Its methods run on the goroutine of the connection's event
// loop, one at a time, and every other connection of the loop waits meanwhile.
// So they must not block: they use Stream.TryRead, TryWrite, WriteLast, Close,
// CancelRead, CancelWrite and Conn.TryOpenStream, and leave everything that
// takes long to a goroutine, for which Stream.Detach is made.
type Handler interface {
	// HandleStream: the peer opened s. It comes before the other calls about s.
	HandleStream(s *Stream)
	// HandleReadable: bytes, the end of the stream or an error can be read.
	// It comes once for what is new, so read until TryRead returns 0 bytes.
	HandleReadable(s *Stream)
	// HandleWritable: after TryWrite took less than all, there is room again;
	// or the sending half has ended, which TryWrite's error tells.
	HandleWritable(s *Stream)
	// HandleStreamsAvailable: the peer raised a stream limit after
	// TryOpenStream or OpenStreamNow had returned ErrStreamLimit, or
	// PeerStreamLimit had been asked.
	HandleStreamsAvailable(c *Conn)
	// HandleClose: the connection has ended; err is Conn.Err's. The last call.
	HandleClose(c *Conn, err error)
}

// Waker is what a Handler implements in addition if it often does without other
// goroutines. After handlers have run, the event loop lets the goroutines run that
// they woke, so that what those write at once leaves together with the
// acknowledgments of what they answer. That takes time when there are none.
type Waker interface {
	// Woke reports whether the Handler made any goroutine runnable since Woke was
	// called last. Of Handlers without the method that is taken for granted.
	Woke() bool
}

// PathHandler is what a Handler implements in addition if it remembers addresses.
type PathHandler interface {
	// HandlePathChanged: Conn.RemoteAddr or LocalAddr returns another address now.
	HandlePathChanged(c *Conn)
}

// SilenceHandler is what a Handler implements in addition if it can do something
// about a peer that may be gone, such as trying another connection.
type SilenceHandler interface {
	// HandleSilent: the peer has answered nothing for several probe timeouts (RFC 9002,
	// Section 6.2), about fourteen round trips and at least 300 ms, though something
	// was sent to it. The connection goes on: the peer may answer yet. It comes once
	// for each silence.
	HandleSilent(c *Conn)
}
