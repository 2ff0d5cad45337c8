package wtclient

import (
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestPinger(t *testing.T) {
	p := newPinger(Ping{Count: 3, Size: 40})
	var datagrams [][]byte
	for i := range 3 {
		datagrams = append(datagrams, p.next(start.Add(time.Duration(i)*time.Second)))
	}
	if string(datagrams[0]) == string(datagrams[1]) || len(datagrams[0]) != 40 {
		t.Errorf("%q and %q", datagrams[0], datagrams[1])
	}
	back := func(i int, rtt time.Duration) *replyEvent {
		return p.receive(start.Add(time.Duration(i)*time.Second+rtt), datagrams[i])
	}
	if e := back(1, 20*time.Millisecond); e == nil || e.Number != 2 || e.RTT != 20 || e.Twice {
		t.Errorf("%+v", e)
	}
	if e := back(0, 3*time.Second); e == nil || e.Number != 1 || e.RTT != 3000 {
		t.Errorf("out of order: %+v", e)
	}
	if e := back(1, time.Second); e == nil || !e.Twice {
		t.Errorf("again: %+v", e)
	}
	r := p.result()
	if r.Sent != 3 || r.Back != 2 || r.Lost != 1 || r.Twice != 1 || r.RTT["min"] != 20 || r.RTT["max"] != 3000 {
		t.Errorf("%+v", r)
	}
	select {
	case <-p.all:
		t.Error("all are back, but for one")
	default:
	}
	back(2, time.Millisecond)
	<-p.all
	if r := p.result(); r.Lost != 0 || r.LossPercent != 0 || r.RTT["min"] != 1 {
		t.Errorf("%+v", r)
	}
}

// TestPingerForeign: what this end has not sent does not count.
func TestPingerForeign(t *testing.T) {
	p, other := newPinger(Ping{}), newPinger(Ping{})
	other.mark = []byte("ping other ")
	p.next(start)
	for _, datagram := range []string{
		"", "hello", string(other.next(start)), string(p.mark), string(p.mark) + "0 .", string(p.mark) + "2 .",
		string(p.mark) + "1", string(p.mark) + "-1 .", string(p.mark) + "99999999999999999999999 .",
	} {
		if e := p.receive(start, []byte(datagram)); e != nil {
			t.Errorf("%q counts as %+v", datagram, e)
		}
	}
	if r := p.result(); r.Back != 0 || r.LossPercent != 100 || len(r.RTT) != 0 || p.verdict() == nil {
		t.Errorf("%+v", r)
	}
}

func TestPingResultText(t *testing.T) {
	p := newPinger(Ping{})
	p.receive(start.Add(1500*time.Microsecond), p.next(start))
	p.next(start)
	var b strings.Builder
	p.result().write(&b)
	if got := b.String(); !strings.HasPrefix(got, "2 datagrams of 32 bytes sent, 1 came back, 50.0 % lost\nround trip: min 1.5ms  p50 1.5ms  p90 1.5ms  p99 1.5ms  max 1.5ms") {
		t.Errorf("%q", got)
	}
}

// TestPingCut: what may still come back when it is ended is not lost.
func TestPingCut(t *testing.T) {
	p := newPinger(Ping{})
	p.receive(start, p.next(start))
	p.next(start) // lost
	p.next(start.Add(5 * time.Second))
	p.cut(start.Add(5500*time.Millisecond), time.Second)
	r := p.result()
	if r.Sent != 3 || r.Back != 1 || r.Lost != 1 || r.OnWay != 1 || r.LossPercent != 50 {
		t.Errorf("%+v", r)
	}
	var b strings.Builder
	if r.write(&b); !strings.HasPrefix(b.String(), "3 datagrams of 32 bytes sent, 1 came back, 50.0 % lost, 1 still under way at the end\n") {
		t.Errorf("%q", b.String())
	}
}
