package sim

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

var (
	seedFlag  = flag.Uint64("sim.seed", 0, "first seed of the matrix")
	traceFlag = flag.Bool("sim.trace", false, "print every packet")
	seedsFlag = flag.Int("sim.seeds", 0, "seeds of each scenario; 0 means the scenario's own number")
)

// scenario is a network with work to do on it. It is made anew for each seed,
// because nodes keep state.
type scenario struct {
	name  string
	seeds int
	make  func() Run
}

// work is what most scenarios do: enough for several round trips and losses.
var work = Work{Streams: 4, UniStreams: 1, Upload: 60_000, Download: 120_000}

func network(rtt time.Duration, w Work, nodes ...Node) func() Run {
	return func() Run { return Run{Nodes: append([]Node{&Delay{RTT: rtt}}, nodes...), Work: w} }
}

// newest prefers version 2 and begins with version 1.
var newest = []wire.Version{wire.Version2, wire.Version1}

const scenarioSeeds = 120

var scenarios = []scenario{
	{"clean", scenarioSeeds, func() Run { return network(20*time.Millisecond, work)() }},
	{"loss1", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &Drop{Rate: 0.01})() }},
	{"loss5", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &Drop{Rate: 0.05})() }},
	{"loss20", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &Drop{Rate: 0.20})() }},
	{"reorder", scenarioSeeds, func() Run {
		return network(20*time.Millisecond, work, &Reorder{Rate: 0.3, Hold: 30 * time.Millisecond})()
	}},
	{"duplicate", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &Duplicate{Rate: 0.3})() }},
	{"corrupt", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &Corrupt{Rate: 0.05})() }},
	{"rtt300", scenarioSeeds, func() Run { return network(300*time.Millisecond, work, &Drop{Rate: 0.01})() }},
	{"smallQueue", scenarioSeeds, func() Run {
		return network(40*time.Millisecond, work, &Bottleneck{Rate: 5e6, Queue: 12_000})()
	}},
	{"ecn", scenarioSeeds, func() Run {
		return network(40*time.Millisecond, work, &Bottleneck{Rate: 5e6, Queue: 60_000, MarkAbove: 15_000})()
	}},
	{"bleach", scenarioSeeds, func() Run { return network(40*time.Millisecond, work, &Drop{Rate: 0.01}, &Bleach{})() }},
	{"mtu1200", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &MTU{Size: 1200}, &Drop{Rate: 0.01})() }},
	{"mtu1400", scenarioSeeds, func() Run { return network(20*time.Millisecond, work, &MTU{Size: 1400})() }},
	{"blackhole", scenarioSeeds, func() Run {
		return network(50*time.Millisecond, work, &Blackhole{From: 200 * time.Millisecond, Until: 4 * time.Second})()
	}},
	{"rebind", scenarioSeeds, func() Run {
		return awake(network(50*time.Millisecond, work, &Rebind{Every: 60}, &Drop{Rate: 0.01}))
	}},
	{"rebindAddress", scenarioSeeds, func() Run {
		nat := &Rebind{Every: 60, Address: true, Farther: 30 * time.Millisecond}
		r := awake(network(50*time.Millisecond, work, nat))
		r.Watch = nat.watchPaths(50 * time.Millisecond)
		return r
	}},
	{"moves", scenarioSeeds / 2, func() Run { return moving(network(20*time.Millisecond, work, lossy()...), 2, false) }},
	{"movesLeave", scenarioSeeds / 2, func() Run {
		return moving(network(20*time.Millisecond, work, &Drop{Rate: 0.02}, &Duplicate{Rate: 0.1}), 3, true)
	}},
	{"movesFarther", scenarioSeeds / 4, func() Run {
		r := moving(network(20*time.Millisecond, work, &Farther{Addr: clientAt(1).Addr(), By: 30 * time.Millisecond},
			&Bottleneck{Rate: 10e6, Queue: 200_000, MarkAbove: 20_000}), 1, false)
		r.Moves.Least = 2
		return r
	}},
	{"movesAway", scenarioSeeds / 2, func() Run { // the first network goes away for good, when the handshake is over
		r := moving(network(20*time.Millisecond, work, &Dark{From: 100 * time.Millisecond, Until: time.Hour}), 2, false)
		r.Moves.Least = 1
		return r
	}},
	{"preferred", scenarioSeeds / 2, func() Run { return preferring(network(20*time.Millisecond, work, lossy()...)) }},
	{"preferredFarther", scenarioSeeds / 2, func() Run {
		return preferring(network(20*time.Millisecond, work, &Farther{Addr: preferredAddr.Addr(), By: 40 * time.Millisecond}, &Drop{Rate: 0.02}))
	}},
	{"preferredMoves", scenarioSeeds / 2, func() Run {
		return moving(func() Run { return preferring(network(20*time.Millisecond, work, &Drop{Rate: 0.02})) }, 2, true)
	}},
	{"preferredRetry", scenarioSeeds / 4, func() Run {
		r := preferring(network(20*time.Millisecond, work, lossy()...))
		r.RequireRetry = true
		return r
	}},
	{"retry", scenarioSeeds, func() Run {
		r := network(30*time.Millisecond, work, &Drop{Rate: 0.05})()
		r.RequireRetry = true
		return r
	}},
	{"upgradeVersion", scenarioSeeds, func() Run {
		r := network(30*time.Millisecond, work, &Drop{Rate: 0.05}, &Reorder{Rate: 0.3, Hold: 30 * time.Millisecond}, &Duplicate{Rate: 0.1})()
		r.Client = &engine.Config{Versions: newest}
		return r
	}},
	{"upgradeVersionRetry", scenarioSeeds / 3, func() Run {
		r := network(30*time.Millisecond, work, &Drop{Rate: 0.1}, &Reorder{Rate: 0.3, Hold: 30 * time.Millisecond})()
		r.Client, r.RequireRetry = &engine.Config{Versions: newest}, true
		return r
	}},
	{"negotiateVersion", scenarioSeeds, func() Run {
		r := network(30*time.Millisecond, work, &Drop{Rate: 0.05}, &Reorder{Rate: 0.3, Hold: 30 * time.Millisecond}, &Duplicate{Rate: 0.1})()
		r.Server = &engine.Config{Versions: []wire.Version{wire.Version2}}
		return r
	}},
	{"early", scenarioSeeds / 2, func() Run { return early(network(20*time.Millisecond, work, lossy()...), AcceptedEarlyData) }},
	{"earlyRejected", scenarioSeeds / 2, func() Run { return early(network(20*time.Millisecond, work, lossy()...), RejectedEarlyData) }},
	{"earlyRejectedLess", scenarioSeeds / 2, func() Run {
		r := early(network(20*time.Millisecond, Work{Streams: 30, UniStreams: 3, Upload: 9_000, Download: 9_000}, lossy()...), RejectedEarlyData)
		r.Remembered = generous()
		r.Server = &engine.Config{
			InitialStreamWindow: 3000, MaxStreamWindow: 10_000, InitialConnWindow: 5000, MaxConnWindow: 20_000,
			MaxBidiStreams: 7, MaxUniStreams: 1,
		}
		return r
	}},
	{"earlyResets", scenarioSeeds / 3, func() Run {
		w := work
		w.Resets = 20
		return early(network(20*time.Millisecond, w, lossy()...), RejectedEarlyData)
	}},
	{"earlyResetsLess", scenarioSeeds / 3, func() Run {
		r := early(network(20*time.Millisecond, Work{Streams: 9, UniStreams: 2, Upload: 9_000, Download: 9_000, Resets: 20}, lossy()...), RejectedEarlyData)
		r.Remembered, r.RequireRetry = generous(), true
		r.Client = &engine.Config{Versions: newest}
		r.Server = &engine.Config{
			InitialStreamWindow: 1500, MaxStreamWindow: 10_000, InitialConnWindow: 3000, MaxConnWindow: 20_000,
			MaxBidiStreams: 2, MaxUniStreams: 1, NoResetStreamAt: true,
		}
		return r
	}},
	{"earlyDatagrams", scenarioSeeds / 3, func() Run {
		w := work
		w.Datagrams = 200
		r := early(network(20*time.Millisecond, w, lossy()...), AcceptedEarlyData)
		cfg := &engine.Config{Datagrams: true}
		r.Client, r.Server = cfg, cfg
		return r
	}},
	{"earlyRetry", scenarioSeeds / 3, func() Run {
		r := early(network(30*time.Millisecond, work, lossy()...), AcceptedEarlyData)
		r.RequireRetry = true
		return r
	}},
	{"earlySlowTLS", scenarioSeeds / 3, func() Run {
		r := early(network(30*time.Millisecond, work, lossy()...), AcceptedEarlyData)
		r.SlowTLS = 100 * time.Millisecond
		return r
	}},
	{"earlyVersion2", scenarioSeeds / 3, func() Run {
		r := early(network(30*time.Millisecond, work, lossy()...), AcceptedEarlyData)
		r.Client = &engine.Config{Versions: newest, OriginalVersion: wire.Version2}
		return r
	}},
	{"earlyNegotiateVersion", scenarioSeeds / 3, func() Run {
		r := early(network(30*time.Millisecond, work, lossy()...), AcceptedEarlyData)
		r.Server = &engine.Config{Versions: []wire.Version{wire.Version2}}
		return r
	}},
	{"slowTLS", scenarioSeeds, func() Run {
		r := network(30*time.Millisecond, work, &Drop{Rate: 0.05}, &Reorder{Rate: 0.2, Hold: 20 * time.Millisecond}, &Duplicate{Rate: 0.1})()
		r.SlowTLS = 300 * time.Millisecond
		return r
	}},
	{"keyUpdates", scenarioSeeds, func() Run {
		w := work
		w.UpdateKeys = true
		return network(20*time.Millisecond, w, &Drop{Rate: 0.02}, &Reorder{Rate: 0.1, Hold: 10 * time.Millisecond})()
	}},
	{"manyStreams", scenarioSeeds, func() Run {
		return network(20*time.Millisecond, Work{Streams: 350, Upload: 900, Download: 1500}, &Drop{Rate: 0.02})()
	}},
	{"smallWindows", scenarioSeeds, func() Run {
		r := network(20*time.Millisecond, work, &Drop{Rate: 0.02})()
		cfg := &engine.Config{InitialStreamWindow: 3000, MaxStreamWindow: 10_000, InitialConnWindow: 5000, MaxConnWindow: 20_000}
		r.Client, r.Server = cfg, cfg
		return r
	}},
	{"resetAt", scenarioSeeds, func() Run {
		w := work
		w.Resets = 20
		return network(20*time.Millisecond, w, &Drop{Rate: 0.05}, &Reorder{Rate: 0.2, Hold: 20 * time.Millisecond})()
	}},
	{"resetAtSmallWindows", scenarioSeeds, func() Run {
		r := network(20*time.Millisecond, Work{Streams: 2, Upload: 10_000, Download: 10_000, Resets: 30}, &Drop{Rate: 0.05})()
		cfg := &engine.Config{InitialStreamWindow: 3000, MaxStreamWindow: 10_000, InitialConnWindow: 5000, MaxConnWindow: 20_000}
		r.Client, r.Server = cfg, cfg
		return r
	}},
	{"resetWithoutAt", scenarioSeeds / 3, func() Run {
		w := work
		w.Resets = 20
		r := network(20*time.Millisecond, w, &Drop{Rate: 0.05}, &Reorder{Rate: 0.2, Hold: 20 * time.Millisecond})()
		cfg := &engine.Config{NoResetStreamAt: true}
		r.Client, r.Server = cfg, cfg
		return r
	}},
	{"datagrams", scenarioSeeds, func() Run {
		w := work
		w.Datagrams = 200
		r := network(20*time.Millisecond, w, &Drop{Rate: 0.05}, &Duplicate{Rate: 0.1})()
		cfg := &engine.Config{Datagrams: true}
		r.Client, r.Server = cfg, cfg
		return r
	}},
	{"idle", scenarioSeeds, func() Run {
		w := work
		w.Idle = true
		return network(20*time.Millisecond, w, &Drop{Rate: 0.02})()
	}},
	{"everything", scenarioSeeds, func() Run {
		return awake(network(60*time.Millisecond, work, &Rebind{Every: 80}, &Drop{Rate: 0.03},
			&Reorder{Rate: 0.1, Hold: 40 * time.Millisecond}, &Duplicate{Rate: 0.05}, &Corrupt{Rate: 0.02},
			&Bottleneck{Rate: 10e6, Queue: 40_000, MarkAbove: 20_000}))
	}},
}

// lossy is what loses and mixes up packets.
func lossy() []Node {
	return []Node{&Drop{Rate: 0.05}, &Reorder{Rate: 0.3, Hold: 30 * time.Millisecond}, &Duplicate{Rate: 0.1}}
}

// moving has the client move every other round trip.
func moving(run func() Run, sockets uint8, leave bool) Run {
	r := run()
	r.Moves = Moves{Every: 40 * time.Millisecond, Sockets: sockets, Leave: leave}
	return r
}

// preferring has the server want its client at another address.
func preferring(run func() Run) Run {
	r := run()
	r.Server = &engine.Config{PreferredIPv4: preferredAddr, DisableActiveMigration: true}
	return r
}

// early has the client send early data.
func early(run func() Run, fate EarlyData) Run {
	r := run()
	r.Early = fate
	return r
}

// generous are parameters that let early data do much.
func generous() *wire.TransportParameters {
	p := wire.DefaultTransportParameters()
	p.InitialMaxData, p.InitialMaxStreamDataBidiRemote, p.InitialMaxStreamDataUni = 1<<20, 1<<20, 1<<20
	p.InitialMaxStreamDataBidiLocal, p.InitialMaxStreamsBidi, p.InitialMaxStreamsUni = 1<<20, 100, 100
	p.ResetStreamAt = true
	return &p
}

// awake makes the client send something every second: behind a NAT that gave
// it a new port, a client that only receives cannot be found otherwise.
func awake(run func() Run) Run {
	r := run()
	r.Client = &engine.Config{KeepAlive: time.Second}
	return r
}

// TestMatrix runs every scenario over many seeds. A failure names the command
// that runs its seed alone.
func TestMatrix(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			seeds := s.seeds
			if *seedsFlag > 0 {
				seeds = *seedsFlag
			}
			for i := range seeds {
				seed := *seedFlag + uint64(i)
				if err := runSeed(s, seed); err != nil {
					t.Errorf("seed %d: %v\nreplay: go test ./internal/test/sim -run 'TestMatrix/^%s$' -sim.seed=%d -sim.seeds=1", seed, err, s.name, seed)
				}
			}
		})
	}
}

func runSeed(s scenario, seed uint64) (err error) {
	defer func() {
		if p := recover(); p != nil && *seedsFlag != 1 {
			err = fmt.Errorf("panic: %v", p)
		} else if p != nil {
			panic(p)
		}
	}()
	r := s.make()
	r.Seed = seed
	if *traceFlag {
		r.Trace = os.Stderr
	}
	return r.Do()
}
