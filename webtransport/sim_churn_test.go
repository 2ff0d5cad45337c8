package webtransport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/wt"
)

// churners and churnRounds are how many clients share a connection, and how many
// sessions each opens on it, one after the other: more than are remembered.
const (
	churners    = 4
	churnRounds = 25
)

// TestSimulatedChurn opens and closes many sessions on a connection that loses
// packets. Each ends with the code it was closed with, and in the end nothing of
// them is left.
func TestSimulatedChurn(t *testing.T) {
	leak.Check(t)
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			w := newSimWorld(t, &simScenario{weather: memnet.Weather{Loss: 0.03, Reorder: 0.05, Hold: 10 * time.Millisecond}}, seed)
			defer w.close()
			ctx, cancel := context.WithTimeout(t.Context(), simPatience)
			defer cancel()
			var last [churners][]*Session // both ends of the last session
			var group sync.WaitGroup
			for i := range churners {
				group.Go(func() {
					r := w.rand(20, uint64(i))
					for range churnRounds {
						last[i] = w.churn(ctx, i, r)
					}
				})
			}
			group.Wait()
			time.Sleep(2 * wt.CloseTimeout)
			for _, ends := range last {
				for i, s := range ends {
					w.checkHub("an end", s, ends[1-i])
				}
			}
		})
	}
}

// churn opens a session, uses it perhaps, and has one end close it. It returns both.
func (w *simWorld) churn(ctx context.Context, i int, r *rand.Rand) []*Session {
	client, _, err := w.dialer.Dial(ctx, "https://"+simServer.String()+simPath(i), nil)
	if err != nil {
		w.t.Error(err)
		return nil
	}
	ends := []*Session{client, <-w.accepted[simPath(i)]}
	r.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	if r.IntN(2) == 0 {
		out, err := ends[0].OpenUniStream(ctx)
		if err != nil {
			w.t.Error(err)
			return ends
		}
		_, _ = out.Write([]byte("hello"))
		_ = out.Close()
		in, err := ends[1].AcceptUniStream(ctx)
		if err != nil {
			w.t.Error(err)
			return ends
		}
		if b, err := io.ReadAll(in); err != nil || string(b) != "hello" {
			w.t.Errorf("got %q, %v", b, err)
		}
	}
	if r.IntN(2) == 0 {
		_, _ = ends[1].OpenStream(ctx) // which the end overtakes, perhaps
	}
	want := SessionError{Code: r.Uint32(), Remote: true}
	_ = ends[0].CloseWithError(want.Code, "")
	<-ends[1].Context().Done()
	var got *SessionError
	if err := context.Cause(ends[1].Context()); !errors.As(err, &got) || *got != want {
		w.t.Errorf("ended with %v, want %v", err, &want)
	}
	return ends
}
