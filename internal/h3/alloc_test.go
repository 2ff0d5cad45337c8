//go:build !race

package h3

import (
	"io"
	"testing"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// TestRequestsAllocate counts what a request without content costs in memory: nothing
// but its strings, which repeat.
func TestRequestsAllocate(t *testing.T) {
	h := newFake(serverConf())
	request, s := headers(getFields), &fakeStream{host: h}
	conn, quiet := h.conn, &quietHost{fakeHost: h, stream: s}
	conn.handler = quiet
	id := uint64(0)
	n := testing.AllocsPerRun(1000, func() {
		s.in, s.inErr, s.out, s.fin = request, nil, s.out[:0], false
		conn.HandleStream(h.now, id, s)
		s.feed(nil, true)
		id += 4
	})
	if n > 0 {
		t.Errorf("%v allocations for each request", n)
	}
	if quiet.requests != 1001 {
		t.Errorf("%d requests", quiet.requests)
	}
}

// TestResponsesAllocate: of a response whose content has come with its header, what is read
// in the turn that tells of it costs nothing, once one has come before.
func TestResponsesAllocate(t *testing.T) {
	h := newFake(clientConf())
	response := append(headers(":status=200"), frame(FrameData, []byte("content that is read at once")...)...)
	conn, quiet := h.conn, &quietHost{fakeHost: h}
	conn.handler = quiet
	s, rs := &fakeStream{host: h}, new(RequestStream)
	id := uint64(0)
	n := testing.AllocsPerRun(1000, func() {
		s.in, s.inErr, s.out, s.fin = nil, nil, s.out[:0], false
		conn.BeginRequest(rs, id, s, "GET", false)
		s.in = response
		s.feed(nil, true)
		id += 4
	})
	if n > 0 {
		t.Errorf("%v allocations for each response", n)
	}
	if quiet.requests != 1001 {
		t.Errorf("%d responses", quiet.requests)
	}
}

// HandleResponse reads all of it.
func (h *quietHost) HandleResponse(_ monotime.Time, rs *RequestStream, _ *ResponseHeader) {
	h.requests++
	for {
		if _, err := rs.Read(h.content[:]); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
	}
}

// quietHost notes nothing.
type quietHost struct {
	*fakeHost
	stream   *fakeStream
	requests int
	buf      [1]byte
	content  [100]byte
}

func (h *quietHost) HandleRequest(_ monotime.Time, rs *RequestStream, _ *RequestHeader) {
	h.requests++
	if _, err := rs.Read(h.buf[:]); err != io.EOF {
		panic(err)
	}
	h.conn.AnsweredRequest()
}
