package webtransport

import (
	"context"
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// TestAttackCapsulesPileUp: a peer that raises limits again and again, each by as
// little as can be, and does not take the answers, makes nothing pile up, whatever
// waits for the limits (as CVE-2024-22189 and CVE-2019-9515 for others' control
// frames).
func TestAttackCapsulesPileUp(t *testing.T) {
	const waiters, raises = 30, 1000
	for name, limit := range map[string]struct {
		raise h3.CapsuleType
		from  uint64
	}{
		"data":                  {capsuleMaxData, 10},
		"bidirectional streams": {capsuleMaxStreamsBidi, 1},
		"streams":               {capsuleMaxStreamsUni, waiters},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, nil)
			settings := with(setting(settingDraft15, 1), datagramSettings, setting(settingMaxData, 10), setting(settingMaxStreamsUni, waiters), setting(settingMaxStreamsBidi, 1))
			c := ts.dialRawWith(settings, &quic.Config{InitialStreamWindow: 1200, MaxStreamWindow: 1200})
			s, session := c.session(ts, tokenNew)
			ctx, cancel := context.WithCancel(testContext(t))
			defer cancel()
			for range waiters {
				out, err := session.OpenUniStream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = out.Write(make([]byte, 1<<20)) }()
				go func() {
					for range waiters {
						_, _ = session.OpenStream(ctx)
					}
				}()
			}
			for i := range uint64(raises) {
				if _, err := s.Write(content(capsule(limit.raise, limit.from+1+i))); err != nil {
					t.Fatal(err)
				}
				session.unsent() // gives those who wait the time to ask for more
			}
			_, _ = s.Write(content(capsule(capsuleDrain)))
			wait(t, "the last capsule", session.Draining())
			if unsent := session.unsent(); unsent > 1000 {
				t.Errorf("%d bytes wait for the peer after %d capsules", unsent, raises)
			}
			_ = session.CloseWithError(0, "")
		})
	}
}

// unsent returns how much the session's tunnel keeps for the peer.
func (s *Session) unsent() int {
	unsent := make(chan int)
	s.conn.Run(func(turn *quic.Turn) { unsent <- s.tunnel.Unsent(turn) })
	return <-unsent
}

// TestDrainsCoalesce: an application that asks again and again, of a peer that does
// not read, makes nothing pile up either.
func TestDrainsCoalesce(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRawWith(browserSettings, &quic.Config{InitialStreamWindow: 1200, MaxStreamWindow: 1200})
	_, session := c.session(ts, tokenOld)
	for range 1000 {
		session.Drain()
		session.unsent() // lets the loop have a turn
	}
	if unsent := session.unsent(); unsent > 100 {
		t.Errorf("%d bytes wait for the peer", unsent)
	}
}

// TestAttackTunnelUnsent: what others send on a tunnel that its peer does not read has
// a bound as well.
func TestAttackTunnelUnsent(t *testing.T) {
	ts := serve(t, nil, nil)
	_, session := ts.dialRaw(browserSettings).session(ts, tokenOld)
	session.conn.Run(func(turn *quic.Turn) {
		for range 8 {
			session.tunnel.Send(turn, make([]byte, http3.MaxTunnelUnsent/2))
		}
	})
	wait(t, "the session's end", session.Context().Done())
}

// TestCreditWakesFew counts the work that raising a limit in steps makes: it goes with
// what is allowed, and not with those who wait times the steps.
func TestCreditWakesFew(t *testing.T) {
	work := func(n int) (woken int) {
		c := new(credit)
		var claims []*claim
		for range n {
			_, w := c.take(1000)
			claims = append(claims, w)
		}
		for range n {
			c.limit++
			c.serve()
			for _, w := range claims {
				if select0(w.ready) && w.got > 0 {
					woken++
					w.got = 0
				}
			}
		}
		return woken
	}
	for _, n := range []int{10, 40, 160} {
		if woken := work(n); woken != n {
			t.Errorf("%d steps of 1 woke %d of %d who wait", n, woken, n)
		}
	}
}

// select0 reports whether a channel is closed.
func select0(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// TestCreditOrder: first come, first served, and who gives up leaves to the next what
// he was given.
func TestCreditOrder(t *testing.T) {
	c := &credit{limit: 5}
	if got, wait := c.take(3); got != 3 || wait != nil {
		t.Fatalf("%d of 5", got)
	}
	if got, wait := c.take(3); got != 2 || wait != nil {
		t.Fatalf("%d of the 2 left", got)
	}
	var claims [4]*claim
	for i := range claims {
		_, claims[i] = c.take(2)
	}
	wantGot := func(what string, want ...uint64) {
		t.Helper()
		got := []uint64{}
		for _, w := range claims {
			got = append(got, w.got)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: those who wait got %v, want %v", what, got, want)
		}
	}
	c.limit = 6
	c.serve()
	wantGot("raised by 1", 1, 0, 0, 0)
	c.giveUp(claims[0])
	wantGot("the first gave up", 0, 1, 0, 0)
	c.giveUp(claims[2])
	c.limit = 10
	c.serve()
	wantGot("the third gave up, then raised", 0, 1, 0, 2)
	if c.first != nil || c.last != nil || c.used != 8 {
		t.Errorf("%v and %v wait, %d is used", c.first, c.last, c.used)
	}
}
