package port

import (
	"crypto/tls"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// Host is the other side of a port, as far as memory cannot tell it. Its methods are
// called on any goroutine and must not block.
type Host interface {
	// Wake: there are events. It is called once until the host has looked.
	Wake()
	// Replied: the last command with GW_CALL has been answered, or the port has failed.
	Replied()
}

// Config is how a Port is to be.
type Config struct {
	Commands, Events uint32        // sizes of the rings, 0 for the default
	Spin             time.Duration // how long commands are looked for before a loop sleeps
}

// Port is the engine's side of a port.
type Port struct {
	mem      memory
	host     Host
	spin     time.Duration
	commands commands
	ev       events

	reading sync.Mutex           // of the pump, while it reads commands
	reader  atomic.Pointer[lane] // that reads them instead of it; nil for none
	bells   [2]bell              // of the pump, and of the lane that reads
	handed  chan struct{}        // the pump is to read again

	mu       sync.Mutex
	targets  map[uint32]target // connections and listeners, by handle
	lanes    map[*lane]struct{}
	hungry   map[*conn]struct{} // that wait for room for events
	dialling *lane              // of all connections that the host begins; nil before the first
	sessions tls.ClientSessionCache
	tracers  map[string]func(quictrace.Info) quictrace.Tracer // by directory of their logs

	opening sync.Mutex    // while dialling is made
	last    atomic.Uint32 // handle that was given
	closing atomic.Bool
	failed  atomic.Bool
	replies sync.Mutex     // of what the host is replied, which takes no other
	calling uint32         // the handle of the last command with GW_CALL; guarded by replies
	done    chan struct{}  // closed by Close
	working sync.WaitGroup // goroutines and lanes
}

// target is what commands are for.
type target interface {
	// perform carries out commands, which are not kept. on is the lane that reads, nil
	// for the pump.
	perform(on *lane, commands []byte)
}

// maxSessions is how many TLS sessions of servers are kept for the next connection.
const maxSessions = 128

// New opens a port in memory that is shared with the host, and has Size bytes.
func New(mem []byte, conf Config, host Host) (*Port, error) {
	p := &Port{
		mem: mem, host: host, spin: conf.Spin,
		handed: make(chan struct{}, 1), done: make(chan struct{}),
		targets: make(map[uint32]target), lanes: make(map[*lane]struct{}), hungry: make(map[*conn]struct{}),
		sessions: tls.NewLRUClientSessionCache(maxSessions),
	}
	if err := p.mem.format(conf.Commands, conf.Events); err != nil {
		return nil, err
	}
	p.commands.init(p.mem)
	p.ev.init(p.mem, host)
	for i := range p.bells {
		if err := p.bells[i].open(); err != nil {
			p.closeBells()
			return nil, err
		}
	}
	p.start(p.pump)
	return p, nil
}

// Bells returns the descriptors to write to, 8 bytes, to wake the engine: the first when
// asleep was 1 and the second when it was 2. They belong to the port.
func (p *Port) Bells() (pump, lane int) { return p.bells[0].fd(), p.bells[1].fd() }

// start runs f in a goroutine that the port waits for. A panic fails the port.
func (p *Port) start(f func()) {
	p.working.Add(1)
	go func() {
		defer p.working.Done()
		defer p.guard()
		f()
	}()
}

// guard makes a panic the port's failure.
func (p *Port) guard() {
	if v := recover(); v != nil {
		p.panicked(v, debug.Stack())
	}
}

// panicked fails the port for a panic.
func (p *Port) panicked(v any, stack []byte) { p.fail(fmt.Sprintf("panic: %v\n%s", v, stack)) }

// fail ends the port because something in it is broken. Locks may be held by whoever has
// found out, so that it is told without those, and by memory alone.
func (p *Port) fail(text string) {
	p.replies.Lock()
	first := !p.failed.Swap(true)
	if first {
		p.mem.setReply(0, ErrPort, 0, text)
		atomic.StoreUint32(p.mem.u32(offState), stateFailed)
	}
	p.replies.Unlock()
	if first {
		p.ev.wakeNow()
		p.host.Replied()
	}
}

// call takes note of a command with GW_CALL.
func (p *Port) call(conn uint32) {
	p.replies.Lock()
	defer p.replies.Unlock()
	p.calling = conn
}

// reply answers a command with GW_CALL, of a handle, unless the port has failed, of which the host is
// told in its place. One that the host has called again after has been given up, and its
// answer might be written while the host reads that of the other.
func (p *Port) reply(conn uint32, kind ErrorKind, code uint64, text string) {
	p.replies.Lock()
	wanted := conn == p.calling && !p.failed.Load()
	if wanted {
		p.mem.setReply(conn, kind, code, text)
	}
	p.replies.Unlock()
	if wanted {
		p.host.Replied()
	}
}

// closeTime is how long Close waits for the goodbyes to connections.
const closeTime = 500 * time.Millisecond

// Close carries out the commands that are there, and closes everything. It returns when
// peers have been told, or after half a second. Released says when nobody uses the memory
// any more.
func (p *Port) Close() {
	if p.closing.Swap(true) {
		return
	}
	p.finishCommands()
	p.ev.close()
	close(p.done)
	p.bells[0].ring() // ends the pump
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.closeLanes()
	}()
	timeout := time.NewTimer(closeTime)
	defer timeout.Stop()
	select {
	case <-ended:
	case <-timeout.C:
	}
	atomic.StoreUint32(p.mem.u32(offState), stateClosed)
}

// Released waits until nobody uses the port's memory any more, after Close.
func (p *Port) Released() {
	p.working.Wait()
	p.closeBells()
}

func (p *Port) closeBells() {
	for i := range p.bells {
		p.bells[i].close()
	}
}

// closeLanes closes the connections of all lanes.
func (p *Port) closeLanes() {
	p.mu.Lock()
	lanes := make([]*lane, 0, len(p.lanes))
	for l := range p.lanes {
		lanes = append(lanes, l)
	}
	p.mu.Unlock()
	var closed sync.WaitGroup
	for _, l := range lanes {
		closed.Go(func() { _ = l.transport.Close() })
	}
	closed.Wait()
}

// newHandle returns a handle for what a peer has begun, which taken says is not in use.
func (p *Port) newHandle(taken func(uint32) bool) uint32 {
	for {
		if h := p.last.Add(1) | peers; h != peers && !taken(h) {
			return h
		}
	}
}

// add makes x what a handle of the host's names. It reports whether nothing else is.
func (p *Port) add(handle uint32, x target) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if handle == 0 || handle&peers != 0 || p.targets[handle] != nil {
		return false
	}
	p.targets[handle] = x
	return true
}

// addConn gives a connection that a client has begun a handle.
func (p *Port) addConn(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.handle = p.newHandle(func(h uint32) bool { return p.targets[h] != nil })
	p.targets[c.handle] = c
}

// forget makes a handle name nothing.
func (p *Port) forget(handle uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.targets, handle)
}

// find returns what a handle names, nil for nothing.
func (p *Port) find(handle uint32) target {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.targets[handle]
}

// tell puts an event and wakes the host: for goroutines that are no loops, which do so
// once for all that a turn has brought about.
func (p *Port) tell(r record) {
	p.ev.put(r)
	p.ev.wake()
}

// await has a connection told of room for events. The lane that reads may have told those
// who waited while this one was on its way here, so that it asks again.
func (p *Port) await(c *conn) {
	p.mu.Lock()
	p.hungry[c] = struct{}{}
	p.mu.Unlock()
	if p.ev.asks() {
		c.resumeSoon(nil)
	}
}

// resume lets those go on who wait for room for events. on is the lane that reads, nil for
// the pump.
func (p *Port) resume(on *lane) {
	p.ev.resume()
	p.mu.Lock()
	hungry := p.hungry
	p.hungry = make(map[*conn]struct{})
	p.mu.Unlock()
	for c := range hungry {
		c.resumeSoon(on)
	}
}

// count changes how many connections or streams there are, for the host's eyes.
func (p *Port) count(off int, n int) { atomic.AddUint64(p.mem.u64(off), uint64(n)) }

var _ event.Handler = (*conn)(nil)
