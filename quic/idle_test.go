package quic

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// In real time over real sockets: a peer that is gone is noticed, and nothing
// of its connection stays. The other side of the connection never says a word.
func TestIdleTimeoutReal(t *testing.T) {
	e := newEnv(t, &Config{MaxIdleTimeout: 300 * time.Millisecond}, nil)
	client, server := e.pair()
	<-server.Done()
	idle := wantError[*IdleTimeoutError](t, "Err", server.Err())
	if idle.After != 300*time.Millisecond || !error(idle).(net.Error).Timeout() {
		t.Errorf("Err: %+v", idle)
	}
	<-client.Done()
	wantError[*IdleTimeoutError](t, "client's Err", client.Err())
}

// The lower of both sides' timeouts counts, from the last packet, and traffic
// that resumes moves it.
func TestIdleTimeoutMoves(t *testing.T) {
	bubble(t, &Config{MaxIdleTimeout: 20 * time.Second}, &Config{MaxIdleTimeout: time.Minute}, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		for range 5 {
			time.Sleep(15 * time.Second)
			cs.Write([]byte("x"))
			ss.Read(make([]byte, 1))
		}
		last := time.Now()
		<-client.Done()
		if idle := wantError[*IdleTimeoutError](t, "Err", client.Err()); idle.After != 20*time.Second {
			t.Errorf("idle timeout %v, want 20 s", idle.After)
		}
		if d := time.Since(last); d < 20*time.Second || d > 21*time.Second {
			t.Errorf("expired %v after the last packet, want 20 s", d)
		}
	})
}

// A connection whose peer vanished while it sends ends as well.
func TestIdleTimeoutWhileSending(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		e.network.Drop(func(netip.AddrPort, netip.AddrPort, []byte) bool { return true })
		start := time.Now()
		_, err := cs.Write(make([]byte, 64<<20))
		wantError[*IdleTimeoutError](t, "Write", err)
		if d := time.Since(start); d > 35*time.Second {
			t.Errorf("noticed after %v", d)
		}
	})
}

func TestKeepAlive(t *testing.T) {
	bubble(t, nil, &Config{KeepAlivePeriod: 10 * time.Second}, func(t *testing.T, e *env, client, server *Conn) {
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if client.Err() != nil || server.Err() != nil {
			t.Errorf("ended though kept alive: %v, %v", client.Err(), server.Err())
		}
	})
}

// A connection with work outstanding is kept alive by whichever side has it, and
// only as long as it has.
func TestHold(t *testing.T) {
	for _, side := range []string{"client", "server"} {
		bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
			c := map[string]*Conn{"client": client, "server": server}[side]
			c.Hold()
			c.Hold()
			c.Unhold()
			time.Sleep(10 * time.Minute)
			if client.Err() != nil || server.Err() != nil {
				t.Fatalf("%s: ended with work outstanding: %v, %v", side, client.Err(), server.Err())
			}
			c.Unhold()
			time.Sleep(time.Minute)
			if client.Err() == nil || server.Err() == nil {
				t.Errorf("%s: kept alive without work", side)
			}
			c.Hold()
			c.Unhold()
		})
	}
}

// Work may begin on a connection that was quiet for so long that no PING would
// have left.
func TestHoldLate(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		for range 3 {
			time.Sleep(14 * time.Second)
			client.Hold()
			time.Sleep(10 * time.Minute)
			client.Unhold()
		}
		if client.Err() != nil || server.Err() != nil {
			t.Errorf("ended with work outstanding: %v, %v", client.Err(), server.Err())
		}
	})
}
