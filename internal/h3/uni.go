package h3

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// StreamType is the type of a unidirectional stream (RFC 9114, Section 6.2).
type StreamType uint64

// The stream types of RFC 9114 and RFC 9204.
const (
	StreamControl      StreamType = 0x00
	StreamPush         StreamType = 0x01
	StreamQPACKEncoder StreamType = 0x02
	StreamQPACKDecoder StreamType = 0x03

	// numCritical bounds the types of streams of which there is one at most
	// and which must stay open; StreamPush is not one of them.
	numCritical = 4
)

// peerStream is the state of a unidirectional stream of the peer's. The zero
// value is a stream of which nothing has arrived.
type peerStream struct {
	id      uint64 // of the stream
	typ     StreamType
	known   bool  // typ has been read
	partial uint8 // bytes in header
	header  [8]byte
}

// uniVerdict says what to do with the rest of a unidirectional stream.
type uniVerdict uint8

const (
	// uniContinue: feed further bytes.
	uniContinue uniVerdict = iota
	// uniAbort: stop reading the stream with H3_STREAM_CREATION_ERROR, as its
	// type is not known (RFC 9114, Section 6.2).
	uniAbort
	// uniExtension: the stream's type, which the bytes fed end with, is one of
	// state.ClaimUni.
	uniExtension
)

// HandleUni takes the next bytes of a unidirectional stream of the peer's, in
// pieces of any size. All errors are connection errors. Bytes of the peer's
// encoder stream may have parked field sections continued before it returns.
func (c *state) HandleUni(now monotime.Time, u *peerStream, b []byte) (uniVerdict, error) {
	if !u.known {
		n := u.readType(b)
		if !u.known {
			return uniContinue, nil
		}
		b = b[n:]
		c.traceUni(u.id, true, u.typ)
		if u.typ == StreamControl {
			c.controlID = u.id
		}
		if verdict, err := c.beginUni(now, u.typ); verdict != uniContinue || err != nil {
			return verdict, err
		}
	}
	switch u.typ {
	case StreamControl:
		return uniContinue, c.handleControl(now, b)
	case StreamQPACKEncoder:
		return uniContinue, c.decoder.HandleEncoderStream(b)
	case StreamQPACKDecoder:
		if len(b) == 0 {
			return uniContinue, nil // as with most peers, for ever
		}
		return uniContinue, c.handleDecoderStream(now, b)
	}
	return uniAbort, nil
}

// handleDecoderStream takes bytes of the peer's decoder stream, whose instructions
// cost the peer a byte each and must be of some use (RFC 9114, Section 10.5).
func (c *state) handleDecoderStream(now monotime.Time, b []byte) error {
	encoder := c.ownEncoder()
	if err := encoder.HandleDecoderStream(b); err != nil {
		return err
	}
	for range encoder.TakeUseless() {
		if c.useless.add(now) {
			return &ConnError{ExcessiveLoad, "too many cancellations of streams on which nothing was sent"}
		}
	}
	return nil
}

// HandleUniEnd takes note that a unidirectional stream of the peer's was
// finished or reset. The critical ones must not be (RFC 9114, Section 6.2.1;
// RFC 9204, Section 4.2).
func (c *state) HandleUniEnd(u *peerStream) error {
	if u.known && u.typ.isCritical() {
		return &ConnError{ClosedCriticalStream, "peer closed a critical stream"}
	}
	return nil
}

func (t StreamType) isCritical() bool {
	return t == StreamControl || t == StreamQPACKEncoder || t == StreamQPACKDecoder
}

// ClaimUni makes HandleUni say uniExtension for streams of a type. Such a stream's
// type is to be fed to it with Missing's help, and nothing else of the stream.
func (c *state) ClaimUni(t StreamType) { c.claimedUni = t }

// Missing returns how many bytes to read at least, and at most when what follows
// the type belongs to an extension, until the stream's type is complete; 0 when
// it is known.
func (u *peerStream) Missing() int {
	switch {
	case u.known:
		return 0
	case u.partial == 0:
		return 1
	}
	return 1<<(u.header[0]>>6) - int(u.partial)
}

// readType reads the varint at the stream's beginning.
func (u *peerStream) readType(b []byte) (n int) {
	before := int(u.partial)
	copied := copy(u.header[before:], b)
	typ, n := wire.ConsumeVarint(u.header[:before+copied])
	if n < 0 {
		u.partial += uint8(copied)
		return copied
	}
	u.typ, u.known = StreamType(typ), true
	return n - before
}

// beginUni checks whether a stream of this type may be opened.
func (c *state) beginUni(now monotime.Time, t StreamType) (uniVerdict, error) {
	switch {
	case t.isCritical():
		if c.critical[t] {
			return 0, &ConnError{StreamCreationError, "peer opened a critical stream twice"}
		}
		c.critical[t] = true
		return uniContinue, nil
	case t == StreamPush && c.side == wire.ServerSide:
		return 0, &ConnError{StreamCreationError, "client opened a push stream"}
	case t == StreamPush:
		// This end never sends MAX_PUSH_ID (RFC 9114, Section 4.6).
		return 0, &ConnError{IDError, "push stream without permission"}
	}
	if c.claimedUni != 0 && t == c.claimedUni {
		return uniExtension, nil
	}
	// Streams of other types are cheap, but each costs this end a frame.
	return uniAbort, c.HandleWaste(now)
}
