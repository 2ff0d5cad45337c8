package webtransport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
)

// simFate is what becomes of one direction of a stream. Both ends know it.
type simFate struct {
	kind    simKind
	content []byte // what is written, or what is read before the reader stops
	code    uint32
}

type simKind int

const (
	simWhole     simKind = iota // content and the end arrive
	simResetNow                 // reset before anything is written
	simReset                    // reset when the content is written
	simStopped                  // the reader stops after the content, the writer goes on until then
	simKindCount                // further values are simWhole too
)

// fate returns that of the direction from an end.
func (p *simPair) fate(from *simEnd, streamID uint64) simFate {
	r := p.world.rand(7+from.side, p.index<<32|streamID)
	f := simFate{kind: simKind(r.IntN(2 * int(simKindCount))), code: r.Uint32()}
	size := []int{0, 1, 100, 3000, 40_000}[r.IntN(5)]
	if f.kind != simResetNow && size > 0 {
		f.content = simBytes(r, 1+r.IntN(size))
	}
	return f
}

// useStreams opens this end's streams and accepts the other's.
func (e *simEnd) useStreams(ctx context.Context, work *sync.WaitGroup) {
	bidi := func(open func(context.Context) (*Stream, error), n int) {
		e.each(ctx, n, func() error {
			st, err := open(ctx)
			if err == nil {
				work.Go(func() { e.send(&st.SendStream) })
				work.Go(func() { e.receive(&st.ReceiveStream) })
			}
			return err
		})
	}
	work.Go(func() { bidi(e.session.OpenStream, e.work.bidi) })
	work.Go(func() { bidi(e.session.AcceptStream, e.other().work.bidi) })
	work.Go(func() {
		e.each(ctx, e.work.uni, func() error {
			st, err := e.session.OpenUniStream(ctx)
			if err == nil {
				work.Go(func() { e.send(st) })
			}
			return err
		})
	})
	work.Go(func() {
		e.each(ctx, e.other().work.uni, func() error {
			st, err := e.session.AcceptUniStream(ctx)
			if err == nil {
				work.Go(func() { e.receive(st) })
			}
			return err
		})
	})
}

// each does something n times, or until the session has ended.
func (e *simEnd) each(ctx context.Context, n int, do func() error) {
	for i := range n {
		if err := do(); err != nil {
			if !e.pair.world.scenario.early || !e.ended(err) {
				e.errorf("stream %d of %d: %v", i, n, err)
			}
			return
		}
	}
}

// send does what the fate says for the direction from this end.
func (e *simEnd) send(st *SendStream) {
	f := e.pair.fate(e, st.ID())
	_, err := st.Write(f.content)
	switch f.kind {
	case simResetNow, simReset:
		st.CancelWrite(f.code)
	case simStopped:
		for err == nil {
			_, err = st.Write(make([]byte, 3000))
		}
		e.wantCancelled("stopped writing", st.ID(), err, f.code)
		return
	default:
		if err == nil {
			err = st.Close()
		}
	}
	if err != nil && !e.excused(err) {
		e.errorf("stream %d: writing: %v", st.ID(), err)
	}
}

// receive wants what the fate says for the direction to this end.
func (e *simEnd) receive(st *ReceiveStream) {
	f := e.pair.fate(e.other(), st.ID())
	switch f.kind {
	case simStopped:
		got := make([]byte, len(f.content))
		_, err := io.ReadFull(st, got)
		st.CancelRead(f.code)
		if err == nil && bytes.Equal(got, f.content) || e.excused(err) {
			return
		}
		e.errorf("stream %d: read something else before it is stopped, %v", st.ID(), err)
	case simResetNow, simReset:
		got, err := io.ReadAll(st)
		if !bytes.HasPrefix(f.content, got) {
			e.errorf("stream %d: %d bytes before the reset are not the first of %d", st.ID(), len(got), len(f.content))
		}
		e.wantCancelled("reading", st.ID(), err, f.code)
	default:
		got, err := io.ReadAll(st)
		if err != nil && e.excused(err) && bytes.HasPrefix(f.content, got) {
			return
		}
		if err != nil || !bytes.Equal(got, f.content) {
			e.errorf("stream %d: got %d bytes, %v, want %d", st.ID(), len(got), err, len(f.content))
		}
	}
}

// wantCancelled wants err to be that of the other end's having cancelled.
func (e *simEnd) wantCancelled(what string, id uint64, err error, code uint32) {
	var cancelled *StreamError
	if errors.As(err, &cancelled) && cancelled.IsApplication && cancelled.Code == code && cancelled.Remote {
		return
	}
	if !e.excused(err) {
		e.errorf("stream %d: %s: %v, want code %d", id, what, err, code)
	}
}

// excused reports whether an error comes of a session that was closed early.
func (e *simEnd) excused(err error) bool {
	return err != nil && e.pair.world.scenario.early && e.ended(err)
}
