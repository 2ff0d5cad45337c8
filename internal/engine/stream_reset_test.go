package engine_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// What has arrived in order before a reset is read before it, whether the two come
// together or not, and the stream ends with that (RFC 9000, Section 3.2).
func TestResetAfterData(t *testing.T) {
	id := wire.NewStreamID(wire.ClientSide, true, 0)
	for _, tt := range []struct {
		name   string
		frames []frame
		want   string
	}{
		{"in one packet", []frame{stream(id, 0, "head", false), resetStream(id, 7, 4)}, "head"},
		{"with more to come", []frame{stream(id, 0, "head", false), resetStream(id, 7, 400)}, "head"},
		{"with a gap", []frame{stream(id, 0, "head", false), stream(id, 5, "tail", false), resetStream(id, 7, 9)}, "head"},
		{"filled later", []frame{stream(id, 0, "head", false), resetStream(id, 7, 9), stream(id, 4, "-tail", false)}, "head"},
		{"reset twice", []frame{stream(id, 0, "head", false), resetStream(id, 7, 9), resetStream(id, 7, 9)}, "head"},
		{"nothing in order", []frame{stream(id, 1, "ead", false), resetStream(id, 7, 4)}, ""},
		{"nothing", []frame{resetStream(id, 7, 0)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t)
			p.handshake()
			_, before := p.conn.RecvWindow()
			p.send(wire.AppSpace, tt.frames...)
			s := p.events[0].Stream
			if p.events[0].Kind != engine.EventStreamOpened || !p.told(engine.EventStreamReadable) {
				t.Fatalf("events %v", p.events)
			}
			var got []byte
			var err error
			for buf := make([]byte, 3); err == nil; {
				var n int
				if n, err = s.Recv.Read(buf); n == 0 && err == nil {
					t.Fatal("reading would block")
				}
				got = append(got, buf[:n]...)
				if s.Recv.Consumed() {
					p.conn.StreamConsumed(p.now, s)
				}
			}
			var reset *engine.StreamError
			if tt.want != "" && !p.toldAgain(s) {
				t.Error("nobody was told that the reset is due")
			}
			if string(got) != tt.want || !errors.As(err, &reset) || reset.Code != 7 || !reset.Remote {
				t.Fatalf("read %q and %v, want %q", got, err, tt.want)
			}
			p.poll()
			if p.conn.Held().Streams != 0 {
				t.Fatal("the stream is still known")
			}
			if _, after := p.conn.RecvWindow(); tt.name == "with more to come" && after < before+396 {
				t.Fatalf("the window goes to %d, was at %d: what will never be read counts", after, before)
			}
		})
	}
}

// toldAgain reports whether a stream tells that there is something to read.
func (p *puppet) toldAgain(s *engine.Stream) bool {
	p.events = nil
	p.poll()
	return slices.Contains(p.events, engine.Event{Kind: engine.EventStreamReadable, Stream: s})
}

// A reader that does not want what arrived before a reset gives it back.
func TestResetAfterDataUnwanted(t *testing.T) {
	id := wire.NewStreamID(wire.ClientSide, true, 0)
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace, stream(id, 0, "head", false), resetStream(id, 7, 4))
	if p.conn.Held().Streams != 1 {
		t.Fatal("the stream is gone before it was read")
	}
	p.conn.StopSending(p.now, p.events[0].Stream, 0)
	p.poll()
	if p.conn.Held().Streams != 0 {
		t.Fatal("the stream is still known")
	}
	if n := p.count(wire.FrameStopSending); n != 0 {
		t.Fatalf("%d STOP_SENDING frames for a stream that was reset", n)
	}
}
