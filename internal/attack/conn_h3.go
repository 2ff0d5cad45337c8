package attack

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
)

// stream is the attacker's half of a stream.
type stream struct {
	c   *conn
	id  wire.StreamID
	off uint64
}

// open opens a stream, if the server's limit has room for it.
func (c *conn) open(uni bool) (*stream, bool) {
	kind := 0
	if uni {
		kind = 1
	}
	if c.opened[kind] >= c.maxStreams[kind] {
		return nil, false
	}
	c.opened[kind]++
	c.a.streams++
	return &stream{c: c, id: wire.NewStreamID(wire.ClientSide, uni, c.opened[kind]-1)}, true
}

// streamHeader is what a STREAM frame's header takes at most.
const streamHeader = 24

// pour is an attack that writes the same on a stream, rate times a second, whenever
// the server lets it.
func (a *attacker) pour(rate int, s *stream, b []byte) {
	a.begun()
	conns, n := []*conn{s.c}, 0
	a.eachConn(rate, conns, func(*conn) bool {
		if s.room(len(b)) {
			s.write(b, false)
			n++
		}
		return true
	})
	a.notef("%d packets; %s", n, ends(conns))
}

// room reports whether the server's flow control allows n more bytes.
func (s *stream) room(n int) bool {
	limit := s.c.peer.InitialMaxStreamDataBidiRemote
	if s.id.Uni() {
		limit = s.c.peer.InitialMaxStreamDataUni
	}
	limit = max(limit, s.c.maxStream[s.id])
	return s.off+uint64(n) <= limit && s.c.sentData+uint64(n) <= s.c.maxData
}

// write sends bytes of the stream in packets of their own.
func (s *stream) write(b []byte, fin bool) {
	for {
		n := min(len(b), maxPayload-streamHeader)
		s.c.payload = s.append(s.c.payload[:0], b[:n], fin && n == len(b))
		s.c.send(s.c.payload)
		if b = b[n:]; len(b) == 0 {
			return
		}
	}
}

// append appends a STREAM frame with the stream's next bytes.
func (s *stream) append(frames, b []byte, fin bool) []byte {
	frames = wire.AppendStream(frames, wire.Stream{ID: s.id, Offset: s.off, Data: b, Fin: fin})
	s.off += uint64(len(b))
	s.c.sentData += uint64(len(b))
	return frames
}

// sendSettings opens the control stream.
func (c *conn) sendSettings() {
	var payload []byte
	for _, s := range c.settings {
		payload = wire.AppendVarint(wire.AppendVarint(payload, uint64(s.ID)), s.Value)
	}
	if s, ok := c.open(true); ok {
		s.write(append(h3.AppendFrameHeader([]byte{byte(h3.StreamControl)}, h3.FrameSettings, uint64(len(payload))), payload...), false)
	}
}

// control continues the control stream, which is the connection's first.
func (c *conn) control() *stream {
	s := &stream{c: c, id: wire.NewStreamID(wire.ClientSide, true, 0)}
	var payload []byte
	for _, x := range c.settings {
		payload = wire.AppendVarint(wire.AppendVarint(payload, uint64(x.ID)), x.Value)
	}
	s.off = uint64(1 + len(h3.AppendFrameHeader(nil, h3.FrameSettings, uint64(len(payload)))) + len(payload))
	return s
}

// uni opens a unidirectional stream of a type. It returns nil beyond the limit.
func (c *conn) uni(t h3.StreamType) *stream {
	s, ok := c.open(true)
	if !ok {
		return nil
	}
	s.write([]byte{byte(t)}, false)
	return s
}

// get sends a GET request and reports whether the server's limit allowed it.
func (c *conn) get(path string) bool {
	s, ok := c.open(false)
	if ok {
		s.write(getRequest(path), true)
	}
	return ok
}

// getRequest is a GET request.
func getRequest(path string, fields ...string) []byte {
	return headers(append([]string{":method=GET", ":scheme=https", ":authority=localhost", ":path=" + path}, fields...)...)
}

// postRequest is the header of a POST request.
func postRequest(path string, fields ...string) []byte {
	return headers(append([]string{":method=POST", ":scheme=https", ":authority=localhost", ":path=" + path}, fields...)...)
}

// headers is a HEADERS frame of fields, each with "=" between name and value.
func headers(fields ...string) []byte {
	b, mark := h3.BeginHeaders(nil)
	b = qpack.AppendPrefix(b)
	for _, f := range fields {
		i := strings.Index(f[1:], "=") + 1
		b = qpack.AppendField(b, f[:i], f[i+1:])
	}
	return h3.EndHeaders(b, mark)
}

// frame is a frame of HTTP/3.
func frame(t h3.FrameType, payload []byte) []byte {
	return append(h3.AppendFrameHeader(nil, t, uint64(len(payload))), payload...)
}
