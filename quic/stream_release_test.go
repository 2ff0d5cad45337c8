package quic

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// TestRelease has both ends release their streams while the network loses, repeats
// and reorders packets: whatever of a stream is still on its way must not reach the
// next one in its memory.
func TestRelease(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			e, closeAll := newMemEnv(t, nil, nil)
			defer closeAll()
			client, server := e.pair()
			e.network.SetWeather(&memnet.Weather{
				Seed: seed, Loss: 0.05, Duplicate: 0.05, Reorder: 0.2, Hold: 50 * time.Millisecond, Jitter: 3 * time.Millisecond,
			})
			go func() {
				for {
					s, err := server.AcceptStream(e.ctx)
					if err != nil {
						return
					}
					go func() {
						_, _ = io.Copy(s, s) // the client checks what comes back
						_ = s.Close()
						s.Release()
					}()
				}
			}()
			var users sync.WaitGroup
			for user := range 8 {
				users.Go(func() {
					for i := range 40 {
						s, err := client.OpenStream(e.ctx)
						if err != nil {
							t.Errorf("seed %d: %v", seed, err)
							return
						}
						peertest.EchoThrough(t, s, peertest.Content(1+(1000*user+317*i)%9000))
						s.Release()
					}
				})
			}
			users.Wait()
		})
	}
}

// TestReleaseUnfinished: a stream that was released stays until it has ended, and one
// to which something comes back, like a timer, for good.
func TestReleaseUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		client, server := e.pair()
		open, peer := e.streams(client, server)
		open.Release() // neither closed nor read
		if _, err := peer.Write([]byte("still there")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if open.conn != client {
			t.Error("a stream was recycled while it was open")
		}

		timed, peer := e.streams(client, server)
		_ = timed.SetReadDeadline(time.Now().Add(time.Hour))
		_, _ = timed.Close(), peer.Close()
		if _, err := io.ReadAll(timed); err != nil {
			t.Error(err)
		}
		timed.Release()
		time.Sleep(time.Second)
		if timed.conn != client {
			t.Error("a stream was recycled while a timer knew it")
		}
	})
}
