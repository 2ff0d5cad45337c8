package quic

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f with a connection in virtual time.
func bubble(t *testing.T, serverConf, clientConf *Config, f func(t *testing.T, e *env, client, server *Conn)) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, serverConf, clientConf)
		defer closeAll()
		client, server := e.pair()
		f(t, e, client, server)
	})
}

func TestCancelRead(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		ss.CancelRead(42)
		_, err := ss.Read(make([]byte, 1))
		if e := wantError[*StreamError](t, "reading after CancelRead", err); *e != (StreamError{cs.ID(), 42, false}) {
			t.Errorf("reading after CancelRead: %+v", e)
		}
		<-cs.Context().Done() // STOP_SENDING has come
		_, err = cs.Write([]byte("x"))
		if e := wantError[*StreamError](t, "peer's Write", err); *e != (StreamError{cs.ID(), 42, true}) {
			t.Errorf("peer's Write: %+v", e)
		}
		if err := context.Cause(cs.Context()); !errors.As(err, new(*StreamError)) {
			t.Errorf("cause of the peer's context: %v", err)
		}
		// The other half goes on.
		ss.WriteLast([]byte("still"))
		if got, err := io.ReadAll(cs); string(got) != "still" || err != nil {
			t.Errorf("the other half: %q, %v", got, err)
		}
	})
}

func TestCancelWrite(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		cs.CancelWrite(43)
		_, err := cs.Write([]byte("x"))
		if e := wantError[*StreamError](t, "Write after CancelWrite", err); *e != (StreamError{cs.ID(), 43, false}) {
			t.Errorf("Write after CancelWrite: %+v", e)
		}
		if err := cs.Close(); err == nil {
			t.Error("Close after CancelWrite returned nil")
		}
		_, err = ss.Read(make([]byte, 1)) // waits
		if e := wantError[*StreamError](t, "peer's Read", err); *e != (StreamError{cs.ID(), 43, true}) {
			t.Errorf("peer's Read: %+v", e)
		}
		<-cs.Context().Done()
		ss.WriteLast([]byte("still"))
		if got, err := io.ReadAll(cs); string(got) != "still" || err != nil {
			t.Errorf("the other half: %q, %v", got, err)
		}
	})
}

// Cancelling makes a call that waits return.
func TestCancelWakes(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		errs := make(chan error)
		go func() {
			_, err := cs.Read(make([]byte, 1))
			errs <- err
		}()
		synctest.Wait()
		cs.CancelRead(1)
		wantError[*StreamError](t, "Read", <-errs)
		go func() {
			_, err := cs.Write(make([]byte, 64<<20)) // nobody reads
			errs <- err
		}()
		time.Sleep(time.Second)
		cs.CancelWrite(2)
		wantError[*StreamError](t, "Write", <-errs)
	})
}

func TestReadDeadline(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		start := time.Now()
		cs.SetReadDeadline(start.Add(3 * time.Second))
		_, err := cs.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Read: %v after %v, want the deadline after 3 s", err, time.Since(start))
		}
		if _, err := cs.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read after the deadline: %v", err)
		}
		cs.SetReadDeadline(time.Now().Add(time.Hour))
		ss.Write([]byte("x"))
		if n, err := cs.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("Read with a later deadline: %d, %v", n, err)
		}
		cs.SetDeadline(time.Now().Add(-time.Second))
		if _, err := cs.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read with a deadline in the past: %v", err)
		}
		if _, err := cs.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write with a deadline in the past: %v", err)
		}
		cs.SetDeadline(time.Time{})
		if _, err := cs.Write([]byte("x")); err != nil {
			t.Errorf("Write with no deadline: %v", err)
		}
	})
}

// A deadline set by another goroutine ends a Read that waits, also when an
// earlier one was moved.
func TestDeadlineWhileWaiting(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		start := time.Now()
		cs.SetReadDeadline(start.Add(time.Second))
		go func() {
			time.Sleep(500 * time.Millisecond)
			cs.SetReadDeadline(start.Add(2 * time.Second))
		}()
		_, err := cs.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("Read: %v after %v, want the deadline after 2 s", err, time.Since(start))
		}
	})
}

func TestWriteDeadline(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		start := time.Now()
		cs.SetWriteDeadline(start.Add(3 * time.Second))
		n, err := cs.Write(make([]byte, 64<<20)) // nobody reads
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Write: %v after %v, want the deadline after 3 s", err, time.Since(start))
		}
		cs.SetWriteDeadline(time.Time{})
		cs.Close()
		got, err := io.Copy(io.Discard, ss)
		if got != int64(n) || err != nil {
			t.Errorf("peer read %d bytes, %v; want the %d that Write took", got, err, n)
		}
	})
}

func TestWriteAfterClose(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		for range 2 {
			if err := cs.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := cs.Write([]byte("x")); !errors.Is(err, ErrWriteClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if _, err := cs.WriteLast(nil); !errors.Is(err, ErrWriteClosed) {
			t.Errorf("WriteLast after Close: %v", err)
		}
		for range 2 {
			if n, err := ss.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("peer's Read: %d, %v; want EOF", n, err)
			}
		}
		<-cs.Context().Done()
		if err := context.Cause(cs.Context()); err != context.Canceled {
			t.Errorf("cause when all is acknowledged: %v", err)
		}
	})
}

// A context that is asked for only when the sending half has ended is
// cancelled from the start.
func TestContextLate(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		ss.CancelRead(5)
		time.Sleep(time.Second)
		if err := context.Cause(cs.Context()); !errors.As(err, new(*StreamError)) {
			t.Errorf("cause: %v, want the peer's STOP_SENDING", err)
		}
	})
}
