package event

import "github.com/godwit-quic/godwit/quic"

// Handler is told what happens on an event-driven connection: see Listen.
// The methods of all handlers run on the goroutine of the connection's event loop,
// one at a time, and every other connection of the loop waits meanwhile. So they
// must not block: they do what Turn can, and leave everything that takes long to
// goroutines, for which Stream.Detach and Run are made.
type Handler interface {
	// HandleStream: the peer opened s. It returns who is told of it, nil for nobody.
	HandleStream(t Turn, s Stream) StreamHandler
	// HandleClose: the connection has ended; err is quic.Conn.Err's. The last call.
	HandleClose(t Turn, err error)
}

// StreamHandler is told what happens on one stream of an event-driven connection,
// as a Handler is.
type StreamHandler interface {
	// HandleReadable: bytes, the end of the stream or an error can be read. It comes
	// once for what is new, so read until Turn.Read returns 0 bytes, or an error:
	// io.EOF is the end. A handler that has no room for more may leave bytes unread, but
	// must come back to them by itself; the peer's sending stops meanwhile.
	HandleReadable(t Turn, s Stream)
	// HandleWritable: after Turn.Write took less than all, there is room again; after
	// Stream.Unsent found something, all of it has been sent; or the sending half has
	// ended, which Turn.Write's error tells.
	HandleWritable(t Turn, s Stream)
	// HandleEnd: a part of the stream has ended, as end says. Of a detached stream
	// nothing else is told. When the connection ends first, HandleReadable and
	// HandleWritable come for the streams that are not detached, and
	// Handler.HandleClose for all, but not this.
	HandleEnd(t Turn, s Stream, end End)
}

// End tells what of a stream has ended, and how.
type End struct {
	Kind Kind
	// Err says with which code, and by whom, the half was cancelled. It is nil for
	// StreamEnded.
	Err *quic.StreamError
	// Lost is a number of bytes: for ReceivingCut those that the peer has sent and
	// nobody will read, for SendingCut those that were written and will not be sent.
	// What a protocol above has to count for its own flow control is what was read
	// and ReceivingCut's Lost, and what was written less SendingCut's, as both ends
	// agree on the final size (RFC 9000, Section 4.5).
	Lost uint64
}

// Kind is what of a stream has ended.
type Kind uint8

// What a StreamHandler is told to have ended. Each comes once at most, and
// StreamEnded comes last.
const (
	// StreamEnded: both halves have ended, in whatever way: all that was written is
	// acknowledged, or a reset of it is, and what was received has been read, or will
	// not be. Nothing further is told of the stream: it is the time for Turn.Release.
	StreamEnded Kind = iota
	// PeerReset: the peer has cancelled what it sends (RESET_STREAM). Bytes that came
	// before may be left to be read.
	PeerReset
	// ReceivingCut: reading has ended before the stream's end, since the peer or
	// CancelRead cancelled it, and the final size is known.
	ReceivingCut
	// SendingCut: writing has ended before all was sent, since CancelWrite or the peer
	// cancelled it.
	SendingCut
)

// TurnHandler is what a Handler implements in addition if it gathers what events
// bring about, or often does without other goroutines.
type TurnHandler interface {
	// HandleTurn comes after a batch of events of the connection, before what they
	// brought about is sent. It reports whether the Handler has made any goroutine
	// runnable since the last time. If so, the event loop lets goroutines run, so that
	// what those write at once leaves together with the acknowledgments of what they
	// answer; that takes time when there are none. A Handler without HandleTurn is
	// taken to have woken some.
	HandleTurn(t Turn) (woke bool)
}

// StreamLimitHandler is what a Handler implements in addition if it opens streams as the
// peer allows.
type StreamLimitHandler interface {
	// HandleStreamsAvailable: the peer has raised a limit of streams. It comes once after
	// Turn.Open has returned ErrStreamLimit, and once after Turn.StreamLimit was called.
	HandleStreamsAvailable(t Turn)
}

// EarlyHandler is what a Handler implements in addition if quic.Config.Allow0RTT has it
// begin before the handshake is complete.
type EarlyHandler interface {
	// HandleHandshakeComplete: Turn.HandshakeComplete returns true from now on. It comes
	// only if that was not so when the Handler was made.
	HandleHandshakeComplete(t Turn)
}

// PathHandler is what a Handler implements in addition if it remembers addresses.
type PathHandler interface {
	// HandlePathChanged: quic.Conn.RemoteAddr or LocalAddr returns another address now.
	HandlePathChanged(t Turn)
}

// SilenceHandler is what a Handler implements in addition if it can do something
// about a peer that may be gone, such as trying another connection.
type SilenceHandler interface {
	// HandleSilent: the peer has answered nothing for several probe timeouts (RFC 9002,
	// Section 6.2), about fourteen round trips and at least 300 ms, though something
	// was sent to it. The connection goes on: the peer may still answer. It comes once
	// for each silence.
	HandleSilent(t Turn)
}

// DatagramHandler is what a Handler implements in addition to be told of
// datagrams.
type DatagramHandler interface {
	// HandleDatagrams: one or more datagrams arrived (RFC 9221). They lie in the packets
	// that they came in, and are the Handler's, as is the list, until it returns.
	HandleDatagrams(t Turn, datagrams [][]byte)
}
