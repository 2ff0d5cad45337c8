package quic

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestOnReset tells of a reset while nobody reads, of one that has come before,
// and not of this side's own doing.
func TestOnReset(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		told := make(chan StreamError, 1)
		note := func(err *StreamError) { told <- *err }
		ss.OnReset(func(*StreamError) { t.Error("the first function was called") })
		ss.OnReset(note)
		synctest.Wait()
		if len(told) != 0 {
			t.Fatalf("told of %v before anything happened", <-told)
		}
		cs.CancelWrite(43)
		want := StreamError{StreamID: cs.ID(), Code: 43, Remote: true}
		if got := <-told; got != want {
			t.Fatalf("told of %v, want %v", got, want)
		}
		ss.OnReset(note)
		if got := <-told; got != want {
			t.Errorf("told of %v, want %v once more", got, want)
		}

		cs, ss = e.streams(client, server)
		ss.OnReset(func(err *StreamError) { t.Errorf("told of %v after CancelRead", err) })
		ss.CancelRead(1)
		<-cs.WriteClosed()
		time.Sleep(time.Second) // of virtual time
	})
}
