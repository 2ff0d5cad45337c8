package h3

import "testing"

// TestConnDatagrams sends HTTP datagrams of requests that are there, to come, and gone
// (RFC 9297, Section 2).
func TestConnDatagrams(t *testing.T) {
	h := newFake(serverConf())
	h.conn.HandleDatagram(h.now, []byte("\x01early"))
	s := h.feed(4, headers(":method=CONNECT :protocol=echo :scheme=https :authority=a :path=/"), false)
	h.take()
	s.request.TakeDatagrams()
	h.conn.HandleDatagram(h.now, []byte("\x01late"))
	h.wantLog(t, "datagrams", `datagram of 4 "early"; datagram of 4 "late"`)
	if err := s.request.SendDatagram([]byte("x")); err != ErrDatagramsDisabled {
		t.Errorf("before SETTINGS: %v", err)
	}
	h.feed(2, []byte("\x00\x04\x02\x33\x01"), false)
	if err := s.request.SendDatagram([]byte("x")); err != nil {
		t.Error(err)
	}
	h.wantLog(t, "sent", `settings; datagram "\x01x"`)
	s.request.DropDatagrams()
	for range 10 * maxEarlyDatagrams {
		h.conn.HandleDatagram(h.now, append([]byte{1}, make([]byte, 1200)...))
	}
	if e := h.conn.early; len(e.list) > maxEarlyDatagrams || e.bytes > maxEarlyDatagramBytes {
		t.Errorf("%d early datagrams of %d bytes", len(e.list), e.bytes)
	}
	h.conn.HandleDatagram(h.now, []byte("\x40"))
	h.wantLog(t, "half an ID", "close H3_DATAGRAM_ERROR")
}

// TestEarlyDatagrams: of requests that have not arrived, the latest datagrams are kept.
func TestEarlyDatagrams(t *testing.T) {
	var early earlyDatagrams
	for i := range 2 * maxEarlyDatagrams {
		early.push(uint64(i%2)*4, make([]byte, 10))
	}
	if len(early.list) != maxEarlyDatagrams {
		t.Errorf("%d kept", len(early.list))
	}
	early.push(8, make([]byte, maxEarlyDatagramBytes+1))
	handed := 0
	early.hand(4, func([]byte) { handed++ })
	if handed != maxEarlyDatagrams/2 || len(early.list) != maxEarlyDatagrams/2 || early.bytes != 10*len(early.list) {
		t.Errorf("%d handed over, %d kept with %d bytes", handed, len(early.list), early.bytes)
	}
}
