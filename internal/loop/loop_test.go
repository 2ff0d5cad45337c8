package loop_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/udp"
)

// A connection comes about, carries bytes both ways, and is closed by one side.
func TestConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		p.server.onCall = func(call string, s *engine.Stream) {
			if call != "readable" {
				return
			}
			buf := make([]byte, 100)
			n, _ := s.Recv.Read(buf)
			var link loop.Stream
			link.Init(p.server.conn, s)
			link.Send.WriteLast(buf[:n])
			link.Written()
		}
		got := make(chan string, 1)
		p.client.onCall = func(call string, s *engine.Stream) {
			switch call {
			case "complete":
				s, err := p.client.conn.OpenStream(false)
				if err != nil {
					t.Error(err)
					return
				}
				var link loop.Stream
				link.Init(p.client.conn, s)
				link.Send.WriteLast([]byte("hello"))
				link.Written()
			case "readable":
				buf := make([]byte, 100)
				n, err := s.Recv.Read(buf)
				if err != nil && err != io.EOF {
					t.Error(err)
				}
				got <- string(buf[:n])
				p.client.conn.Close(7, "done")
			}
		}
		p.dial()
		if answer := <-got; answer != "hello" {
			t.Errorf("the answer is %q, want hello", answer)
		}
		time.Sleep(10 * time.Second) // beyond the closing period
		synctest.Wait()
		for _, c := range []struct {
			side     *recorder
			wantErr  engine.ApplicationError
			sideName string
		}{
			{p.client, engine.ApplicationError{Code: 7, Reason: "done"}, "client"},
			{p.server, engine.ApplicationError{Code: 7, Reason: "done", Remote: true}, "server"},
		} {
			closed, err := c.side.saw("closed")
			var app *engine.ApplicationError
			if closed != 1 || !errors.As(err, &app) || *app != c.wantErr {
				t.Errorf("%s: closed %d times with %v, want once with %v", c.sideName, closed, err, &c.wantErr)
			}
			if released, _ := c.side.saw("released"); released != 1 {
				t.Errorf("%s: released %d times, want once", c.sideName, released)
			}
		}
		if n, m := p.clientLoop.Stats().Conns, p.serverLoop.Stats().Conns; n != 0 || m != 0 {
			t.Errorf("connections left: client %d, server %d", n, m)
		}
	})
}

// An idle connection expires on time though nothing ever arrives again, and
// costs no turns until then.
func TestIdleExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{MaxIdleTimeout: 30 * time.Second})
		defer p.close()
		p.dial()
		time.Sleep(5 * time.Second) // handshake, path MTU discovery and all are over
		synctest.Wait()
		before := p.clientLoop.Stats().Turns
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if turns := p.clientLoop.Stats().Turns - before; turns > 0 {
			t.Errorf("%d turns in 20 s of idleness, want none", turns)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for name, side := range map[string]*recorder{"client": p.client, "server": p.server} {
			_, err := side.saw("closed")
			var idle *engine.IdleTimeoutError
			if !errors.As(err, &idle) || idle.After != 30*time.Second {
				t.Errorf("%s: closed with %v, want an idle timeout after 30 s", name, err)
			}
			if released, _ := side.saw("released"); released != 1 {
				t.Errorf("%s: not released", name)
			}
		}
	})
}

// Traffic that resumes moves the deadline.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{MaxIdleTimeout: 30 * time.Second, KeepAlive: 10 * time.Second})
		defer p.close()
		p.dial()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n, err := p.client.saw("closed"); n != 0 {
			t.Errorf("closed with %v though kept alive", err)
		}
	})
}

// A handshake that is not answered ends on time, and until then the loop works
// only when a probe is due.
func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{HandshakeTimeout: 10 * time.Second})
		defer p.close()
		p.serverLoop.Close()
		p.dial()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		_, err := p.client.saw("closed")
		var timeout *engine.HandshakeTimeoutError
		if !errors.As(err, &timeout) {
			t.Errorf("closed with %v, want a handshake timeout", err)
		}
		if s := p.clientLoop.Stats(); s.Turns > 20 {
			t.Errorf("%d turns for a handful of probes", s.Turns)
		}
	})
}

// Close tells the peers at once, the handlers, and ends the goroutine.
func TestCloseLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		p.dial()
		time.Sleep(time.Second)
		p.serverLoop.Close()
		for _, call := range []string{"closed", "released"} {
			if n, _ := p.server.saw(call); n != 1 {
				t.Errorf("server's handler: %q %d times, want once", call, n)
			}
		}
		if p.serverLoop.Do(func() { t.Error("called after the end") }) {
			t.Error("Do returned true after the end")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		_, err := p.client.saw("closed")
		var app *engine.ApplicationError
		if !errors.As(err, &app) || !app.Remote || app.Code != 0 {
			t.Errorf("client: closed with %v, want the peer's code 0", err)
		}
	})
}

// What was posted before the end is done.
func TestCloseDoesPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		done, accepted := 0, 0
		for range 100 {
			if p.clientLoop.Do(func() { done++ }) {
				accepted++
			}
		}
		p.close()
		if done != accepted {
			t.Errorf("%d functions were called, %d accepted", done, accepted)
		}
	})
}

// A socket that fails ends the loop, and the connections learn why.
func TestSocketFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		p.dial()
		time.Sleep(time.Second)
		failure := errors.New("the cable is cut")
		p.clientSocket.FailReceives(failure)
		<-p.clientLoop.Done()
		if _, err := p.client.saw("closed"); !errors.Is(err, failure) {
			t.Errorf("closed with %v, want the socket's failure", err)
		}
	})
}

// The handler hears that there is no way to the peer; the connection goes on.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		p.clientSocket.FailSends(udp.ErrUnreachable)
		p.dial()
		time.Sleep(time.Second)
		synctest.Wait()
		if n, _ := p.client.saw("unreachable"); n == 0 {
			t.Error("not told that the peer is unreachable")
		}
		p.clientSocket.FailSends(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n, _ := p.client.saw("complete"); n != 1 {
			t.Error("the connection did not come about when the way was free again")
		}
	})
}
