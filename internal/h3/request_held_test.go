package h3

import (
	"math"
	"strings"
	"testing"
	"time"
)

// TestHeldBytes counts what is kept of header sections where it may be a lot.
func TestHeldBytes(t *testing.T) {
	conf := serverConf()
	conf.Settings.MaxFieldSectionSize = math.MaxInt32
	h := newFake(conf)
	h.conn.held = math.MaxInt32 - 100
	h.feed(0, headers(getFields + "x=" + strings.Repeat("~", 800))[:500], false)
	if h.conn.held <= math.MaxInt32 {
		t.Errorf("%d bytes are kept", h.conn.held)
	}
}

// TestLargeSectionsAreBounded has sections decoded elsewhere, which takes its time: what
// is kept of them all is bounded, but one alone has room.
func TestLargeSectionsAreBounded(t *testing.T) {
	conf := serverConf()
	conf.LoopSection = 300
	large := headers(getFields + "x=" + strings.Repeat("~", 800))
	h := newFake(conf)
	rejected := 0
	for id := uint64(0); id < 800; id += 4 {
		if s := h.feed(id, large, false); s.resetCode == RequestRejected {
			rejected++
		}
	}
	if bound := 1000 + headerSlack; rejected == 0 || h.counted > bound {
		t.Errorf("%d are rejected, %d bytes kept, at most %d allowed", rejected, h.counted, bound)
	}
	h = newFake(conf)
	h.limit = 100
	h.feed(0, large, false)
	h.wantLog(t, "alone", "large")
	h.feed(4, large, false)
	h.wantLog(t, "not alone", "stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 4")
}

// TestUnfinishedSignals: a stream has its time also while it is not known whether it is a
// request; an extension's has none.
func TestUnfinishedSignals(t *testing.T) {
	conf := serverConf()
	conf.HeaderTimeout = time.Second
	h := &fakeHost{now: 1, read: true}
	h.conn = NewConn(conf, h, h)
	h.conn.Claim(0x54, 0x41)
	h.conn.Start(0)
	h.feed(0, []byte("\x40"), false)
	ours := h.feed(4, []byte("\x40"), false)
	ours.feed([]byte("\x41"), false)
	h.take()
	h.now = h.conn.Deadline()
	h.conn.HandleDeadline(h.now)
	h.wantLog(t, "late", "stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 0")
	if at := h.conn.Deadline(); at != 0 {
		t.Errorf("deadline %v", at)
	}
}
