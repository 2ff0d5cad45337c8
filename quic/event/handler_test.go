package event

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// script is a Handler made of functions; it writes down its calls.
type script struct {
	mu       sync.Mutex
	calls    []string
	stream   func(Turn, Stream)
	readable func(Turn, Stream)
	writable func(Turn, Stream)
	streams  func(Turn)
	closed   func(Turn)
}

func (h *script) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, fmt.Sprintf(format, args...))
}

// log returns the calls, one to a line.
func (h *script) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.calls, "\n")
}

func (h *script) HandleStream(t Turn, s Stream) StreamHandler {
	h.note("stream %d", s.ID())
	if h.stream != nil {
		h.stream(t, s)
	}
	return h
}

func (h *script) HandleReadable(t Turn, s Stream) {
	h.note("readable %d", s.ID())
	if h.readable != nil {
		h.readable(t, s)
	}
}

func (h *script) HandleWritable(t Turn, s Stream) {
	h.note("writable %d", s.ID())
	if h.writable != nil {
		h.writable(t, s)
	}
}

func (h *script) HandleStreamsAvailable(t Turn) {
	h.note("streams")
	if h.streams != nil {
		h.streams(t)
	}
}

func (h *script) HandleEnd(t Turn, s Stream, end End) {
	h.note("end of %d: %v, %v, %d lost", s.ID(), end.Kind, end.Err, end.Lost)
}

func (h *script) HandleClose(t Turn, err error) {
	h.note("close: %v", err)
	if h.closed != nil {
		h.closed(t)
	}
}

// A server without a goroutine of its own.
func TestHandlerEcho(t *testing.T) {
	h := &script{}
	streams := make(map[uint64][]byte) // of the loop's goroutine
	h.readable = func(t Turn, s Stream) {
		buf := make([]byte, 4096)
		for {
			n, err := t.Read(s, buf)
			streams[s.ID()] = append(streams[s.ID()], buf[:n]...)
			if err == io.EOF {
				t.WriteLast(s, streams[s.ID()])
				return
			}
			if n == 0 || err != nil {
				return
			}
		}
	}
	e := newEnv(t, nil, setup{server: handled(h)})
	c := e.dial()
	for i := range 5 {
		e.echo(c, 300_000+i)
	}
}

// The calls come in order, and HandleClose is the last.
func TestHandlerCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &script{}
		h.readable = func(t Turn, s Stream) { t.Read(s, make([]byte, 100)) }
		e, closeAll := newMemEnv(t, nil, nil, setup{server: handled(h)})
		defer closeAll()
		c := e.dial()
		s, err := c.OpenStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("x"))
		time.Sleep(time.Second)
		s.Write([]byte("y"))
		time.Sleep(time.Second)
		c.CloseWithError(9, "bye")
		time.Sleep(time.Second)
		synctest.Wait()
		want := "stream 0\nreadable 0\nreadable 0\nreadable 0\nwritable 0\nclose: quic: connection closed by the peer with code 0x9: bye"
		if got := h.log(); got != want {
			t.Errorf("calls:\n%s\nwant:\n%s", got, want)
		}
		waiting, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		if c, err := e.listener.Accept(waiting); err == nil {
			t.Errorf("%v, which has a handler, waited for Accept", c.RemoteAddr())
		}
	})
}

// TryWrite takes what fits, and HandleWritable tells when to go on.
func TestHandlerWritable(t *testing.T) {
	const size = 8 << 20
	h := &script{}
	left := peertest.Content(size) // of the loop's goroutine
	push := func(turn Turn, s Stream) {
		if len(left) == 0 {
			return // the connection has ended since
		}
		n, err := turn.Write(s, left)
		if err != nil {
			t.Error(err)
		}
		if left = left[n:]; len(left) == 0 {
			turn.WriteLast(s, nil)
		}
	}
	h.stream = push
	h.writable = push
	e := newEnv(t, nil, setup{server: handled(h)})
	c := e.dial()
	s, err := c.OpenStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	n, err := io.Copy(io.Discard, s)
	if n != size || err != nil {
		t.Errorf("read %d bytes, %v; want %d", n, err, size)
	}
	if !strings.Contains(h.log(), "writable") {
		t.Error("everything fitted at once: the test shows nothing")
	}
}

// A handler hears that the peer does not want more.
func TestHandlerStopSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writeErr error
		h := &script{}
		h.writable = func(t Turn, s Stream) { _, writeErr = t.Write(s, []byte("x")) }
		e, closeAll := newMemEnv(t, nil, nil, setup{server: handled(h)})
		defer closeAll()
		s, err := e.dial().OpenStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("x"))
		s.CancelRead(6)
		time.Sleep(time.Second)
		synctest.Wait()
		if e := wantError[*quic.StreamError](t, "TryWrite", writeErr); e.Code != 6 || !e.Remote {
			t.Errorf("TryWrite: %+v", e)
		}
	})
}

// A client's handler opens streams as the peer's limit allows.
func TestHandlerOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 10
		opened := 0
		more := func(turn Turn) {
			for opened < total {
				s, err := turn.Open(true, nil)
				if errors.Is(err, ErrStreamLimit) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				opened++
				turn.WriteLast(s, []byte("x"))
			}
		}
		h := &script{streams: more}
		e, closeAll := newMemEnv(t, &quic.Config{MaxIncomingUniStreams: 3}, nil, setup{client: handled(h)})
		defer closeAll()
		client, server := e.pair()
		Run(client, more)
		for i := range total {
			s, err := server.AcceptUniStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(s); string(got) != "x" || err != nil {
				t.Errorf("stream %d: %q, %v", i, got, err)
			}
		}
		if !strings.Contains(h.log(), "streams") {
			t.Error("the limit was never reached: the test shows nothing")
		}
		opening := make(chan error, 1)
		h.closed = func(turn Turn) {
			_, err := turn.Open(true, nil)
			opening <- err
		}
		client.CloseWithError(0, "")
		if <-opening == nil {
			t.Error("a stream was opened on a connection that has ended")
		}
	})
}

// A stream that is detached belongs to a goroutine that waits.
func TestDetach(t *testing.T) {
	h := &script{}
	h.stream = func(_ Turn, ref Stream) {
		s := ref.Detach()
		go func() {
			if _, err := io.Copy(s, s); err != nil {
				t.Error(err)
			}
			s.Close()
		}()
	}
	e := newEnv(t, nil, setup{server: handled(h)})
	e.echo(e.dial(), 4<<20)
	if got := h.log(); strings.Contains(got, "able") {
		t.Errorf("calls:\n%s\nwant none of a stream that goroutines have", got)
	}
}

// A newHandler that returns nil leaves the connection an ordinary one.
func TestNoHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil, setup{server: handled(nil)})
		defer closeAll()
		e.streams(e.pair())
	})
}

// Turn.Open does not wait for a stream, and a Handler hears when there may be one.
func TestHandlerStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		raised := make(chan uint64, 10)
		h := &script{streams: func(t Turn) { raised <- t.StreamLimit(false) }}
		e, closeAll := newMemEnv(t, &quic.Config{MaxIncomingStreams: limit}, nil, setup{client: handled(h)})
		defer closeAll()
		client, server := e.pair()
		open := func() error {
			opened := make(chan error, 1)
			if !Run(client, func(turn Turn) {
				s, err := turn.Open(false, nil)
				if err == nil {
					_, err = turn.WriteLast(s, []byte("x"))
				}
				opened <- err
			}) {
				return client.Err()
			}
			return <-opened
		}
		Run(client, h.streams)
		if n := <-raised; n != limit {
			t.Errorf("limit %d at first", n)
		}
		for i := range limit {
			if err := open(); err != nil {
				t.Fatalf("stream %d: %v", i, err)
			}
		}
		if err := open(); err != ErrStreamLimit {
			t.Errorf("beyond the limit: %v", err)
		}
		for want := uint64(limit + 1); want <= 2*limit; {
			s, err := server.AcceptStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(s); err != nil {
				t.Error(err)
			}
			_ = s.Close()
			if n := <-raised; n < want {
				t.Errorf("limit %d, want %d", n, want)
			} else {
				want = n + 1
			}
		}
		if err := open(); err != nil {
			t.Error(err)
		}
		early := make(chan error, 1) // of a call after the close, before anybody was told of the end
		Run(client, func(turn Turn) {
			turn.Close(7, "")
			face.Of(client).Link.Close(7, "")
			_, err := turn.Open(false, nil)
			early <- err
		})
		if err := <-early; err == nil || err == ErrStreamLimit {
			t.Errorf("on a connection that is being closed: %v", err)
		}
		<-client.Done()
		if err := wantError[*quic.ApplicationError](t, "after the end", open()); err.Code != 7 {
			t.Errorf("on a connection that has ended: %v", err)
		}
		if Run(client, func(Turn) {}) {
			t.Error("Run returns true after the end")
		}
	})
}

// TestOpen: a goroutine waits for a stream as long as the peer allows none, what its
// function writes leaves in the turn that opens it, and the end of its context, or of the
// connection, ends the wait.
func TestOpen(t *testing.T) {
	bubble(t, &quic.Config{MaxIncomingUniStreams: 1}, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		begin := func(t Turn, s Stream) { t.WriteLast(s, []byte("x")) }
		opened := make(chan error, 2)
		go func() {
			for range 2 {
				_, err := Open(e.ctx, client, true, begin)
				opened <- err
			}
		}()
		for i := range 2 {
			time.Sleep(time.Second) // of virtual time
			synctest.Wait()
			if len(opened) != 1 {
				t.Fatalf("stream %d: %d are open", i, len(opened))
			}
			if err := <-opened; err != nil {
				t.Fatal(err)
			}
			s, err := server.AcceptUniStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(s); string(got) != "x" || err != nil {
				t.Errorf("stream %d: %q, %v", i, got, err)
			}
		}
		s, err := Open(e.ctx, client, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Detach().Write([]byte("y")); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		if _, err := Open(ctx, client, true, begin); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("when the time is over: %v", err)
		}
		go client.CloseWithError(3, "")
		_, err = Open(e.ctx, client, true, begin)
		if err := wantError[*quic.ApplicationError](t, "when the connection ends", err); err.Code != 3 {
			t.Error(err)
		}
	})
}
