package http3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestPriorities asks for responses that are all written before any of them may
// leave, and looks at the order in which they end.
func TestPriorities(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fields  []string // one for each request
		updates []string // the same in PRIORITY_UPDATE
		want    []int    // requests by when their responses end
	}{
		{"by urgency", []string{"priority=u=5", "priority=u=1", "priority=u=3"}, nil, []int{1, 2, 0}},
		{"by default", []string{"priority=u=4", "", "priority=u=2"}, nil, []int{2, 1, 0}},
		{"one after the other", []string{"priority=u=3", "priority=u=3", "priority=u=3"}, nil, []int{0, 1, 2}},
		{"by update", []string{"priority=u=1", "priority=u=1", "priority=u=1"}, []string{"u=7", "u=2", "u=0"}, []int{2, 1, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testPriorities(t, tt.fields, tt.updates, tt.want)
		})
	}
}

func testPriorities(t *testing.T, fields, updates []string, want []int) {
	// The connection's window lets nothing leave until something is read, once the
	// first response has filled it. A little is taken of the others nevertheless, and
	// of the first one: so little that its writer is woken, whatever else is unsent.
	const window = 20 << 10
	var filled atomic.Bool
	written := make(chan error, len(fields))
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		size := little
		if !filled.Swap(true) {
			size += window
		}
		_, err := w.Write(make([]byte, size))
		written <- errors.Join(err, http.NewResponseController(w).Flush())
	})
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	client := &orderClient{got: make(map[uint64]int), arrived: make(chan uint64, len(fields)+1)}
	conf := &quic.Config{
		InitialStreamWindow: 1 << 20, MaxStreamWindow: 1 << 20, InitialConnWindow: window, MaxConnWindow: window,
	}
	qc, err := event.Dial(testContext(t), ts.addr, clientTLS, conf, func(event.Turn) event.Handler { return client })
	if err != nil {
		t.Fatal(err)
	}
	defer qc.CloseWithError(0, "")
	control := []byte{0x00, 0x04, 0x00}
	for i, value := range updates {
		payload := append(wire.AppendVarint(nil, uint64(4*(i+1))), value...)
		control = append(control, frame(h3.FramePriorityUpdate, string(payload))...)
	}
	(&rawConn{t: t, qc: qc}).uni(control)
	for _, f := range append([]string{"priority=u=0"}, fields...) {
		_, err := event.Open(testContext(t), qc, false, func(turn event.Turn, s event.Stream) {
			turn.Handle(s, client)
			_, _ = turn.WriteLast(s, headers(getFields+f))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := wait(t, "a response", written); err != nil {
			t.Fatal(err)
		}
	}
	event.Run(qc, client.readAll)
	wait(t, "the first response", client.arrived)
	var got []int
	for range fields {
		got = append(got, int(wait(t, "a response", client.arrived)/4)-1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("responses arrived in the order %v, want %v", got, want)
	}
}

// orderClient reads nothing at first, and then what arrives as it arrives.
type orderClient struct {
	reading bool
	waiting []event.Stream
	got     map[uint64]int // bytes of each stream, by ID
	arrived chan uint64    // IDs of streams of which there are as many as little
}

// little is how much content a response of testPriorities has, in bytes.
const little = 1 << 10

func (c *orderClient) HandleStream(event.Turn, event.Stream) event.StreamHandler { return c }
func (c *orderClient) HandleWritable(event.Turn, event.Stream)                   {}
func (c *orderClient) HandleEnd(event.Turn, event.Stream, event.End)             {}
func (c *orderClient) HandleClose(event.Turn, error)                             {}

func (c *orderClient) HandleReadable(t event.Turn, s event.Stream) {
	if !c.reading {
		c.waiting = append(c.waiting, s)
		return
	}
	var buf [4 << 10]byte
	for {
		n, err := t.Read(s, buf[:])
		// Not its end, which the server may write later: when the handler has returned.
		if before := c.got[s.ID()]; before < little && before+n >= little {
			c.arrived <- s.ID()
		}
		c.got[s.ID()] += n
		if n == 0 || err != nil {
			return
		}
	}
}

func (c *orderClient) readAll(t event.Turn) {
	c.reading = true
	for _, s := range c.waiting {
		c.HandleReadable(t, s)
	}
}

// TestPriorityUpdateLater changes the priority of a request that has begun, of
// one that is over and of one that is yet to come.
func TestPriorityUpdateLater(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	c := ts.dialRaw(t)
	s := c.request(false, headers(postFields))
	readMessage(t, c.request(true, headers(getFields)))
	var updates []byte
	for _, id := range []uint64{0, 4, 8} {
		updates = append(updates, frame(h3.FramePriorityUpdate, string(wire.AppendVarint(nil, id))+"u=0,i")...)
	}
	if _, err := c.control.Write(updates); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("x"), 50_000)
	s.WriteLast(frame(h3.FrameData, string(content)))
	if m := readMessage(t, s); m.content != string(content) {
		t.Errorf("%d bytes", len(m.content))
	}
	readMessage(t, c.request(true, headers(getFields)))
	c.control.Write(frame(h3.FramePriorityUpdate, "\x01u=0"))
	c.wantClose("update of a stream that is the server's", h3.IDError)
}
