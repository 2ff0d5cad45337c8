package quic

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// script is a Handler made of functions; it writes down its calls.
type script struct {
	mu       sync.Mutex
	calls    []string
	stream   func(*Stream)
	readable func(*Stream)
	writable func(*Stream)
	streams  func(*Conn)
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

func (h *script) HandleStream(s *Stream) {
	h.note("stream %d", s.ID())
	if h.stream != nil {
		h.stream(s)
	}
}

func (h *script) HandleReadable(s *Stream) {
	h.note("readable %d", s.ID())
	if h.readable != nil {
		h.readable(s)
	}
}

func (h *script) HandleWritable(s *Stream) {
	h.note("writable %d", s.ID())
	if h.writable != nil {
		h.writable(s)
	}
}

func (h *script) HandleStreamsAvailable(c *Conn) {
	h.note("streams")
	if h.streams != nil {
		h.streams(c)
	}
}

func (h *script) HandleClose(c *Conn, err error) { h.note("close: %v", err) }

// handled returns a Config that makes h the handler of every connection.
func handled(h Handler) *Config { return &Config{NewHandler: func(*Conn) Handler { return h }} }

// A server without a goroutine of its own.
func TestHandlerEcho(t *testing.T) {
	h := &script{}
	h.readable = func(s *Stream) {
		var got []byte
		if v, ok := s.Value().([]byte); ok {
			got = v
		}
		buf := make([]byte, 4096)
		for {
			n, err := s.TryRead(buf)
			got = append(got, buf[:n]...)
			s.SetValue(got)
			if err == io.EOF {
				s.WriteLast(got)
				return
			}
			if n == 0 || err != nil {
				return
			}
		}
	}
	e := newEnv(t, handled(h), nil)
	c := e.dial()
	for i := range 5 {
		if err := e.echo(c, byte(i), 300_000); err != nil {
			t.Error(err)
		}
	}
}

// The calls come in order, and HandleClose is the last.
func TestHandlerCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &script{}
		h.readable = func(s *Stream) { s.TryRead(make([]byte, 100)) }
		e, closeAll := newMemEnv(t, handled(h), nil)
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
		if n := e.listener.backlog.Len(); n != 0 {
			t.Errorf("%d event-driven connections wait for Accept", n)
		}
	})
}

// TryWrite takes what fits, and HandleWritable tells when to go on.
func TestHandlerWritable(t *testing.T) {
	const size = 8 << 20
	h := &script{}
	push := func(s *Stream) {
		left := s.Value().([]byte)
		if len(left) == 0 {
			return // the connection has ended since
		}
		n, err := s.TryWrite(left)
		if err != nil {
			t.Error(err)
		}
		s.SetValue(left[n:])
		if n == len(left) {
			s.Close()
		}
	}
	h.stream = func(s *Stream) {
		data := make([]byte, size)
		noise(3).Read(data)
		s.SetValue(data)
		push(s)
	}
	h.writable = push
	e := newEnv(t, handled(h), nil)
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
		h.writable = func(s *Stream) { _, writeErr = s.TryWrite([]byte("x")) }
		e, closeAll := newMemEnv(t, handled(h), nil)
		defer closeAll()
		s, err := e.dial().OpenStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("x"))
		s.CancelRead(6)
		time.Sleep(time.Second)
		synctest.Wait()
		if e := wantError[*StreamError](t, "TryWrite", writeErr); e.Code != 6 || !e.Remote {
			t.Errorf("TryWrite: %+v", e)
		}
	})
}

// A client's handler opens streams as the peer's limit allows.
func TestHandlerTryOpenStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 10
		opened := 0
		more := func(c *Conn) {
			for opened < total {
				s, err := c.TryOpenStream(true)
				if errors.Is(err, ErrStreamLimit) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				opened++
				s.WriteLast([]byte("x"))
			}
		}
		h := &script{streams: more}
		e, closeAll := newMemEnv(t, &Config{MaxIncomingUniStreams: 3}, handled(h))
		defer closeAll()
		client, server := e.pair()
		client.Run(func() { more(client) })
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
		client.CloseWithError(0, "")
		<-client.Done()
		if _, err := client.TryOpenStream(true); err == nil {
			t.Error("a stream was opened on a connection that has ended")
		}
	})
}

// A stream that is detached belongs to a goroutine that waits.
func TestDetach(t *testing.T) {
	h := &script{}
	h.stream = func(s *Stream) {
		s.Detach()
		go func() {
			if _, err := io.Copy(s, s); err != nil {
				t.Error(err)
			}
			s.Close()
		}()
	}
	e := newEnv(t, handled(h), nil)
	if err := e.echo(e.dial(), 4, 4<<20); err != nil {
		t.Error(err)
	}
	if got := h.log(); got != "stream 0" {
		t.Errorf("calls:\n%s\nwant the stream's arrival alone", got)
	}
}

// A NewHandler that returns nil leaves the connection an ordinary one.
func TestNewHandlerNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, &Config{NewHandler: func(*Conn) Handler { return nil }}, nil)
		defer closeAll()
		e.streams(e.pair())
	})
}

// OpenStreamNow does not wait for a stream, and a Handler hears when there may be one.
func TestHandlerPeerStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		raised := make(chan uint64, 10)
		h := &script{streams: func(c *Conn) { raised <- c.PeerStreamLimit(false) }}
		e, closeAll := newMemEnv(t, &Config{MaxIncomingStreams: limit}, handled(h))
		defer closeAll()
		client, server := e.pair()
		client.Run(func() { raised <- client.PeerStreamLimit(false) })
		if n := <-raised; n != limit {
			t.Errorf("limit %d at first", n)
		}
		for i := range limit {
			s, err := client.OpenStreamNow(e.ctx)
			if err != nil {
				t.Fatalf("stream %d: %v", i, err)
			}
			s.Detach()
			if _, err := s.WriteLast([]byte("x")); err != nil {
				t.Error(err)
			}
		}
		if _, err := client.OpenStreamNow(e.ctx); err != ErrStreamLimit {
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
		if _, err := client.OpenStreamNow(e.ctx); err != nil {
			t.Error(err)
		}
		client.CloseWithError(0, "")
		<-client.Done()
		if _, err := client.OpenStreamNow(e.ctx); err == nil || err == ErrStreamLimit {
			t.Errorf("on a connection that has ended: %v", err)
		}
	})
}
