package webtransport

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"github.com/godwit-quic/godwit/internal/wt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// simPair is a session of both ends.
type simPair struct {
	world *simWorld
	index uint64
	ends  [2]*simEnd // client, server
}

// simEnd is one end of a session.
type simEnd struct {
	t       *testing.T
	pair    *simPair
	session *Session
	name    string
	side    uint64 // 0 for the client
	work    simWork
	seen    map[uint32]bool // datagrams received
	arrived atomic.Int32    // how many
}

// simWork is what one end does.
type simWork struct {
	bidi, uni, datagrams int
}

func newSimPair(w *simWorld, index uint64, client, server *Session) *simPair {
	p := &simPair{world: w, index: index}
	for side, s := range []*Session{client, server} {
		r := w.rand(3, index<<1|uint64(side))
		p.ends[side] = &simEnd{
			t: w.t, pair: p, session: s, side: uint64(side),
			name: fmt.Sprintf("%s of session %d", []string{"client", "server"}[side], index),
			work: simWork{bidi: r.IntN(8), uni: r.IntN(8), datagrams: r.IntN(20)},
			seen: make(map[uint32]bool),
		}
	}
	return p
}

func (e *simEnd) other() *simEnd { return e.pair.ends[1-e.side] }

// errorf reports what was not as it must be.
func (e *simEnd) errorf(format string, args ...any) {
	e.t.Helper()
	e.t.Errorf("%s: %s", e.name, fmt.Sprintf(format, args...))
}

// run does the work of both ends, and closes.
func (p *simPair) run(ctx context.Context) {
	r := p.world.rand(4, p.index)
	closer := p.ends[r.IntN(2)]
	want := SessionError{Code: r.Uint32(), Reason: strings.Repeat("é", r.IntN(60))}
	var receivers, work sync.WaitGroup
	for _, e := range p.ends {
		receivers.Go(func() { e.receiveDatagrams(ctx) })
		work.Go(func() { e.sendDatagrams(ctx) })
		e.useStreams(ctx, &work)
	}
	if p.world.scenario.early {
		time.Sleep(time.Duration(r.IntN(600)) * time.Millisecond)
	} else {
		work.Wait()
		p.checkEven()
		p.drain(ctx, p.ends[r.IntN(2)])
	}
	_ = closer.session.CloseWithError(want.Code, want.Reason)
	closer.wantEnd(want)
	want.Remote = true
	closer.other().wantEnd(want)
	work.Wait()
	receivers.Wait()
}

// drain has an end asked to end the session, or both by the server's shutdown.
func (p *simPair) drain(ctx context.Context, asked *simEnd) {
	if !p.world.scenario.shutdown {
		asked.other().session.Drain()
		<-asked.session.Draining()
		return
	}
	p.world.shutDown(ctx)
	for _, e := range p.ends {
		<-e.session.Draining()
	}
}

// wantEnd wants the session to end.
func (e *simEnd) wantEnd(want SessionError) {
	<-e.session.Context().Done()
	var got *SessionError
	if err := context.Cause(e.session.Context()); !errors.As(err, &got) || *got != want {
		e.errorf("ended with %v, want %v", err, &want)
	}
	if n := e.session.known(); n != 0 {
		e.errorf("%d streams are known after the end", n)
	}
}

// checkEven wants both ends to agree about what was sent, once all has arrived.
func (p *simPair) checkEven() {
	deadline := time.Now().Add(time.Minute)
	for _, e := range p.ends {
		for e.uneven() != "" && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond) // final sizes may be on their way
		}
		if problem := e.uneven(); problem != "" {
			e.errorf("%s", problem)
		}
	}
}

// uneven says what this end has sent otherwise than the other has received it.
func (e *simEnd) uneven() string {
	if n := e.session.known(); n != 0 {
		return fmt.Sprintf("%d streams are known when all are over", n)
	}
	if sent, arrived := e.work.datagrams, int(e.other().arrived.Load()); e.pair.world.scenario.lossless() && arrived != sent {
		return fmt.Sprintf("sent %d datagrams of which %d have arrived, though the network loses nothing", sent, arrived)
	}
	if !e.session.FlowControlled() {
		return ""
	}
	from, to := e.session.stats(), e.other().session.stats()
	for kind, b := range [][2]wt.Balance{{from.Bidi, to.Bidi}, {from.Uni, to.Uni}, {from.Data, to.Data}} {
		switch ours, theirs := b[0], b[1]; {
		case ours.Used != theirs.Done || kind < 2 && theirs.Seen != theirs.Done:
			return fmt.Sprintf("kind %d: used %d, the other end has seen %d and is done with %d", kind, ours.Used, theirs.Seen, theirs.Done)
		case ours.Used > ours.Limit || ours.Limit > theirs.Granted:
			return fmt.Sprintf("kind %d: used %d, may use %d, is allowed %d", kind, ours.Used, ours.Limit, theirs.Granted)
		}
	}
	return ""
}

// sendDatagrams sends datagrams of this end's, each with its number.
func (e *simEnd) sendDatagrams(ctx context.Context) {
	for i := range e.work.datagrams {
		if err := e.session.SendDatagram(e.datagram(uint32(i))); err != nil && !e.ended(err) {
			e.errorf("datagram: %v", err)
		}
		time.Sleep(3 * time.Millisecond)
	}
}

// datagram returns one of this end's.
func (e *simEnd) datagram(number uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, number)
	r := e.pair.world.rand(5+e.side, e.pair.index<<32|uint64(number))
	return append(b, simBytes(r, r.IntN(1000))...)
}

// receiveDatagrams wants each datagram at most once, and as it was sent.
func (e *simEnd) receiveDatagrams(ctx context.Context) {
	for {
		b, err := e.session.ReceiveDatagram(ctx)
		if err != nil {
			if !e.ended(err) {
				e.errorf("datagrams end with %v", err)
			}
			return
		}
		var number uint32
		if len(b) >= 4 {
			number = binary.BigEndian.Uint32(b)
		}
		if !bytes.Equal(b, e.other().datagram(number)) {
			e.errorf("a datagram of %d bytes is not one that was sent", len(b))
			return
		}
		if e.seen[number] {
			e.errorf("datagram %d came twice", number)
		}
		e.seen[number] = true
		e.arrived.Add(1)
	}
}

// ended reports whether err is that of a session that was closed on purpose.
func (e *simEnd) ended(err error) bool {
	var session *SessionError
	return errors.As(err, &session)
}

// simBytes returns n bytes.
func simBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
