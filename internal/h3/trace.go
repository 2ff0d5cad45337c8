package h3

import (
	"strconv"

	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// traceStream tells what a stream is for. remote says that the peer has opened it.
func (c *state) traceStream(id uint64, remote bool, t quictrace.HTTPStreamType, number uint64) {
	if c.trace != nil {
		c.trace(&quictrace.HTTPStreamTypeSet{StreamID: id, Remote: remote, Type: t, Number: number})
	}
}

// traceUni tells what a unidirectional stream is for.
func (c *state) traceUni(id uint64, remote bool, t StreamType) {
	if c.trace == nil {
		return
	}
	name := quictrace.HTTPUnknownStream
	switch {
	case t == StreamControl:
		name = quictrace.HTTPControlStream
	case t == StreamPush:
		name = quictrace.HTTPPushStream
	case t == StreamQPACKEncoder:
		name = quictrace.HTTPQPACKEncoder
	case t == StreamQPACKDecoder:
		name = quictrace.HTTPQPACKDecoder
	case t >= 0x21 && (t-0x21)%0x1f == 0: // RFC 9114, Section 7.2.8
		name = quictrace.HTTPReservedStream
	}
	c.traceStream(id, remote, name, uint64(t))
}

// traceOwn tells what a stream is for that this end has opened, if its host says which it
// is.
func (c *state) traceOwn(s Stream, t StreamType) {
	if id, ok := ownID(s); ok {
		c.traceUni(id, false, t)
	}
}

func ownID(s Stream) (uint64, bool) {
	if s, ok := s.(interface{ ID() uint64 }); ok {
		return s.ID(), true
	}
	return 0, false
}

// traceParsed tells of a frame that has arrived.
func (c *state) traceParsed(id uint64, t FrameType, length uint64) {
	if c.trace != nil {
		c.trace(&quictrace.HTTPFrameParsed{HTTPFrame: quictrace.HTTPFrame{StreamID: id, Type: uint64(t), Length: length}})
	}
}

// traceControl tells of a frame of the peer's control stream, whose payload is whole.
func (c *state) traceControl(t FrameType, payload []byte) {
	if c.trace == nil {
		return
	}
	f := controlFrame(c.controlID, t, payload)
	c.trace(&quictrace.HTTPFrameParsed{HTTPFrame: f})
	if t == FrameSettings {
		c.trace(&quictrace.HTTPParametersSet{Remote: true, Settings: f.Settings})
	}
}

// traceControlSent tells of frames that this end's control stream s is going to send,
// behind its type if they are the first.
func (c *state) traceControlSent(s Stream, frames []byte) {
	id, ok := ownID(s)
	if c.trace == nil || !ok {
		return
	}
	if frames[0] == byte(StreamControl) { // no frame on it begins so
		frames = frames[1:]
	}
	for r := (frameReader{}); len(frames) > 0; {
		frames = frames[r.readHeader(frames):]
		if !r.inFrame {
			return
		}
		f := controlFrame(id, r.typ, r.payload(frames))
		frames, r.inFrame = frames[f.Length:], false
		c.trace(&quictrace.HTTPFrameCreated{HTTPFrame: f})
		if f.Type == uint64(FrameSettings) {
			c.trace(&quictrace.HTTPParametersSet{Settings: f.Settings})
		}
	}
}

// controlFrame reads what logs tell of a frame on a control stream.
func controlFrame(id uint64, t FrameType, payload []byte) quictrace.HTTPFrame {
	f := quictrace.HTTPFrame{StreamID: id, Type: uint64(t), Length: uint64(len(payload))}
	switch t {
	case FrameSettings:
		for len(payload) > 0 {
			id, n := wire.ConsumeVarint(payload)
			v, m := wire.ConsumeVarint(payload[max(n, 0):])
			if n < 0 || m < 0 {
				break
			}
			f.Settings = append(f.Settings, quictrace.HTTPSetting{ID: id, Value: v})
			payload = payload[n+m:]
		}
	case FrameGoAway, FrameMaxPushID, FrameCancelPush, FramePriorityUpdate, FramePriorityUpdatePush:
		if v, n := wire.ConsumeVarint(payload); n > 0 {
			f.ID, f.Priority = v, string(payload[n:])
		}
	}
	return f
}

// tracePriority tells of the priority that a client gives to a request.
func (c *state) tracePriority(id uint64, p Priority) {
	if c.trace == nil {
		return
	}
	text := "u=" + strconv.Itoa(int(p.Urgency))
	if p.Incremental {
		text += ", i"
	}
	c.trace(&quictrace.HTTPPriorityUpdated{StreamID: id, New: text})
}

// traceSection tells of a HEADERS frame whose payload has length bytes.
func (rs *RequestStream) traceSection(fields []qpack.Field, length int, created bool) {
	trace := rs.conn.state.trace
	if trace == nil {
		return
	}
	f := quictrace.HTTPFrame{StreamID: rs.id, Type: uint64(FrameHeaders), Length: uint64(length)}
	for _, field := range fields {
		f.Fields = append(f.Fields, quictrace.HTTPField{Name: field.Name, Value: field.Value})
	}
	if created {
		trace(&quictrace.HTTPFrameCreated{HTTPFrame: f})
	} else {
		trace(&quictrace.HTTPFrameParsed{HTTPFrame: f})
	}
}

// TraceData tells of a DATA frame with length bytes of content that is going to be sent, for
// a host that writes it itself. Any goroutine may call it.
func (rs *RequestStream) TraceData(length int) {
	if trace := rs.conn.state.trace; trace != nil {
		trace(&quictrace.HTTPFrameCreated{HTTPFrame: quictrace.HTTPFrame{
			StreamID: rs.id, Type: uint64(FrameData), Length: uint64(length),
		}})
	}
}

// traceDatagram tells of an HTTP datagram that has arrived.
func (c *state) traceDatagram(id uint64, length int) {
	if c.trace != nil {
		c.trace(&quictrace.HTTPDatagramParsed{HTTPDatagram: quictrace.HTTPDatagram{StreamID: id, Length: length}})
	}
}
