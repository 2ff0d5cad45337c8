package quic

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestListenerShutdown: who has begun gets in, who comes later is refused, and Shutdown
// waits for the last.
func TestListenerShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnv(t, nil, nil) // where a datagram takes 5 ms
		defer end()
		client, server := e.pair()
		under := make(chan *Conn, 1)
		go func() { under <- e.dial() }()
		time.Sleep(6 * time.Millisecond) // its first packet has arrived
		impatient, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errors.New("no patience"))
		defer cancel()
		shut := make(chan error, 1)
		go func() { shut <- e.listener.Shutdown(impatient) }()
		synctest.Wait()

		_, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, nil)
		if refused := wantError[*TransportError](t, "a late client", err); refused.Code != uint64(wire.ConnectionRefused) {
			t.Errorf("%v, want CONNECTION_REFUSED", err)
		}
		late, err := e.listener.Accept(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.listener.Accept(e.ctx); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		other := <-under
		e.streams(client, server) // both still work
		e.streams(other, late)
		if err := <-shut; err == nil || err.Error() != "no patience" {
			t.Errorf("%v, want the context's cause", err)
		}
		e.streams(client, server)

		go func() { shut <- e.listener.Shutdown(t.Context()) }()
		client.CloseWithError(0, "")
		time.Sleep(time.Second)
		select {
		case err := <-shut:
			t.Fatalf("returned while a connection lives: %v", err)
		default:
		}
		late.CloseWithError(0, "")
		if err := <-shut; err != nil {
			t.Error(err)
		}
		if err := e.listener.Shutdown(t.Context()); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}
