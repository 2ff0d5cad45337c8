package webtransport

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/memnet"
)

var (
	simSeed  = flag.Uint64("wt.seed", 0, "first seed of the simulated sessions")
	simSeeds = flag.Int("wt.seeds", 0, "seeds of each simulated scenario; 0 means the usual number")
)

// simScenario is what a simulated connection suffers from.
type simScenario struct {
	name    string
	weather memnet.Weather
	rebinds int      // how often the client's NAT gives it another port or address
	drafts  []Draft  // of the server; nil means all
	windows simLimit // of both ends
	// idle is the server's IdleTimeout.
	idle time.Duration
	// browser keeps from both ends that the other understands RESET_STREAM_AT.
	browser bool
	// early closes sessions while streams are in use.
	early bool
	// shutdown has the server ask for the end of all sessions.
	shutdown bool
}

// simLimit says how much flow control there is to run into.
type simLimit int

const (
	roomy simLimit = iota
	tight
)

var simScenarios = []simScenario{
	{name: "fine"},
	{name: "loss1", weather: memnet.Weather{Loss: 0.01}},
	{name: "loss5", weather: memnet.Weather{Loss: 0.05}},
	{name: "loss20", weather: memnet.Weather{Loss: 0.20}},
	{name: "reorder", weather: memnet.Weather{Reorder: 0.3, Hold: 30 * time.Millisecond}},
	{name: "duplicate", weather: memnet.Weather{Duplicate: 0.3, Jitter: 5 * time.Millisecond}},
	{name: "rebind", weather: memnet.Weather{Loss: 0.01}, rebinds: 3},
	{name: "tight", weather: memnet.Weather{Loss: 0.02}, windows: tight},
	{name: "draft02", weather: memnet.Weather{Loss: 0.05}, drafts: []Draft{Draft02}},
	{name: "draft13", weather: memnet.Weather{Loss: 0.05}, drafts: []Draft{Draft13}, windows: tight},
	{name: "browser", weather: memnet.Weather{Loss: 0.05, Reorder: 0.2, Hold: 20 * time.Millisecond}, drafts: []Draft{Draft02}, browser: true},
	{name: "shutdown", weather: memnet.Weather{Loss: 0.05, Reorder: 0.1, Hold: 20 * time.Millisecond}, shutdown: true},
	{name: "early", weather: memnet.Weather{Loss: 0.05, Reorder: 0.1, Hold: 20 * time.Millisecond}, early: true},
	{name: "earlyTight", weather: memnet.Weather{Loss: 0.05, Duplicate: 0.1}, early: true, windows: tight, rebinds: 2},
	{name: "earlyBrowser", weather: memnet.Weather{Loss: 0.1, Jitter: 10 * time.Millisecond}, early: true, drafts: []Draft{Draft02}, browser: true},
	{name: "everything", weather: memnet.Weather{
		Loss: 0.03, Duplicate: 0.05, Reorder: 0.1, Hold: 40 * time.Millisecond, Jitter: 2 * time.Millisecond,
	}, rebinds: 2, windows: tight},
}

// TestSimulation runs sessions over bad networks in virtual time. On every run
// bytes arrive once, in order and whole; every code of a reset, of a STOP_SENDING
// and of a close arrives; flow control comes out even; both ends finish, and no
// goroutine is left. A failure names the command that runs its seed alone. The
// network is the same again then; the order in which goroutines run may differ.
func TestSimulation(t *testing.T) {
	for _, s := range simScenarios {
		t.Run(s.name, func(t *testing.T) {
			leak.Check(t)
			for i := range numSeeds() {
				seed := *simSeed + uint64(i)
				simulate(t, &s, seed)
			}
		})
	}
}

// seedsEach is how many seeds of each scenario run.
const seedsEach = 60

// lossless reports whether all datagrams arrive. Packets that come very late are not
// told from duplicates.
func (s *simScenario) lossless() bool {
	return s.weather.Loss == 0 && s.weather.Reorder == 0 && s.rebinds == 0
}

// numSeeds returns how many seeds of each scenario to run.
func numSeeds() int {
	switch {
	case *simSeeds > 0:
		return *simSeeds
	case raceEnabled:
		return seedsEach / 20 // the detector is slow
	}
	return seedsEach
}

// simulate runs one seed. If not all was as it must be, the test ends with how to run
// it again; synctest.Test does not return then.
func simulate(t *testing.T, s *simScenario, seed uint64) {
	defer func() {
		if p := recover(); p != nil { // of synctest: goroutines that wait for ever
			t.Errorf("%v", p)
		}
		if t.Failed() {
			t.Fatalf("replay: go test ./webtransport -run 'TestSimulation/^%s$' -wt.seed=%d -wt.seeds=1", s.name, seed)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		w := newSimWorld(t, s, seed)
		w.run()
		w.close()
	})
}

// simPatience is how long a run may take, in virtual time.
const simPatience = 10 * time.Minute

// run opens the sessions, lets both ends of each do their work, and checks what is
// left.
func (w *simWorld) run() {
	ctx, cancel := context.WithTimeout(context.Background(), simPatience)
	defer cancel()
	pairs := w.open(ctx)
	stop := w.rebindNow(w.scenario.rebinds)
	defer stop()
	var group sync.WaitGroup
	for _, p := range pairs {
		group.Go(func() { p.run(ctx) })
	}
	group.Wait()
	w.checkHubs(pairs)
	if w.scenario.shutdown {
		if err := <-w.shut; err != nil {
			w.t.Errorf("Shutdown: %v", err)
		}
	}
}

// rebindNow gives the client other ports every now and then, and another address at
// times. It returns what ends that.
func (w *simWorld) rebindNow(times int) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		outside := simClient
		for i := range times {
			select {
			case <-time.After(time.Duration(20+w.rand(1, uint64(i)).IntN(400)) * time.Millisecond):
			case <-done:
				return
			}
			next := simAddr([]string{"192.0.2.2", "192.0.2.3"}[i%2], 6000+i)
			w.network.Rebind(outside, next)
			outside = next
		}
	}()
	return func() {
		close(done)
		<-over
	}
}

// rand returns a source of chance for one purpose.
func (w *simWorld) rand(purpose, detail uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed<<8|purpose, detail))
}

// adjust makes the engine behave as the scenario wants.
func (s *simScenario) adjust(conf *engine.Config) { conf.NoResetStreamAt = s.browser }
