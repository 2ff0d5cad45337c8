package port

import (
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/hosted"
	"github.com/godwit-quic/godwit/quic"
)

// lane is a UDP socket with its event loop, for a listener or for connections that the
// host begins. It is the loop's Source: in every turn it carries out commands, if it is
// the one that reads them, and wakes the host for what the turn has brought about.
type lane struct {
	port      *Port
	transport *quic.Transport
	finishing atomic.Pointer[chan struct{}] // closed when there are no more commands; nil if nobody waits
	over      chan struct{}                 // closed when the loop has ended
}

// openLane opens a socket.
func (p *Port) openLane(addr string, conf *quic.TransportConfig) (*lane, error) {
	l := &lane{port: p, over: make(chan struct{})}
	reads := lanesReadBells && p.take(l)
	host := hosted.Loop{Source: l, Ended: l.ended, Panicked: func(v any, stack []byte) {
		p.panicked(v, stack)
		l.ended()
	}}
	if reads {
		host.Bell = p.bells[1].fd()
	}
	p.working.Add(1)
	t, err := hosted.NewTransport(addr, conf, host)
	if err != nil {
		l.ended()
		if reads {
			p.bells[0].ring() // the pump may have found a lane, and gone to sleep without a bell
		}
		return nil, err
	}
	l.transport = t.(*quic.Transport)
	p.mu.Lock()
	p.lanes[l] = struct{}{}
	p.mu.Unlock()
	if p.closing.Load() { // Close may not have seen it
		_ = l.transport.Close()
	}
	return l, nil
}

// ended is the loop's last word.
func (l *lane) ended() {
	p := l.port
	p.ev.wake()
	p.mu.Lock()
	delete(p.lanes, l)
	p.mu.Unlock()
	close(l.over)
	p.handBack(l)
	p.working.Done()
}

// reads reports whether this lane reads the commands.
func (l *lane) reads() bool { return l.port.reader.Load() == l }

// Poll implements loop.Source.
func (l *lane) Poll() (more bool) {
	p := l.port
	if l.reads() {
		more = p.drain(l)
		if p.ev.resumable() {
			p.resume(l)
		}
		if waiting := l.finishing.Load(); waiting != nil && !more {
			l.finishing.Store(nil)
			close(*waiting)
		}
	}
	p.ev.wake()
	return more
}

// Park implements loop.Source.
func (l *lane) Park() bool {
	p := l.port
	p.ev.wake()
	switch {
	case !l.reads():
		return true
	case p.failed.Load(): // nothing is read any more, and Close wakes the loop
		return true
	case l.finishing.Load() != nil:
		return false
	case p.spin > 0 && p.lookFor(p.spin):
		return false
	}
	return p.sleep(laneAsleep)
}

// Unpark implements loop.Source.
func (l *lane) Unpark() {
	if l.reads() {
		atomic.CompareAndSwapUint32(l.port.mem.u32(offAsleep), laneAsleep, awake)
	}
}

// lookFor looks for commands for a while, and reports whether there are any.
func (p *Port) lookFor(d time.Duration) bool {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for range 64 {
			if p.commands.pending() {
				return true
			}
		}
	}
	return false
}

// finish waits until the lane, which reads, has carried out the commands that are there.
func (l *lane) finish() {
	waiting := make(chan struct{})
	l.finishing.Store(&waiting)
	l.port.bells[1].ring()
	timeout := time.NewTimer(closeTime)
	defer timeout.Stop()
	select {
	case <-waiting:
	case <-l.over:
	case <-timeout.C:
	}
}
