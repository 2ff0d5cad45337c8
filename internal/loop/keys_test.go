package loop_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
)

// An update of the keys that is asked for begins, unless the one before is unanswered, or the
// connection is gone.
func TestUpdateKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, engine.Config{})
		defer p.close()
		update := func() error {
			result := make(chan error, 1)
			p.clientLoop.Do(func() { result <- p.client.conn.UpdateKeys() })
			return <-result
		}
		p.dial()
		time.Sleep(time.Second)
		if err := update(); err != nil {
			t.Errorf("an update after the handshake: %v", err)
		}
		if err := update(); !errors.Is(err, engine.ErrKeyUpdateTooSoon) {
			t.Errorf("another one before it is answered: %v", err)
		}
		if n := p.client.conn.Stats().KeyUpdates; n != 1 {
			t.Errorf("%d updates are counted", n)
		}
		p.clientLoop.Do(func() { p.client.conn.Close(0, "") })
		time.Sleep(10 * time.Second) // beyond the closing period
		if err := update(); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("an update after the end: %v", err)
		}
	})
}
