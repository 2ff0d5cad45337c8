package quic

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseWithError(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		if client.Err() != nil || context.Cause(client.Context()) != nil {
			t.Errorf("a live connection has the error %v", client.Err())
		}
		if err := client.CloseWithError(77, "enough"); err != nil {
			t.Error(err)
		}
		<-client.Done()
		<-server.Context().Done()
		for _, tt := range []struct {
			name string
			conn *Conn
			s    *Stream
			want ApplicationError
		}{
			{"client", client, cs, ApplicationError{77, "enough", false}},
			{"server", server, ss, ApplicationError{77, "enough", true}},
		} {
			check := func(what string, err error) {
				t.Helper()
				if got := wantError[*ApplicationError](t, tt.name+": "+what, err); *got != tt.want {
					t.Errorf("%s: %s: %+v, want %+v", tt.name, what, got, tt.want)
				}
			}
			check("Err", tt.conn.Err())
			check("cause", context.Cause(tt.conn.Context()))
			_, err := tt.s.Read(make([]byte, 1))
			check("Read", err)
			_, err = tt.s.Write(make([]byte, 1))
			check("Write", err)
			check("stream's cause", context.Cause(tt.s.Context()))
			_, err = tt.conn.OpenStream(e.ctx)
			check("OpenStream", err)
			_, err = tt.conn.AcceptStream(e.ctx)
			check("AcceptStream", err)
		}
		time.Sleep(10 * time.Second) // the closing period
		synctest.Wait()
		if n := e.transport.Stats().Connections + e.listener.Transport().Stats().Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
		client.CloseWithError(1, "again") // does nothing
	})
}

// Everything that waits returns when the connection ends.
func TestCloseWakes(t *testing.T) {
	bubble(t, &Config{MaxIncomingStreams: 1}, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		calls := map[string]func() error{
			"Read":            func() error { _, err := cs.Read(make([]byte, 1)); return err },
			"Write":           func() error { _, err := cs.Write(make([]byte, 64<<20)); return err },
			"AcceptStream":    func() error { _, err := client.AcceptStream(e.ctx); return err },
			"AcceptUniStream": func() error { _, err := client.AcceptUniStream(e.ctx); return err },
			"OpenStream":      func() error { _, err := client.OpenStream(e.ctx); return err },
		}
		type result struct {
			name string
			err  error
		}
		results := make(chan result)
		for name, call := range calls {
			go func() { results <- result{name, call()} }()
		}
		time.Sleep(time.Second)
		server.CloseWithError(3, "")
		for range calls {
			r := <-results
			wantError[*ApplicationError](t, r.name, r.err)
		}
	})
}

// What has arrived whole can be read though the connection has ended.
func TestReadAfterClose(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		ss.WriteLast([]byte("last words"))
		time.Sleep(time.Second)
		server.CloseWithError(0, "")
		<-client.Done()
		if got, err := io.ReadAll(cs); string(got) != "last words" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

// OpenStream waits for the peer's limit, in order.
func TestOpenStreamWaits(t *testing.T) {
	bubble(t, &Config{MaxIncomingStreams: 1}, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, ss := e.streams(client, server)
		opened := make(chan *Stream)
		for range 3 {
			go func() {
				s, err := client.OpenStream(e.ctx)
				if err != nil {
					t.Error(err)
				}
				opened <- s
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		if _, err := client.OpenStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("OpenStream beyond the limit: %v", err)
		}
		for want := uint64(4); want <= 12; want += 4 {
			cs.Close()
			ss.Close()
			io.Copy(io.Discard, cs)
			io.Copy(io.Discard, ss)
			cs = <-opened
			if cs.ID() != want {
				t.Fatalf("stream %d was opened, want %d", cs.ID(), want)
			}
			cs.Write([]byte("x"))
			var err error
			if ss, err = server.AcceptStream(e.ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOpenStreamNone(t *testing.T) {
	bubble(t, &Config{MaxIncomingUniStreams: -1}, nil, func(t *testing.T, e *env, client, server *Conn) {
		ctx, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		if _, err := client.OpenUniStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("OpenUniStream where none is allowed: %v", err)
		}
		cancelled, cancelNow := context.WithCancel(e.ctx)
		cancelNow()
		if _, err := client.OpenStream(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("OpenStream with a context that has ended: %v", err)
		}
	})
}

func TestAcceptStreamContext(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		ctx, cancel := context.WithTimeout(e.ctx, time.Second)
		defer cancel()
		if _, err := server.AcceptStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("AcceptStream: %v", err)
		}
	})
}

// A peer that opens streams and resets them at once is allowed ever more of
// them, but what waits to be accepted stays bounded.
func TestResetStreamsBeforeAccept(t *testing.T) {
	bubble(t, &Config{MaxIncomingUniStreams: 10}, nil, func(t *testing.T, e *env, client, server *Conn) {
		for range 500 {
			s, err := client.OpenUniStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			s.Write([]byte("x"))
			s.CancelWrite(1)
		}
		time.Sleep(time.Second)
		if n := server.accepts.uni.Len(); n > 21 {
			t.Errorf("%d streams wait to be accepted, want a bound of twice the limit", n)
		}
		s, err := client.OpenUniStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.WriteLast([]byte("alive"))
		time.Sleep(time.Second)
		for {
			in, err := server.AcceptUniStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(in); err == nil && string(got) == "alive" {
				break
			}
		}
	})
}

func TestConnGetters(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		e.streams(client, server)
		time.Sleep(time.Second)
		for _, tt := range []struct {
			what      string
			got, want net.Addr
		}{
			{"client's local", client.LocalAddr(), net.UDPAddrFromAddrPort(memClient)},
			{"client's remote", client.RemoteAddr(), net.UDPAddrFromAddrPort(memServer)},
			{"server's local", server.LocalAddr(), net.UDPAddrFromAddrPort(memServer)},
			{"server's remote", server.RemoteAddr(), net.UDPAddrFromAddrPort(memClient)},
		} {
			if tt.got.String() != tt.want.String() {
				t.Errorf("%s address: %v, want %v", tt.what, tt.got, tt.want)
			}
		}
		for name, c := range map[string]*Conn{"client": client, "server": server} {
			state, stats := c.ConnectionState(), c.Stats()
			if !state.HandshakeComplete || state.NegotiatedProtocol != "test" {
				t.Errorf("%s: TLS state %+v", name, state)
			}
			if stats.MinRTT < 10*time.Millisecond || stats.SmoothedRTT < stats.MinRTT || stats.CongestionWindow == 0 ||
				stats.SentBytes == 0 || stats.ReceivedPackets == 0 || stats.LostPackets != 0 {
				t.Errorf("%s: figures %+v", name, stats)
			}
		}
	})
}

// A client whose NAT gives it another port keeps its connection.
func TestRemoteAddrMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		client, server := e.pair()
		time.Sleep(time.Second)
		moved := netip.MustParseAddrPort("127.0.0.1:5001")
		e.network.Rebind(memClient, moved)
		cs, ss := e.streams(client, server)
		ss.WriteLast([]byte("hello"))
		if got, err := io.ReadAll(cs); string(got) != "hello" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if got := server.RemoteAddr().String(); got != moved.String() {
			t.Errorf("the server sees %s, want %v", got, moved)
		}
	})
}

// A code that cannot be sent is found where it is used, not on the loop.
func TestCodeTooLarge(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		for name, call := range map[string]func(uint64){
			"CloseWithError": func(code uint64) { client.CloseWithError(code, "") },
			"CancelRead":     cs.CancelRead,
			"CancelWrite":    cs.CancelWrite,
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s took a code of 63 bits", name)
					}
				}()
				call(1 << 62)
			}()
		}
		client.CloseWithError(1<<62-1, "the largest")
		<-server.Done()
		if e := wantError[*ApplicationError](t, "Err", server.Err()); e.Code != 1<<62-1 {
			t.Errorf("Err: %+v", e)
		}
	})
}
