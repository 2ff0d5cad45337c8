package event

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// TestTimers tells of timers at their moments, of one once for each time it is set, of
// one that has passed in the next turn, and of none that was stopped or outlives the
// connection.
func TestTimers(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		var (
			mu   sync.Mutex
			told []string
		)
		start := time.Now()
		note := func(what string) TimerFunc {
			return func(turn Turn) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, fmt.Sprint(what, " ", time.Since(start)))
			}
		}
		var first, second, moved, again, stopped, late, past Timer
		Run(client, func(turn Turn) {
			now := turn.Now()
			turn.SetTimer(&second, now+2*time.Second, note("second"))
			turn.SetTimer(&first, now+time.Second, note("first"))
			turn.SetTimer(&moved, now+time.Second, note("wrong"))
			turn.SetTimer(&moved, now+3*time.Second, note("moved"))
			turn.SetTimer(&stopped, now+time.Second, note("stopped"))
			turn.StopTimer(&stopped)
			turn.SetTimer(&late, now+time.Hour, note("late"))
			turn.SetTimer(&past, now-time.Second, note("past"))
			n := 0
			var f TimerFunc
			f = func(turn Turn) {
				note("again")(turn)
				if n++; n < 2 {
					turn.SetTimer(&again, turn.Now()+4*time.Second, f)
				}
			}
			turn.SetTimer(&again, now+4*time.Second, f)
			if stopped.Pending() || !late.Pending() {
				t.Error("which timers are set is not known")
			}
		})
		time.Sleep(10 * time.Second)
		client.CloseWithError(0, "")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		want := []string{"past 1ns", "first 1s", "second 2s", "moved 3s", "again 4s", "again 8s"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// A Turn is of no use when its callback has returned, nor for another connection's
// streams.
func TestTurnMisuse(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		cs, ss := e.streams(client, server)
		panics := func(what string, f func()) {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", what)
				}
			}()
			f()
		}
		done := make(chan Turn)
		Run(client, func(turn Turn) {
			panics("a Turn with another connection's stream", func() { turn.Release(Of(ss)) })
			done <- turn
		})
		turn := <-done
		synctest.Wait()
		panics("a Turn that is over", func() { turn.Release(Of(cs)) })
	})
}
