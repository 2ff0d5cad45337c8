package h3

import (
	"strconv"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// MaxUnsent is how many bytes Send keeps that the stream does not take, before it
// gives up: more than any control protocol has to say, and than a relay should let
// wait.
const MaxUnsent = 1 << 20

// SendHeaders sends a header section: of a request, or of an interim or final response.
// fin says that nothing follows.
func (rs *RequestStream) SendHeaders(fields []qpack.Field, fin bool) error {
	sc := getScratch()
	defer sc.release()
	b, due := rs.appendHeaders(sc.buf[:0], fields)
	if due {
		rs.conn.flushQPACK()
	}
	return rs.send(b, fin)
}

// SendMessage sends all of a message that is there already: its header section, and
// content and trailers, of which there may be none. Of small ones one piece is made.
func (rs *RequestStream) SendMessage(fields []qpack.Field, content []byte, trailers []qpack.Field) error {
	sc := getScratch()
	defer sc.release()
	b, due := rs.appendHeaders(sc.buf[:0], fields)
	if len(content) > 0 {
		rs.TraceData(len(content))
		b = append(AppendFrameHeader(b, FrameData, uint64(len(content))), content...)
	}
	if len(trailers) > 0 {
		var more bool
		b, more = rs.appendHeaders(b, trailers)
		due = due || more
	}
	if due {
		rs.conn.flushQPACK()
	}
	return rs.send(b, true)
}

// SendFrames sends frames that the host has made, none of them the last. Of what the
// stream does not take now a copy is kept.
func (rs *RequestStream) SendFrames(b []byte) error { return rs.send(b, false) }

// Flush sends what is kept. After Detach the new owner calls it before it writes to the
// stream itself, and it waits until the stream has taken everything.
func (rs *RequestStream) Flush() {
	if len(rs.unsent) > 0 {
		rs.flush()
	}
}

// SendTrailers sends a trailer section, with which the message ends.
func (rs *RequestStream) SendTrailers(fields []qpack.Field) error {
	return rs.SendHeaders(fields, true)
}

// Write sends content in a DATA frame of its own, as far as there is room, and returns
// how much of p that was. After less than all, Handler.HandleWritable tells when to go
// on with the rest: no other bytes may follow. With fin the message ends, once all of p
// was taken. The error is the stream's.
func (rs *RequestStream) Write(p []byte, fin bool) (int, error) {
	if len(rs.unsent) > 0 && !rs.flush() {
		return 0, nil
	}
	if rs.frameLeft == 0 && len(p) > 0 {
		var header [MaxFrameHeaderSize]byte
		rs.frameLeft = len(p)
		rs.TraceData(len(p))
		if err := rs.send(AppendFrameHeader(header[:0], FrameData, uint64(len(p))), false); err != nil {
			return 0, err
		}
		if len(rs.unsent) > 0 {
			return 0, nil
		}
	}
	if fin && len(p) > 0 && rs.stream.Room() < len(p) {
		fin = false
	}
	n, err := rs.stream.Write(p, fin)
	rs.frameLeft = max(0, rs.frameLeft-n)
	return n, err
}

// FrameLeft returns how many bytes the DATA frame is still to have that Write has begun and
// could not finish; the next Write must have no more.
func (rs *RequestStream) FrameLeft() int { return rs.frameLeft }

// Send sends content in a DATA frame of its own. Of what the stream does not take now a
// copy is kept: whoever sends more than the peer reads should look at Unsent, and wait for
// Handler.HandleWritable. When MaxUnsent bytes are kept already, Send returns an error
// and the host should cancel the stream with it.
func (rs *RequestStream) Send(p []byte) error {
	if len(rs.unsent) >= MaxUnsent {
		return &StreamError{ExcessiveLoad, "peer does not read what is sent"}
	}
	rs.TraceData(len(p))
	rs.unsent = append(AppendFrameHeader(rs.unsent, FrameData, uint64(len(p))), p...)
	rs.flush()
	return nil
}

// SendLast is Send for the last content, if any, and ends the message. Whatever the
// peer's flow control says, it does not wait.
func (rs *RequestStream) SendLast(p []byte) {
	if len(p) > 0 {
		rs.TraceData(len(p))
		rs.unsent = append(AppendFrameHeader(rs.unsent, FrameData, uint64(len(p))), p...)
	}
	_, _ = rs.stream.Write(rs.unsent, true) // fails only when the peer does not want it
	rs.unsent = nil
}

// Unsent returns how many bytes given to Send the stream has not taken.
func (rs *RequestStream) Unsent() int { return len(rs.unsent) }

// TakeUnsent returns what SendHeaders has kept, for a host that has another goroutine write
// it, and what follows it.
func (rs *RequestStream) TakeUnsent() []byte {
	b := rs.unsent
	rs.unsent = nil
	return b
}

// send sends frames, of which a copy is kept if the stream does not take them now.
func (rs *RequestStream) send(b []byte, fin bool) error {
	if fin {
		b = append(rs.unsent, b...)
		rs.unsent = nil
		_, err := rs.stream.Write(b, true)
		return err
	}
	if len(rs.unsent) > 0 {
		rs.unsent = append(rs.unsent, b...)
		return nil
	}
	n, err := rs.stream.Write(b, false)
	if err == nil && n < len(b) {
		rs.unsent = append(rs.unsent, b[n:]...)
	}
	return err
}

// flush sends what is kept, and reports whether nothing is left.
func (rs *RequestStream) flush() bool {
	n, err := rs.stream.Write(rs.unsent, false)
	if err != nil {
		rs.unsent = nil // the reading half tells, or who closed it knows
		return true
	}
	if rs.unsent = rs.unsent[n:]; len(rs.unsent) > 0 {
		return false
	}
	rs.unsent = nil
	return true
}

// statusTooLarge is that of a request with too large a header (RFC 6585, Section 5).
const statusTooLarge = 431

// Answer sends a response without content, to a request whose content nobody wants. It
// counts as wasted.
func (rs *RequestStream) Answer(status int) {
	rs.phase, rs.err = phaseOver, errGivenUp
	rs.Abandon()
	rs.stream.SetHandler(nil)
	rs.respond(status)
	rs.conn.waste()
}

// respond sends a response without content, and takes no more of the request.
func (rs *RequestStream) respond(status int) {
	b, mark := BeginHeaders(make([]byte, 0, 64))
	b = qpack.AppendField(qpack.AppendPrefix(b), ":status", strconv.Itoa(status))
	b = qpack.AppendField(b, "content-length", "0")
	_, _ = rs.stream.Write(EndHeaders(b, mark), true) // the client may be gone
	rs.stream.Stop(NoError)                           // RFC 9114, Section 4.1
}
