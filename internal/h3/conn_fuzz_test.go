package h3

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// FuzzConn feeds both ends of a connection with streams and datagrams that a peer makes
// up, in pieces and with resets where it likes, and holds them to their limits. The
// input is a program: each step has a byte for what is done, one for the stream, one for
// the length of what follows.
func FuzzConn(f *testing.F) {
	step := func(op, stream byte, b ...byte) []byte { return append([]byte{op, stream, byte(len(b))}, b...) }
	settings := step(0, 2, 0, 4, 3, 1, 0x50, 0)
	f.Add(join(settings, step(1, 0, headers(getFields)...)), true)
	f.Add(join(settings, step(0, 3, []byte("\x02\x3f\xe1\x1f\x41x\x01y")...), step(1, 0, frame(FrameHeaders, []byte("\x02\x00\xd1\xd7\x50\x01a\xc1\x80")...)...)), true)
	f.Add(join(step(1, 0, headers(postFields+"content-length=2")...), step(1, 0, frame(FrameData, 'x', 'y')...)), true)
	f.Add(join(step(0, 4, 1, 0x40), step(2, 4), step(4, 0), step(5, 0, 0, 1, 2)), true)
	f.Add(join(settings, step(0, 0, headers(":status=103")...), step(1, 0, headers(":status=200")...)), false)
	f.Fuzz(func(t *testing.T, program []byte, isServer bool) {
		conf := serverConf()
		if !isServer {
			conf = clientConf()
		}
		conf.HeaderTimeout, conf.LoopSection = time.Second, 300
		h := &fakeHost{now: 1, read: true}
		h.conn = NewConn(conf, h, h)
		h.conn.Claim(0x54, 0x41)
		h.conn.Start(0)
		streams := make(map[uint64]*fakeStream)
		for len(program) >= 3 && h.closed == 0 {
			op, n := program[0], min(int(program[2]), len(program)-3)
			b := program[3 : 3+n : 3+n]
			h.step(streams, op, program[1], b)
			program = program[3+n:]
			h.check(t)
			h.log = h.log[:0]
		}
		for id, s := range streams {
			if h.closed == 0 && !s.request.Blocked() {
				s.fail()
			}
			delete(streams, id)
		}
		h.check(t)
	})
}

// step does one thing that a peer can do.
func (h *fakeHost) step(streams map[uint64]*fakeStream, op, number byte, b []byte) {
	id := uint64(number)
	s := streams[id]
	if op < 4 && s == nil {
		s = &fakeStream{host: h, id: id}
		streams[id] = s
		switch mine := id&1 == uint64(h.conn.Side()); {
		case !mine:
			h.conn.HandleStream(h.now, id, s)
		case id&2 == 0 && h.conn.Side() == wire.ClientSide:
			h.conn.BeginRequest(&s.request, id, s, []string{"GET", "HEAD", "CONNECT"}[id/4%3], false)
		default:
			s.inErr = errNone // nobody's
		}
	}
	switch {
	case op < 2:
		if s.inErr == nil {
			s.feed(b, op == 1)
		}
	case op == 2:
		s.fail()
	case op == 3:
		s.room, s.outErr = int(number), nil
		if s.handler != nil {
			s.handler.HandleWritable(h.now)
		}
	case op == 4:
		h.now = h.now.Add(time.Duration(number) * 100 * time.Millisecond)
		if at := h.conn.Deadline(); !at.IsZero() && !at.After(h.now) {
			h.conn.HandleDeadline(h.now)
		}
	case op == 5:
		h.conn.HandleDatagrams(h.now, [][]byte{b})
	case op == 6 && h.aside != nil:
		h.aside.DecodeRequest()
		h.conn.HandleDecoded(h.now, h.aside)
	case op == 7:
		h.conn.Leave(h.now, time.Second)
	}
}

// check holds the connection to its limits.
func (h *fakeHost) check(t *testing.T) {
	c := h.conn
	early := 0
	if c.early != nil {
		_, early = c.early.Held()
	}
	if c.held < 0 || int(c.held)+early != h.counted {
		t.Fatalf("%d bytes are held, %d of early datagrams, and %d counted", c.held, early, h.counted)
	}
	if int(c.held) > int(c.maxSection)+2*headerSlack {
		t.Fatalf("%d bytes are held", c.held)
	}
	if at := c.Deadline(); c.late == nil && c.goodbye.next.IsZero() && !at.IsZero() || c.late != nil && c.late.prev != nil {
		t.Fatalf("deadline %v with nothing to wait for", at)
	}
	if e := c.early; e != nil {
		if n, bytes := e.Held(); n > MaxEarlyDatagrams || bytes > MaxEarlyDatagramBytes {
			t.Fatalf("%d early datagrams of %d bytes", n, bytes)
		}
	}
}
