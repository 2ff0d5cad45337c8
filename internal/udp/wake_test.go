package udp

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestWakeBeforeRecv(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s := open.open(t, "127.0.0.1:0", Config{})
		for range 3 {
			s.Wake()
			s.Wake()
			if msgs, err := s.Recv(time.Time{}); len(msgs) > 0 || err != nil {
				t.Fatalf("Recv = %d messages, %v; want none", len(msgs), err)
			}
		}
	})
}

// The other goroutine leaves work and wakes the owner, which may be in any
// state; the owner sleeps without a deadline, so a lost Wake would leave both
// waiting for ever. Datagrams and deadlines come in between.
func TestNoWakeIsLost(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		for _, tt := range []struct {
			name     string
			deadline func() time.Time
			datagram bool
		}{
			{"no deadline", func() time.Time { return time.Time{} }, false},
			{"far deadline", func() time.Time { return time.Now().Add(time.Hour) }, false},
			{"datagrams", func() time.Time { return time.Time{} }, true},
			{"datagrams and far deadline", func() time.Time { return time.Now().Add(time.Hour) }, true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := open.open(t, "127.0.0.1:0", Config{})
				const rounds = 2000
				var left atomic.Int64 // work that the owner must see
				done := make(chan struct{})
				go func() {
					for range rounds {
						left.Add(1)
						s.Wake()
						<-done
					}
				}()
				for seen := int64(0); seen < rounds; {
					if tt.datagram {
						send(t, s, []byte("x"), 0, s.LocalAddr())
					}
					if _, err := s.Recv(tt.deadline()); err != nil {
						t.Fatalf("Recv: %v", err)
					}
					if n := left.Load(); n > seen {
						seen = n
						done <- struct{}{}
					}
				}
			})
		}
	})
}

// Many wakers at once, as streams of many goroutines do.
func TestConcurrentWakers(t *testing.T) {
	forEachBackend(t, func(t *testing.T, open opener) {
		s := open.open(t, "127.0.0.1:0", Config{})
		const wakers, each = 4, 500
		var left atomic.Int64
		for range wakers {
			go func() {
				for range each {
					left.Add(1)
					s.Wake()
				}
			}()
		}
		for left.Load() < wakers*each {
			if _, err := s.Recv(time.Time{}); err != nil {
				t.Fatalf("Recv: %v", err)
			}
		}
	})
}
