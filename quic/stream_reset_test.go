package quic

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestOnDiscarded tells how much is not read of streams that either side cancels.
func TestOnDiscarded(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		const sent = 1000 // beyond the byte that is read
		for name, cancel := range map[string]func(cs, ss *Stream){
			"the reader":                  func(_, ss *Stream) { ss.CancelRead(1) },
			"the writer":                  func(cs, ss *Stream) { cs.CancelWrite(2); synctest.Wait(); ss.CancelRead(2) },
			"the reader, after the end":   func(cs, ss *Stream) { cs.Close(); synctest.Wait(); ss.CancelRead(3) },
			"the reader, before the end":  func(cs, ss *Stream) { ss.CancelRead(4); cs.Close() },
			"both":                        func(cs, ss *Stream) { ss.CancelRead(6); cs.CancelWrite(7) },
			"the reader, after the reset": func(cs, ss *Stream) { cs.CancelWrite(8); time.Sleep(time.Second); ss.CancelRead(9) },
		} {
			cs, ss := e.streams(client, server)
			if _, err := cs.Write(make([]byte, sent)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // of virtual time, until it has arrived
			told := make(chan uint64, 2)
			note := func(n uint64) { told <- n }
			ss.OnDiscarded(func(uint64) { t.Error("the first function was called") })
			ss.OnDiscarded(note)
			synctest.Wait()
			if len(told) != 0 {
				t.Fatalf("%s: told of %d bytes before anything happened", name, <-told)
			}
			cancel(cs, ss)
			if n := <-told; n != sent {
				t.Errorf("%s: told of %d bytes, want %d", name, n, sent)
			}
			ss.OnDiscarded(note)
			if n := <-told; n != sent {
				t.Errorf("%s: told of %d bytes once more, want %d", name, n, sent)
			}
		}
	})
}

// TestReadBeforeReset reads what has come before the other side cancels, and tells of
// what is never read only then.
func TestReadBeforeReset(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		told := make(chan uint64, 1)
		ss.OnDiscarded(func(n uint64) { told <- n })
		if _, err := cs.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // of virtual time, until they have arrived
		cs.CancelWrite(5)
		time.Sleep(time.Second)
		if len(told) != 0 {
			t.Fatalf("told of %d bytes that can be read", <-told)
		}
		got, err := io.ReadAll(ss)
		var reset *StreamError
		if string(got) != "last words" || !errors.As(err, &reset) || reset.Code != 5 {
			t.Fatalf("read %q and %v", got, err)
		}
		if n := <-told; n != 0 {
			t.Errorf("told of %d bytes, all were read", n)
		}
	})
}

// TestOnUnsent tells how much is not sent of streams that either side cancels.
func TestOnUnsent(t *testing.T) {
	const window, written = 2000, 4000 // as much as is taken without the peer's leave
	conf := &Config{InitialStreamWindow: window, MaxStreamWindow: window}
	bubble(t, conf, nil, func(t *testing.T, e *env, client, server *Conn) {
		for name, cancel := range map[string]func(cs, ss *Stream){
			"the writer":                func(cs, ss *Stream) { cs.CancelWrite(1); synctest.Wait(); ss.CancelRead(1) },
			"the reader":                func(_, ss *Stream) { ss.CancelRead(2) },
			"the reader, after the end": func(cs, ss *Stream) { cs.Close(); ss.CancelRead(3) },
		} {
			cs, ss := e.streams(client, server)
			if _, err := cs.Write(make([]byte, written)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // of virtual time, until the window is used up
			told, discarded := make(chan uint64, 1), make(chan uint64, 1)
			cs.OnUnsent(func(n uint64) { told <- n })
			ss.OnDiscarded(func(n uint64) { discarded <- n })
			cancel(cs, ss)
			if unsent, sent := <-told, <-discarded; unsent+sent != written || unsent == 0 || sent == 0 {
				t.Errorf("%s: %d bytes are not sent, %d not read, of %d", name, unsent, sent, written)
			}
		}
	})
}

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
