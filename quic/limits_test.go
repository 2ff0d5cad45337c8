package quic

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestMaxConnections: one client too many is told so, and the next may come when
// another one has gone.
func TestMaxConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnvWith(t, nil, nil, setup{serverOn: &TransportConfig{MaxConnections: 2}})
		defer end()
		first, _ := e.pair()
		e.pair()
		_, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
		if refused := wantError[*TransportError](t, "one too many", err); refused.Code != uint64(wire.ConnectionRefused) {
			t.Errorf("%v, want CONNECTION_REFUSED", err)
		}
		if s := e.listener.Transport().Stats(); s.OverConnections == 0 || s.ClosesSent != s.OverConnections {
			t.Errorf("%d connections over the limit and %d closes are counted", s.OverConnections, s.ClosesSent)
		}
		first.CloseWithError(0, "")
		time.Sleep(10 * time.Second) // beyond the closing period
		e.pair()
	})
}

// TestMemoryUsedUp has clients fill their windows with what nobody reads. When there
// is no memory left, they are closed and both sides are told, and one that is read
// from goes on.
func TestMemoryUsedUp(t *testing.T) {
	const window, clients = 1 << 20, 8
	conf := &Config{InitialStreamWindow: window, MaxStreamWindow: window, InitialConnWindow: window, MaxConnWindow: window}
	memory := &TransportConfig{MaxBufferedBytes: clients * window / 2}
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnvWith(t, conf, nil, setup{serverOn: memory})
		defer func() {
			end()
			time.Sleep(time.Second) // until the writer has noticed
		}()
		client, server := e.pair()
		cs, ss := e.streams(client, server)
		go func() {
			buf := make([]byte, 1000)
			for {
				if _, err := cs.Write(buf); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		go io.Copy(io.Discard, ss)

		var hogs, theirs []*Conn
		for range clients {
			c, s := e.pair()
			cs, _ := e.streams(c, s)
			go cs.Write(make([]byte, 2*window))
			hogs, theirs = append(hogs, c), append(theirs, s)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		ended := 0
		for i := range hogs {
			local, remote := theirs[i].Err(), hogs[i].Err()
			if local == nil {
				continue
			}
			ended++
			for _, err := range []error{local, remote} {
				var closed *TransportError
				if !errors.As(err, &closed) || closed.Code != uint64(wire.InternalError) || closed.Reason == "" {
					t.Errorf("a connection ended with %v", err)
				}
			}
		}
		s := e.listener.Transport().Stats()
		if ended == 0 || ended == clients || s.Evicted != uint64(ended) {
			t.Errorf("%d of %d connections ended, %d are counted", ended, clients, s.Evicted)
		}
		if s.BufferedBytes > memory.MaxBufferedBytes {
			t.Errorf("%d bytes are held, more than %d", s.BufferedBytes, memory.MaxBufferedBytes)
		}
		if client.Err() != nil || server.Err() != nil {
			t.Errorf("the one who read ended: %v, %v", client.Err(), server.Err())
		}
	})
}

// TestManyWriters: each of many connections that nobody reads from gets a share of
// the memory, none is closed, and one more is still served.
func TestManyWriters(t *testing.T) {
	const memory, clients = 1 << 20, 40
	const blocks = (clients + 1) * 4 << 10 // each stream has one whatever the others have
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnvWith(t, nil, nil, setup{serverOn: &TransportConfig{MaxBufferedBytes: memory}})
		defer end()
		for range clients {
			c, s := e.pair()
			_, ss := e.streams(c, s)
			go ss.Write(make([]byte, 16<<20))
		}
		time.Sleep(5 * time.Second)
		client, server := e.pair()
		cs, ss := e.streams(client, server)
		go func() {
			ss.Write(make([]byte, 1<<20))
			ss.Close()
		}()
		if n, err := io.Copy(io.Discard, cs); n != 1<<20 || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		s := e.listener.Transport().Stats()
		if s.BufferedBytes > memory+blocks || s.Evicted != 0 {
			t.Errorf("%d bytes are held of %d, %d connections were closed", s.BufferedBytes, memory, s.Evicted)
		}
	})
}
