package event

import (
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// waker is a handler that detaches every other stream for a goroutine to answer,
// and answers the rest itself.
type waker struct {
	script
	woke  bool // of the loop
	asked atomic.Int64
}

func (w *waker) HandleTurn(Turn) bool {
	w.asked.Add(1)
	woke := w.woke
	w.woke = false
	return woke
}

// TestWaker has a server's loop ask whether goroutines were woken, and requests
// answered by either kind.
func TestWaker(t *testing.T) {
	h := new(waker)
	h.stream = func(_ Turn, ref Stream) {
		if ref.ID()%8 != 0 {
			return
		}
		s := ref.Detach()
		h.woke = true
		go func() {
			io.Copy(s, s)
			s.Close()
		}()
	}
	h.readable = func(t Turn, s Stream) {
		buf := make([]byte, 100)
		n, err := t.Read(s, buf)
		if n == 0 && err == nil {
			return
		}
		if err == io.EOF {
			t.WriteLast(s, nil)
			return
		}
		t.WriteLast(s, buf[:n])
	}
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil, setup{server: handled(h)})
		defer closeAll()
		client := e.dial()
		for range 10 {
			s, err := client.OpenStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.WriteLast([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(s); err != nil || string(b) != "hello" {
				t.Fatalf("stream %d: %q, %v", s.ID(), b, err)
			}
		}
	})
	if h.asked.Load() == 0 {
		t.Error("the loop never asked")
	}
}
