package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// settle lets both sides meet their deadlines and send, and checks them.
func (o *ops) settle() error {
	for _, s := range o.sides {
		if err := o.settleSide(s); err != nil {
			return fmt.Errorf("%v: %w", s.side, err)
		}
	}
	return nil
}

func (o *ops) settleSide(s *opsSide) error {
	buf := make([]byte, 4500)
	for _, ok := s.endpoint.PollTransmit(buf); ok; _, ok = s.endpoint.PollTransmit(buf) {
		// Answers to what the network has made unreadable need not arrive.
	}
	for _, c := range s.strays {
		if d := c.Deadline(); !d.IsZero() && !d.After(o.now) {
			c.HandleDeadline(o.now)
		}
		for _, ok := c.PollTransmit(o.now, buf, 3); ok; _, ok = c.PollTransmit(o.now, buf, 3) {
			// Nobody listens.
		}
	}
	if s.conn == nil || s.released {
		return nil
	}
	if d := s.conn.Deadline(); !d.IsZero() && !d.After(o.now) {
		s.conn.HandleDeadline(o.now)
	}
	for t, ok := s.conn.PollTransmit(o.now, buf, 3); ok; t, ok = s.conn.PollTransmit(o.now, buf, 3) {
		for data := t.Data; len(data) > 0; {
			n := min(t.Segment, len(data))
			if len(s.flying) < maxFlying && (s.side == wire.ClientSide || t.Path.Remote == o.from) {
				s.flying = append(s.flying, bytes.Clone(data[:n]))
			}
			data = data[n:]
		}
	}
	if err := s.pollEvents(); err != nil {
		return err
	}
	if err := s.conn.CheckInvariants(o.now); err != nil {
		return err
	}
	return s.checkEnd()
}

func (s *opsSide) pollEvents() error {
	var events [5]engine.Event
	for n := s.conn.PollEvents(events[:]); n > 0; n = s.conn.PollEvents(events[:]) {
		for _, e := range events[:n] {
			if s.released {
				return fmt.Errorf("event %d after the last", e.Kind)
			}
			switch e.Kind {
			case engine.EventHandshakeComplete:
				s.ready = true
			case engine.EventStreamOpened:
				s.streams = append(s.streams, &opsStream{Stream: e.Stream})
			case engine.EventReleased:
				s.released = true
			}
		}
	}
	return nil
}

// checkEnd returns an error when the connection ended otherwise than by the
// applications' will or for want of a network: honest peers do not offend
// each other.
func (s *opsSide) checkEnd() error {
	err := s.conn.Closed()
	var app *engine.ApplicationError
	var early *engine.TransportError // an application's end, before the handshake's
	switch {
	case err == nil, errors.As(err, &app) && app.Code == endCode,
		errors.As(err, &early) && early.Remote && early.Code == wire.ApplicationError,
		errors.As(err, new(*engine.IdleTimeoutError)), errors.As(err, new(*engine.HandshakeTimeoutError)):
		return nil
	}
	return fmt.Errorf("ended with %w", err)
}

// endCode is with what the client closes.
const endCode = 77

// finish lets everything arrive that is still wanted, closes, and wants both
// sides to forget.
func (o *ops) finish() error {
	for rounds := 0; !o.done(); rounds++ {
		if rounds > 5000 {
			return fmt.Errorf("no end: %s", o.describe())
		}
		if err := o.round(); err != nil {
			return err
		}
	}
	c := o.sides[wire.ClientSide]
	c.conn.Close(o.now, endCode, "")
	for rounds := 0; !o.forgotten(); rounds++ {
		if rounds > 1000 {
			return errors.New("not forgotten")
		}
		if err := o.round(); err != nil {
			return err
		}
	}
	for _, s := range o.sides {
		if err := s.endpoint.CheckEmpty(); err != nil {
			return err
		}
	}
	return nil
}

// round delivers all that flies, lets both applications read, and goes on to
// the next deadline when nothing is left to do.
func (o *ops) round() error {
	idle := true
	for _, s := range o.sides {
		for len(s.flying) > 0 {
			idle = false
			o.deliver(s, 0)
		}
		for _, x := range s.streams {
			if err := o.read(s, x, 100_000); err != nil {
				return err
			}
		}
	}
	o.advance(5 * time.Millisecond)
	if d := o.nextDeadline(); idle && !d.IsZero() {
		o.now = max(o.now, d)
	}
	return o.settle()
}

// done reports whether all that was written to streams nobody gave up has
// arrived, or the connection is over.
func (o *ops) done() bool {
	for _, s := range o.sides {
		if s.conn != nil && s.conn.Closed() != nil {
			return true
		}
	}
	for _, s := range o.sides {
		for _, x := range s.streams {
			y := o.sides[s.side.Peer()].find(x.ID)
			if !x.Sends() || x.reset || x.written == 0 && !x.closed {
				continue
			}
			if y == nil || !y.stopped && (y.read < x.written || x.closed && y.ended != io.EOF) {
				return false
			}
		}
	}
	return true
}

func (s *opsSide) find(id wire.StreamID) *opsStream {
	for _, x := range s.streams {
		if x.ID == id {
			return x
		}
	}
	return nil
}

func (o *ops) forgotten() bool {
	for _, s := range o.sides {
		if s.endpoint.Conns() > 0 {
			return false
		}
	}
	return true
}

func (o *ops) describe() string {
	text := ""
	for _, s := range o.sides {
		if s.conn == nil {
			continue
		}
		text += fmt.Sprintf("%v %+v;", s.side, s.conn.Held())
		for _, x := range s.streams {
			text += fmt.Sprintf(" %d: written %d closed %v read %d ended %v;", x.ID, x.written, x.closed, x.read, x.ended)
		}
	}
	return text
}

// TestOps runs random programs.
func TestOps(t *testing.T) {
	seeds := uint64(150)
	if raceEnabled {
		seeds = 30
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 8))
		program := make([]byte, 100+r.IntN(3000))
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		if err := newOps(program).run(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// FuzzOps looks for programs that break something.
func FuzzOps(f *testing.F) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 8))
		program := make([]byte, 40+40*seed)
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if err := newOps(program).run(); err != nil {
			t.Fatal(err)
		}
	})
}
