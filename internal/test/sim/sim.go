// Package sim runs QUIC endpoints over simulated networks in virtual time: a
// list of nodes with a client at one end and a server at the other, all chance
// from one seed, every run the same for the same seed.
//
//	run := sim.Run{
//		Seed:  42,
//		Nodes: []sim.Node{&sim.Delay{RTT: 50 * time.Millisecond}, &sim.Drop{Rate: 0.05}},
//		Work:  sim.Work{Streams: 10, Upload: 100 << 10, Download: 100 << 10},
//	}
//	if err := run.Do(); err != nil { … }
//
// Do checks what must hold on every run: bytes arrive once, in order and
// whole; both ends finish and forget the connection; an address that is not
// validated gets at most three times what came from it; a deadline that was
// handled is not in the past; a connection that was released sends nothing.
package sim

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// start is when every run begins; zero would mean "not set".
const start = monotime.Time(time.Hour)

var (
	clientAddr = netip.MustParseAddrPort("10.0.0.1:1000")
	serverAddr = netip.MustParseAddrPort("10.0.0.2:443")
)

// Run is one simulated conversation.
type Run struct {
	Seed  uint64
	Nodes []Node // from the client to the server
	Work  Work

	Client, Server *engine.Config // nil: defaults
	RequireRetry   bool
	NewTLS         func(side wire.Side) engine.TLS // nil: FakeTLS
	// Early has the client send early data, which the server accepts or not.
	Early EarlyData
	// Moves has the client move.
	Moves Moves
	// Remembered is what the client remembers of the server's limits; nil for those that
	// it has now.
	Remembered *wire.TransportParameters
	// Token is what the client proves its address with, and Tokens what the server gave it.
	// Later is how much later the run is than another whose tokens it uses: the server
	// has the same keys if the seed is the same.
	Token  []byte
	Tokens [][]byte
	Later  time.Duration
	// SlowTLS is how long each step of a FakeTLS handshake is pending.
	SlowTLS time.Duration
	// Limit is the virtual time after which a run has failed. Default 5 min.
	Limit time.Duration
	// NewApp, when set, makes the application on each side, in place of Work's.
	NewApp func(side wire.Side) App
	// Watch, when set, is shown every train that a side sends. An error ends the run.
	Watch func(side wire.Side, c *engine.Conn, t engine.Transmit) error
	// Trace, when set, gets a line for each packet sent and received.
	Trace io.Writer

	now     monotime.Time
	client  *host
	server  *host
	flights flights
	sent    int // packets put in flight, to keep their order
	steps   int
}

// EarlyData says what becomes of a client's early data.
type EarlyData uint8

// What may become of it.
const (
	NoEarlyData EarlyData = iota
	AcceptedEarlyData
	RejectedEarlyData
)

// remembered returns what a client remembers of a server that is configured like the one
// of the run, or with other limits if there are any.
func (r *Run) remembered() *wire.TransportParameters {
	if r.Early == NoEarlyData {
		return nil
	}
	if r.Remembered != nil {
		return r.Remembered
	}
	cfg := r.server.config
	p := wire.DefaultTransportParameters()
	p.InitialMaxData = cfg.InitialConnWindow
	p.InitialMaxStreamDataBidiLocal = cfg.InitialStreamWindow
	p.InitialMaxStreamDataBidiRemote = cfg.InitialStreamWindow
	p.InitialMaxStreamDataUni = cfg.InitialStreamWindow
	p.InitialMaxStreamsBidi, p.InitialMaxStreamsUni = cfg.MaxBidiStreams, cfg.MaxUniStreams
	p.ResetStreamAt = !cfg.NoResetStreamAt
	if cfg.Datagrams {
		p.MaxDatagramFrameSize = 65535
	}
	return &p
}

// App is an application on one side of a Run. It has to close the connection.
type App interface {
	// Handle takes an event of the connection, EventClosed included.
	Handle(now monotime.Time, c *engine.Conn, e engine.Event)
	// Act acts as far as it can go now. It is called before the connection sends. An
	// error ends the run.
	Act(now monotime.Time, c *engine.Conn) error
	// Deadline returns when Act has something to do though nothing has happened, zero
	// for never.
	Deadline() monotime.Time
	// Check returns what was not as it must be, after the end.
	Check(closed error) error
}

// maxSteps stops a run that makes no progress in time.
const maxSteps = 4_000_000

// Do runs the conversation to its end and returns the first thing that was
// not as it must be.
func (r *Run) Do() error {
	r.Start()
	for !r.finished() {
		if r.steps++; r.steps > maxSteps {
			return fmt.Errorf("at %v: no end after %d steps: %s", r.now.Sub(start), maxSteps, r.describe())
		}
		if err := r.step(); err != nil {
			return fmt.Errorf("at %v: %w", r.now.Sub(start), err)
		}
	}
	if r.NewApp != nil {
		return r.checkApps()
	}
	return r.checkEnd()
}

// checkApps looks at how a run with other applications ended.
func (r *Run) checkApps() error {
	for _, h := range []*host{r.client, r.server} {
		if err := h.own.Check(h.closed); err != nil {
			return fmt.Errorf("%v: %w", h.side, err)
		}
		if err := h.endpoint.CheckEmpty(); err != nil {
			return fmt.Errorf("%v: %w", h.side, err)
		}
	}
	return nil
}

// Now returns the time of the run.
func (r *Run) Now() monotime.Time { return r.now }

// Elapsed returns how much virtual time the run took.
func (r *Run) Elapsed() time.Duration { return r.now.Sub(start) }

// Handshake returns after how much virtual time the client's handshake was
// complete, and Transfer after how much it had everything and closed.
func (r *Run) Handshake() time.Duration { return r.client.app.readyAt.Sub(start) }

// Transfer is described there.
func (r *Run) Transfer() time.Duration { return r.client.app.doneAt.Sub(start) }

// ServerEndpoint returns the server's endpoint, for its statistics.
func (r *Run) ServerEndpoint() *engine.Endpoint { return r.server.endpoint }

// ClientConn returns the client's connection, for its statistics.
func (r *Run) ClientConn() *engine.Conn { return r.client.conn }

// ServerConn returns the server's connection, nil if there was none.
func (r *Run) ServerConn() *engine.Conn { return r.server.conn }

func (r *Run) setUp() {
	r.now = start
	if r.Limit == 0 {
		r.Limit = 5 * time.Minute
	}
	source := rand.New(rand.NewPCG(r.Seed, 0))
	for _, n := range r.Nodes {
		n.Seed(rand.New(rand.NewPCG(source.Uint64(), source.Uint64())))
	}
	if r.NewTLS == nil {
		r.NewTLS = r.fakeTLS
	}
	r.client = newHost(r, wire.ClientSide, clientAddr, r.Client, source)
	r.server = newHost(r, wire.ServerSide, serverAddr, r.Server, source)
}

func (r *Run) fakeTLS(side wire.Side) engine.TLS {
	f := &FakeTLS{Side: side, Filler: 2500, Slow: r.SlowTLS != 0, AcceptEarly: r.Early == AcceptedEarlyData}
	if side == wire.ClientSide {
		f.Early = r.remembered()
	}
	return f
}

// step does everything that is due now, then moves the clock.
func (r *Run) step() error {
	if err := r.work(); err != nil {
		return err
	}
	next := r.next()
	if next.IsZero() {
		if r.finished() {
			return nil
		}
		return fmt.Errorf("both sides wait forever: %s", r.describe())
	}
	if next.Sub(start) > r.Limit {
		return fmt.Errorf("not finished within %v: %s", r.Limit, r.describe())
	}
	r.moveTo(next)
	return nil
}

// work does what is due on both sides.
func (r *Run) work() error {
	for _, h := range []*host{r.client, r.server} {
		if err := h.work(r.now); err != nil {
			return fmt.Errorf("%v: %w", h.side, err)
		}
	}
	return nil
}

// next returns when something is due or arrives, zero for never.
func (r *Run) next() monotime.Time {
	next := monotime.Earliest(r.client.deadline(), r.server.deadline())
	if len(r.flights) > 0 {
		next = monotime.Earliest(next, r.flights[0].at)
	}
	return next
}

// moveTo moves the clock, and lets arrive what has been on its way until then.
func (r *Run) moveTo(at monotime.Time) {
	r.now = max(r.now, at)
	for len(r.flights) > 0 && !r.flights[0].at.After(r.now) {
		f := heap.Pop(&r.flights).(*flight)
		r.arrive(f)
	}
}

// Start begins a run that does not go to its end by itself, as with Do, but with Advance.
func (r *Run) Start() {
	r.setUp()
	r.client.dial()
}

// Advance lets d pass. It returns the first thing that was not as it must be.
func (r *Run) Advance(d time.Duration) error {
	end := r.now.Add(d)
	for {
		if err := r.work(); err != nil {
			return err
		}
		next := r.next()
		if next.IsZero() || next.After(end) {
			r.now = end
			return nil
		}
		r.moveTo(next)
	}
}

// finished reports whether both sides are done and have forgotten.
func (r *Run) finished() bool {
	return r.client.released() && (r.server.released() || r.server.conn == nil) && r.client.dialled
}

func (r *Run) describe() string {
	return fmt.Sprintf("client %s; server %s; %d packets in flight", r.client.describe(), r.server.describe(), len(r.flights))
}

// send puts a packet on its way.
func (r *Run) send(dir Direction, p Packet) {
	at := 0
	if dir == ToClient {
		at = len(r.Nodes) - 1
	}
	r.pass(r.now, dir, at, p)
}

// pass lets a packet pass node number at, or arrive behind the last.
func (r *Run) pass(now monotime.Time, dir Direction, at int, p Packet) {
	if at < 0 || at >= len(r.Nodes) {
		r.fly(&flight{at: now, dir: dir, node: at, packet: p})
		return
	}
	r.Nodes[at].Pass(now, dir, p, func(leaves monotime.Time, p Packet) {
		r.fly(&flight{at: leaves, dir: dir, node: at, packet: p})
	})
}

// arrive takes a packet that left a node.
func (r *Run) arrive(f *flight) {
	next := f.node + 1
	if f.dir == ToClient {
		next = f.node - 1
	}
	if next >= 0 && next < len(r.Nodes) {
		r.pass(r.now, f.dir, next, f.packet)
		return
	}
	h := r.server
	if f.dir == ToClient {
		h = r.client
	}
	h.receive(r.now, f.packet)
}

// flight is a packet between two nodes.
type flight struct {
	at     monotime.Time
	seq    int
	dir    Direction
	node   int
	packet Packet
}

// flights is a heap by time, then by order of sending.
type flights []*flight

func (r *Run) fly(f *flight) {
	r.sent++
	f.seq = r.sent
	heap.Push(&r.flights, f)
}

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	if f[i].at != f[j].at {
		return f[i].at < f[j].at
	}
	return f[i].seq < f[j].seq
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push implements heap.Interface.
func (f *flights) Push(x any) { *f = append(*f, x.(*flight)) }

// Pop implements heap.Interface.
func (f *flights) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}
