package h3

import "testing"

// TestConnDatagrams sends HTTP datagrams of requests that are there, to come, and gone
// (RFC 9297, Section 2).
func TestConnDatagrams(t *testing.T) {
	h := newFake(serverConf())
	h.conn.HandleDatagrams(h.now, [][]byte{[]byte("\x01early")})
	s := h.feed(4, headers(":method=CONNECT :protocol=echo :scheme=https :authority=a :path=/"), false)
	h.take()
	s.request.TakeDatagrams()
	h.conn.HandleDatagrams(h.now, [][]byte{[]byte("\x01late"), []byte("\x01later"), []byte("\x02other"), []byte("\x01last")})
	h.wantLog(t, "datagrams", `datagrams of 4 ["early"]; datagrams of 4 ["late" "later"]; datagrams of 4 ["last"]`)
	if err := s.request.SendDatagram([]byte("x")); err != ErrDatagramsDisabled {
		t.Errorf("before SETTINGS: %v", err)
	}
	h.feed(2, []byte("\x00\x04\x02\x33\x01"), false)
	if err := s.request.SendDatagram([]byte("x")); err != nil {
		t.Error(err)
	}
	h.wantLog(t, "sent", `settings; datagram "\x01x"`)
	s.request.DropDatagrams()
	for range 10 * MaxEarlyDatagrams {
		h.conn.HandleDatagrams(h.now, [][]byte{append([]byte{1}, make([]byte, 1200)...)})
	}
	if n, bytes := h.conn.early.Held(); n > MaxEarlyDatagrams || bytes > MaxEarlyDatagramBytes {
		t.Errorf("%d early datagrams of %d bytes", n, bytes)
	}
	h.conn.HandleDatagrams(h.now, [][]byte{[]byte("\x40")})
	h.wantLog(t, "half an ID", "close H3_DATAGRAM_ERROR")
}

// TestStrayDatagrams: the handler is told of datagrams of requests that have no use for them
// (RFC 9297, Section 2), and nothing is kept of those.
func TestStrayDatagrams(t *testing.T) {
	for _, conf := range []Config{serverConf(), clientConf()} {
		h := newFake(conf)
		h.plain = 4
		h.conn.HandleDatagrams(h.now, [][]byte{[]byte("\x01one"), []byte("\x01two"), []byte("\x02other")})
		h.wantLog(t, "datagrams", "stray datagrams of 4")
		if kept := h.conn.early != nil && h.conn.early.list.Len() == 1; kept != (conf.Side == serverConf().Side) {
			t.Errorf("%v: those of another stream are kept: %v", conf.Side, kept)
		}
	}
}

// TestEarlyDatagrams: of requests that have not arrived, the latest datagrams are kept.
func TestEarlyDatagrams(t *testing.T) {
	var early EarlyDatagrams
	for i := range 2 * MaxEarlyDatagrams {
		early.Push(uint64(i%2)*4, make([]byte, 10))
	}
	if early.list.Len() != MaxEarlyDatagrams {
		t.Errorf("%d kept", early.list.Len())
	}
	early.Push(8, make([]byte, MaxEarlyDatagramBytes+1))
	handed := 0
	early.Take(4, func([]byte) { handed++ })
	if left := early.list.Len(); handed != MaxEarlyDatagrams/2 || left != MaxEarlyDatagrams/2 || early.list.Size() != 10*left {
		t.Errorf("%d handed over, %d kept with %d bytes", handed, left, early.list.Size())
	}
}

// TestEarlyDatagramsAreCounted: what is kept of early datagrams is part of what a peer can
// make us hold, and where there is no room for it, nothing is kept.
func TestEarlyDatagramsAreCounted(t *testing.T) {
	h := newFake(serverConf())
	early := func() { h.conn.HandleDatagrams(h.now, [][]byte{append([]byte{1}, make([]byte, 1000)...)}) }
	early()
	early()
	if h.counted != 2000 {
		t.Errorf("%d bytes are counted, 2000 are kept", h.counted)
	}
	s := h.feed(4, headers(":method=CONNECT :protocol=echo :scheme=https :authority=a :path=/"), false)
	s.request.TakeDatagrams()
	if h.counted != 0 {
		t.Errorf("%d bytes are counted, none are kept", h.counted)
	}
	s.request.DropDatagrams()
	h.limit = 1500
	early()
	early()
	if n, bytes := h.conn.early.Held(); n > 1 || bytes != h.counted {
		t.Errorf("%d datagrams of %d bytes are kept, %d bytes counted, %d allowed", n, bytes, h.counted, h.limit)
	}
}
