package h3

import "github.com/godwit-quic/godwit/internal/monotime"

// Stream is a QUIC stream as a Conn and its RequestStreams use it. Errors are the
// host's own: they are handed on as they are.
type Stream interface {
	// Read reads what has arrived: it returns 0 and nil when nothing has, io.EOF at
	// the end, and otherwise the error by which the stream has ended. With an empty p
	// it only tells whether the peer has cancelled the stream, even if bytes that came
	// before have not been read. A RequestStream that is used elsewhere (Detach) may
	// have a Stream that waits.
	Read(p []byte) (int, error)
	// Write takes as much of p as there is room for, and does not keep it. With fin it
	// takes all of p, whatever the room, and ends the sending half.
	Write(p []byte, fin bool) (int, error)
	// Room returns how many bytes Write would take now.
	Room() int
	// Reset ends the sending half abruptly (RESET_STREAM), and Stop the receiving half
	// (STOP_SENDING). Any goroutine that uses the stream may call them; they do nothing
	// when that half has ended.
	Reset(code ErrorCode)
	Stop(code ErrorCode)
	// SetHandler says who is told of the stream from now on, nil for nobody.
	SetHandler(h StreamHandler)
}

// StreamHandler is told what happens on a stream.
type StreamHandler interface {
	// HandleReadable: bytes, the end or an error can be read that could not before.
	HandleReadable(now monotime.Time)
	// HandleWritable: after Write took less than all there is room again, or the
	// sending half has ended, which Write's error tells.
	HandleWritable(now monotime.Time)
}

// ErrPaused marks errors of a Stream's Read, by errors.Is, after which reading can
// go on, such as a deadline's.
var ErrPaused error = pausedError{}

type pausedError struct{}

func (pausedError) Error() string { return "h3: reading was interrupted" }

// Transport is the QUIC connection below a Conn.
type Transport interface {
	// OpenUni opens a unidirectional stream, whose bytes should leave before those of
	// other streams, as these may wait for what it says. It returns nil when the peer
	// allows none now; Conn.HandleStreamsAvailable is to be called when it does.
	OpenUni(h StreamHandler) Stream
	// SendDatagram sends a DATAGRAM frame whose data begins with an HTTP datagram's
	// quarter stream ID and goes on with p. It keeps neither. It is called by
	// RequestStream.SendDatagram alone, which hands its error on.
	SendDatagram(quarterID, p []byte) error
	// Close closes the connection.
	Close(code ErrorCode, reason string)
	// CountBuffered counts n more bytes, or less, that are kept of what the peer sent,
	// where flow control does not see them any more. It reports whether there is room.
	CountBuffered(n int) bool
	// Post calls f soon, on the goroutine of the Conn. RequestStreams that are used
	// elsewhere call it on their goroutines.
	Post(f func())
}

// Handler is told what happens on a Conn. Its methods must not block.
type Handler interface {
	// HandleSettings: the peer's SETTINGS have arrived, which Conn.PeerSettings
	// returns. It is called once.
	HandleSettings(now monotime.Time)
	// HandleGoAway: the peer has sent GOAWAY. For a client, it will not process
	// requests on streams from id on (RFC 9114, Section 5.2). It may come again, with
	// a smaller id.
	HandleGoAway(now monotime.Time, id uint64)
	// HandleExtensionStream: the peer opened a stream that is an extension's: t is the
	// type or the signal that Conn.Claim claimed. It has been read, and nothing beyond.
	// The extension is to call SetHandler, and to read what has arrived.
	HandleExtensionStream(now monotime.Time, id, t uint64, s Stream)

	// NewRequest returns memory for the request stream s that a client opened.
	NewRequest(s Stream) *RequestStream
	// Admit says whether the request is to be read whose header section is complete,
	// and not decoded.
	Admit(rs *RequestStream) Admission
	// HandleRequest: a request has begun. h and what it refers to are the handler's,
	// but for the memory of h.Fields, which is valid during the call.
	HandleRequest(now monotime.Time, rs *RequestStream, h *RequestHeader)
	// HandlePriority: a client changes the priority of a request (RFC 9218, Section
	// 7). It reports whether a stream with this ID is there.
	HandlePriority(id uint64, p Priority) bool

	// HandleInterim: an interim response (1xx) has come. h is as in HandleRequest. An
	// error ends the request; RequestStream.Pause has the next response wait.
	HandleInterim(now monotime.Time, rs *RequestStream, h *ResponseHeader) error
	// HandleResponse: the final response has begun. h is as in HandleRequest.
	HandleResponse(now monotime.Time, rs *RequestStream, h *ResponseHeader)

	// HandleFailed: the header section of a request or response will not come: the
	// stream was reset, or what came was refused, which has been done. The machine
	// does not know the stream any more.
	HandleFailed(rs *RequestStream, err error)
	// HandleLargeSection: a header section is too large to be decoded here
	// (Config.LoopSection). s.DecodeRequest or DecodeResponse does it on any
	// goroutine; then Conn.HandleDecoded takes it.
	HandleLargeSection(rs *RequestStream, s *LargeSection)
	// HandleContent: RequestStream.Read finds something new, be it the end.
	HandleContent(now monotime.Time, rs *RequestStream)
	// HandleUnblocked: Read of a RequestStream that is used elsewhere, which returned
	// ErrBlocked, may be called again. It is called on any goroutine.
	HandleUnblocked(rs *RequestStream)
	// HandleWritable: RequestStream.Write, which took less than all, may be called
	// again, all of what Send took has been handed on, or the sending half has ended.
	HandleWritable(now monotime.Time, rs *RequestStream)
	// HandleHTTPDatagrams: HTTP datagrams of a request have come (RFC 9297). The list, and
	// what is in it, are the handler's during the call.
	HandleHTTPDatagrams(now monotime.Time, rs *RequestStream, list [][]byte)
	// HandleStrayDatagrams: HTTP datagrams have come for a stream of which TakeDatagrams
	// was not called. It reports whether there is a request. One that has no use for
	// datagrams is to be ended with DatagramError (RFC 9297, Section 2). If there is none,
	// a server's Conn keeps them for one to come.
	HandleStrayDatagrams(id uint64) (known bool)
	// HandleLeft: what Conn.Leave began is over: the connection may be closed as soon
	// as nothing is left to do.
	HandleLeft(now monotime.Time)
}

// Admission is what becomes of a request.
type Admission uint8

const (
	// Admit: it is read.
	Admit Admission = iota
	// Busy: it is rejected for want of room; the client may send it again (RFC 9114,
	// Section 4.1.1).
	Busy
	// Flood: it is rejected, as the client keeps too many busy, and counts as useless
	// work.
	Flood
)
