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

// quietHost notes nothing.
type quietHost struct {
	*fakeHost
	stream   *fakeStream
	requests int
	buf      [1]byte
}

func (h *quietHost) HandleRequest(_ monotime.Time, rs *RequestStream, _ *RequestHeader) {
	h.requests++
	if _, err := rs.Read(h.buf[:]); err != io.EOF {
		panic(err)
	}
	h.conn.AnsweredRequest()
}
