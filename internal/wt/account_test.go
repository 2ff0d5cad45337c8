package wt

import (
	"errors"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
)

// share is an Account with room for so many bytes.
type share struct{ held, limit int }

func (s *share) CountBuffered(n int) bool {
	s.held += n
	return s.held <= s.limit
}

// TestAccount: what a connection keeps of a peer that nobody reads is counted, and dropped
// where there is no room for it: datagrams of sessions that are there and of those to come,
// and capsules that are not complete.
func TestAccount(t *testing.T) {
	const limit = 10_000
	c, s := plainly(t, Draft02)
	account := &share{limit: limit}
	c.SetAccount(account)
	check := func(what string, want int) {
		t.Helper()
		if account.held != want {
			t.Errorf("%s: %d bytes are counted, want %d", what, account.held, want)
		}
	}
	for range 9 {
		c.HandleDatagram(1, s.ID(), make([]byte, 1000))
	}
	check("datagrams", 9000)
	wantEvents(t, "datagrams", c, EventDatagram)
	for range 3 {
		c.HandleDatagram(1, s.ID(), make([]byte, 1000))
	}
	if check("the oldest make room", limit); s.DatagramsDropped() != 2 {
		t.Errorf("%d were dropped", s.DatagramsDropped())
	}
	for range 3 {
		s.ReceiveDatagram()
	}
	check("some were received", 7000)
	c.HandleDatagram(1, 4, make([]byte, 2000))
	check("one came early", 9000)
	c.HandleDatagram(1, 4, make([]byte, 2000))
	check("there is no room for two", 7000)
	c.HandleDatagram(1, 4, make([]byte, 2000))
	c.Begin(1, 4, Draft02, "")
	check("it joins its session", 9000)
	c.HandleDatagram(1, 8, make([]byte, 500))
	c.HandleRefused(8)
	check("a session never was", 9000)
	poll(c)

	capsule := h3.AppendCapsule(nil, h3.CapsuleDatagram, make([]byte, 60_000))
	s.HandleContent(1, capsule[:505])
	check("a capsule begins", 9500)
	s.HandleContent(1, capsule[505:3000])
	check("its session ends", 2000)
	var failed *h3.StreamError
	if err := s.Err(); !errors.As(err, &failed) || failed.Code != h3.ExcessiveLoad {
		t.Errorf("the session ended with %v", err)
	}
	for range 7 {
		if _, ok := s.ReceiveDatagram(); !ok {
			t.Fatal("what was received before the end is lost")
		}
	}
	check("the rest was read after the end", 2000)

	other := c.sessions[4]
	other.HandleContent(1, capsule[:105])
	check("another capsule begins", 2100)
	other.HandleContentEnd(1, errors.New("reset"))
	check("its stream ends", 0)
}
