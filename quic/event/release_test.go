package event

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestRelease has both ends release their streams while the network loses, repeats
// and reorders packets: whatever of a stream is still on its way must not reach the
// next one in its memory.
func TestRelease(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			e, closeAll := newMemEnv(t, nil, nil, setup{})
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
						release(server, s)
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
						release(client, s)
					}
				})
			}
			users.Wait()
		})
	}
}

// TestReleaseUnfinished: a stream that was released stays until it has ended, and not
// longer, whatever deadline it has.
func TestReleaseUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil, setup{})
		defer closeAll()
		client, server := e.pair()
		open, peer := e.streams(client, server)
		memory := memoryOf(open)
		release(client, open) // neither closed nor read
		if _, err := peer.Write([]byte("still there")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if memory.Conn() != face.Of(client) {
			t.Error("a stream was recycled while it was open")
		}

		timed, peer := e.streams(client, server)
		_ = timed.SetReadDeadline(time.Now().Add(time.Hour))
		_, _ = timed.Close(), peer.Close()
		if _, err := io.ReadAll(timed); err != nil {
			t.Error(err)
		}
		memory = memoryOf(timed)
		release(client, timed)
		time.Sleep(time.Second)
		synctest.Wait()
		if memory.Conn() != nil {
			t.Error("a stream was kept for its deadline")
		}
	})
}

// releasing is a Handler that releases each stream when it is told of it.
type releasing struct{ told int }

func (h *releasing) HandleStream(t Turn, s Stream) StreamHandler {
	t.Release(s)
	return h
}

func (h *releasing) HandleReadable(Turn, Stream)   { h.told++ }
func (h *releasing) HandleWritable(Turn, Stream)   { h.told++ }
func (h *releasing) HandleEnd(Turn, Stream, End)   { h.told++ }
func (h *releasing) HandleClose(t Turn, err error) {}

// TestReleaseAtOnce: of a stream that its Handler releases when it is told of it nothing
// further is told, whoever that returns.
func TestReleaseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h releasing
		e, closeAll := newMemEnv(t, nil, nil, setup{server: handled(&h)})
		defer closeAll()
		client := e.dial()
		s, err := client.OpenStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteLast([]byte("for nobody")); err != nil {
			t.Fatal(err)
		}
		s.CancelRead(1)
		time.Sleep(time.Second)
		synctest.Wait()
		if h.told > 0 {
			t.Errorf("the handler was told of %d events", h.told)
		}
	})
}

// TestUseAfterRelease: whatever names a stream that was released fails, also when its
// memory is another's, which is none the worse; and a call that has begun before keeps
// the memory until it returns.
func TestUseAfterRelease(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		cs, ss := e.streams(client, server)
		memory := Of(cs).ref.Enter() // a call
		cs.Close()
		ss.CancelRead(1)
		ss.CancelWrite(2)
		cs.CancelRead(1)
		release(client, cs)
		time.Sleep(time.Second) // of virtual time, until it has ended
		synctest.Wait()
		if memory.Conn() != face.Of(client) {
			t.Error("the memory of a stream was given away in the middle of a call")
		}
		memory.Leave()

		old, peer := e.streams(client, server)
		memory = memoryOf(old)
		_, _ = old.Close(), peer.Close()
		if _, err := io.ReadAll(old); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(peer); err != nil {
			t.Error(err)
		}
		release(client, old)
		time.Sleep(time.Second)
		synctest.Wait()
		if memory.Conn() != nil {
			t.Fatal("the memory of a stream that has ended was kept")
		}
		// Another stream, in the same memory if the pool gives that.
		s, ss := e.streams(client, server)
		old.CancelRead(1)
		old.CancelWrite(1)
		_ = old.SetDeadline(time.Unix(1, 0))
		if _, err := old.Write([]byte("x")); err != face.ErrReleased {
			t.Errorf("Write: %v", err)
		}
		if err := old.Close(); err != face.ErrReleased {
			t.Errorf("Close: %v", err)
		}
		if _, err := old.Read(make([]byte, 1)); err != face.ErrReleased {
			t.Errorf("Read: %v", err)
		}
		<-old.Context().Done()
		inTurn := make(chan error, 3)
		Run(client, func(turn Turn) {
			_, err := turn.Read(Of(old), make([]byte, 1))
			inTurn <- err
			_, err = turn.WriteLast(Of(old), nil)
			inTurn <- err
			turn.Release(Of(old))
			_, err = turn.Write(Of(s), []byte("x"))
			inTurn <- err
		})
		if r, w, other := <-inTurn, <-inTurn, <-inTurn; r != face.ErrReleased || w != face.ErrReleased || other != nil {
			t.Errorf("in a turn: read %v, written %v, on the other stream %v", r, w, other)
		}
		b := make([]byte, 1)
		if _, err := io.ReadFull(ss, b); err != nil || b[0] != 'x' {
			t.Errorf("the other stream carried %q, %v", b, err)
		}
	})
}
