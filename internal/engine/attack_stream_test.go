package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// withWindows gives the real endpoint's configuration small windows.
func withWindows(stream, conn uint64) func(*puppet) {
	return func(p *puppet) {
		c := p.config
		c.InitialStreamWindow, c.MaxStreamWindow = stream, 8*stream
		c.InitialConnWindow, c.MaxConnWindow = conn, 8*conn
	}
}

func withStreams(bidi, uni uint64) func(*puppet) {
	return func(p *puppet) { p.config.MaxBidiStreams, p.config.MaxUniStreams = bidi, uni }
}

// theirs is the ID of a stream that the puppet opens, ours of one that the
// real endpoint does.
func (p *puppet) theirs(unidirectional bool, seq uint64) wire.StreamID {
	return wire.NewStreamID(p.side, unidirectional, seq)
}

func (p *puppet) ours(unidirectional bool, seq uint64) wire.StreamID {
	return wire.NewStreamID(p.side.Peer(), unidirectional, seq)
}

// Attack: reassembly gaps. One-byte frames with holes between them are kept
// only up to a bound in number, and bytes up to the windows.
func TestAttackReassemblyGaps(t *testing.T) {
	p := newServer(t)
	p.handshake()
	id := p.theirs(false, 0)
	sent := 0
	for off := uint64(1); p.conn.Closed() == nil && sent < 3*streambuf.MaxGaps; {
		var piece []frame
		for range 100 {
			piece = append(piece, stream(id, off, "x", false))
			off += 2
			sent++
		}
		p.send(wire.AppSpace, piece...)
	}
	p.wantClose(wire.InternalError)
	if sent > streambuf.MaxGaps+100 {
		t.Fatalf("ended only after %d gaps", sent)
	}
	p.wantForgotten()
}

// Attack: reassembly gaps, one byte in each block of memory on every stream:
// the connection's window bounds them all together.
func TestAttackSparseStreams(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for seq := range uint64(100) {
		for off := uint64(streambuf.BlockSize - 1); p.conn.Closed() == nil && off < 1<<19; off += streambuf.BlockSize {
			p.send(wire.AppSpace, stream(p.theirs(false, seq), off, "x", false))
		}
	}
	p.wantClose(wire.FlowControlError)
}

// Attack: beyond the flow control limits, by STREAM and by RESET_STREAM, of a
// stream and of the connection (RFC 9000, Sections 4.1 and 4.5).
func TestAttackFlowControl(t *testing.T) {
	const window, conn = 1000, 2500
	id := wire.NewStreamID(wire.ClientSide, false, 0)
	next := wire.NewStreamID(wire.ClientSide, false, 1)
	last := wire.NewStreamID(wire.ClientSide, false, 2)
	fill := string(make([]byte, window))
	tests := []struct {
		name   string
		frames []frame
		want   wire.ErrorCode // NoError: accepted
	}{
		{"stream at the limit", []frame{stream(id, 0, fill, false)}, wire.NoError},
		{"stream beyond", []frame{stream(id, 1, fill, false)}, wire.FlowControlError},
		{"stream far beyond, empty", []frame{stream(id, wire.MaxVarint, "", true)}, wire.FlowControlError},
		{"stream beyond 62 bits", []frame{stream(id, wire.MaxVarint, "x", false)}, wire.FrameEncodingError},
		{"reset at the limit", []frame{resetStream(id, 0, window)}, wire.NoError},
		{"reset beyond", []frame{resetStream(id, 0, window+1)}, wire.FlowControlError},
		{"connection at the limit", []frame{resetStream(id, 0, window), resetStream(next, 0, window), stream(last, 499, "x", false)}, wire.NoError},
		{"connection beyond by STREAM", []frame{stream(id, window-1, "x", false), stream(next, window-1, "x", false), stream(last, 500, "x", false)}, wire.FlowControlError},
		{"connection beyond by RESET_STREAM", []frame{stream(id, window-1, "x", false), stream(next, window-1, "x", false), resetStream(last, 0, 501)}, wire.FlowControlError},
		{"data beyond the end", []frame{stream(id, 0, "end", true), stream(id, 3, "x", false)}, wire.FinalSizeError},
		{"another end", []frame{stream(id, 3, "", true), stream(id, 4, "", true)}, wire.FinalSizeError},
		{"an end before what came", []frame{stream(id, 0, "long", false), stream(id, 0, "lo", true)}, wire.FinalSizeError},
		{"a reset before what came", []frame{stream(id, 0, "long", false), resetStream(id, 0, 3)}, wire.FinalSizeError},
		{"a reset after the end", []frame{stream(id, 0, "end", true), resetStream(id, 0, 4)}, wire.FinalSizeError},
		{"another end of what is whole", []frame{stream(id, 0, "end", true), stream(id, 4, "", true)}, wire.FinalSizeError},
		{"data beyond a reset", []frame{resetStream(id, 0, 3), stream(id, 3, "x", false)}, wire.FinalSizeError},
		{"another reset", []frame{resetStream(id, 0, 3), resetStream(id, 0, 4)}, wire.FinalSizeError},
		{"the same reset", []frame{resetStream(id, 0, 3), resetStream(id, 0, 3)}, wire.NoError},
		{"the same end", []frame{stream(id, 0, "end", true), stream(id, 0, "end", true), stream(id, 1, "n", false)}, wire.NoError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t, func(p *puppet) {
				withWindows(window, conn)(p)
				p.config.MaxConnWindow = conn
				p.config.MaxStreamWindow = window
			})
			p.handshake()
			p.queue(wire.AppSpace, tt.frames...) // one packet, before anything is granted
			p.poll()
			if tt.want == wire.NoError {
				p.wantOpen()
			} else {
				p.wantClose(tt.want)
				p.wantForgotten()
			}
		})
	}
}

// Attack: window inflation. Windows grow by what the application reads. What
// a peer sends, resets or is asked to stop moves them, however it times its
// acknowledgments.
func TestAttackWindowInflation(t *testing.T) {
	attacks := map[string]func(p *puppet, seq uint64){
		"resets": func(p *puppet, seq uint64) { p.send(wire.AppSpace, resetStream(p.theirs(true, seq), 0, 10_000)) },
		"data nobody wants": func(p *puppet, seq uint64) {
			p.send(wire.AppSpace, stream(p.theirs(true, seq), 0, "x", false))
			p.conn.StopSending(p.now, p.lastOpened(), 1)
			p.send(wire.AppSpace, stream(p.theirs(true, seq), 9999, "x", true))
		},
		"wishes": func(p *puppet, seq uint64) {
			p.send(wire.AppSpace, dataBlocked(100_000), streamDataBlocked(p.theirs(true, 0), 10_000))
		},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			p := newServer(t, withWindows(10_000, 100_000))
			p.handshake()
			window, _ := p.conn.RecvWindow()
			for seq := range uint64(200) {
				attack(p, seq)
				p.wantOpen()
				p.ack()
			}
			if got, _ := p.conn.RecvWindow(); got != window {
				t.Fatalf("the window grew from %d to %d", window, got)
			}
		})
	}
}

// lastOpened is the stream opened last.
func (p *puppet) lastOpened() *engine.Stream {
	p.t.Helper()
	for i := len(p.events) - 1; i >= 0; i-- {
		if p.events[i].Kind == engine.EventStreamOpened {
			return p.events[i].Stream
		}
	}
	p.fatal("no stream was opened")
	return nil
}

// The windows grow for an application that keeps up, to their limits, and a stream's to
// two thirds of the connection's.
func TestWindowsGrowWithReading(t *testing.T) {
	p := newServer(t, withWindows(2000, 2000))
	p.handshake()
	id := p.theirs(false, 0)
	buf := make([]byte, 4000)
	var s *engine.Stream
	for off := uint64(0); off < 200_000; off += 1000 {
		p.send(wire.AppSpace, stream(id, off, string(make([]byte, 1000)), false))
		if s == nil {
			s = p.lastOpened()
		}
		if n, err := s.Recv.Read(buf); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
		if s.Recv.Consumed() {
			p.conn.StreamConsumed(p.now, s)
		}
		p.ack()
		p.wantOpen()
	}
	conn, _ := p.conn.RecvWindow()
	window, _ := s.StreamWindow()
	if conn != 16_000 || window != 16_000*2/3 {
		t.Fatalf("windows %d and %d, want their limits of 10666 and 16000", window, conn)
	}
}

// Attack: stream limit bypass. No frame opens more streams than allowed, of
// either kind, nor streams of the other side (RFC 9000, Section 4.6).
func TestAttackStreamLimit(t *testing.T) {
	const most = 5
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		for _, unidirectional := range []bool{false, true} {
			id := func(p *puppet, seq uint64) wire.StreamID { return p.theirs(unidirectional, seq) }
			openers := map[string]func(wire.StreamID) frame{
				"STREAM":              func(id wire.StreamID) frame { return stream(id, 0, "x", false) },
				"empty STREAM":        func(id wire.StreamID) frame { return stream(id, 0, "", true) },
				"RESET_STREAM":        func(id wire.StreamID) frame { return resetStream(id, 0, 0) },
				"STREAM_DATA_BLOCKED": func(id wire.StreamID) frame { return streamDataBlocked(id, 0) },
			}
			if !unidirectional {
				openers["STOP_SENDING"] = func(id wire.StreamID) frame { return stopSending(id, 0) }
				openers["MAX_STREAM_DATA"] = func(id wire.StreamID) frame { return maxStreamData(id, 1) }
			}
			for name, open := range openers {
				t.Run(fmt.Sprint(side, " ", name, " uni ", unidirectional), func(t *testing.T) {
					p := newRole(t, side, withStreams(most, most))
					p.handshake()
					p.queue(wire.AppSpace, open(id(p, most-1)))
					if n := p.conn.Held().Streams; n > most {
						t.Fatalf("%d streams", n)
					}
					p.queue(wire.AppSpace, open(id(p, most)))
					p.poll()
					p.wantClose(wire.StreamLimitError)
					p.wantForgotten()

					p = newRole(t, side, withStreams(most, most))
					p.handshake()
					p.send(wire.AppSpace, open(id(p, 1<<60-1)))
					p.wantClose(wire.StreamLimitError)
				})
			}
		}
	}
}

// Attack: stream limit bypass within one packet: ending streams allows no new
// ones before the peer was told.
func TestAttackStreamLimitUntold(t *testing.T) {
	const most = 8
	p := newServer(t, withStreams(most, most))
	p.handshake()
	var churn []frame
	for seq := range uint64(most + 1) {
		churn = append(churn, resetStream(p.theirs(true, seq), 0, 0))
	}
	p.queue(wire.AppSpace, churn...)
	p.poll()
	p.wantClose(wire.StreamLimitError)
}

// Attack: stream churn. A peer that opens and ends streams as fast as it is
// allowed has at most the limit of them waiting for the application, and the
// connection holds no more in the end than at the beginning.
func TestAttackStreamChurn(t *testing.T) {
	const most = 10
	for _, acks := range []bool{true, false} {
		p := newServer(t, withStreams(most, most))
		p.handshake()
		limit := [2]uint64{most, most}
		opened := [2]uint64{}
		start := p.now
		for range 500 {
			var churn []frame
			for k, unidirectional := range []bool{false, true} {
				for ; opened[k] < limit[k]; opened[k]++ {
					id := p.theirs(unidirectional, opened[k])
					churn = append(churn, stream(id, 0, "x", false), resetStream(id, 0, 1))
					if !unidirectional {
						churn = append(churn, stopSending(id, 0))
					}
				}
			}
			p.queue(wire.AppSpace, append(churn, ping())...)
			if h := p.conn.Held(); h.Events > 4*2*most || h.Streams > 2*most {
				t.Fatalf("%d events and %d streams wait", h.Events, h.Streams)
			}
			p.poll()
			for _, e := range p.events {
				if e.Kind == engine.EventStreamOpened {
					p.conn.StopSending(p.now, e.Stream, 0) // nobody wants the byte before the reset
				}
			}
			p.poll()
			p.wantOpen()
			for _, f := range p.frames {
				switch f.kind() {
				case wire.FrameMaxStreamsBidi:
					limit[0] = f.number()
				case wire.FrameMaxStreamsUni:
					limit[1] = f.number()
				}
			}
			p.frames, p.events = nil, nil
			if acks {
				p.ack()
			}
		}
		if !acks {
			if opened[0] > most {
				t.Errorf("%d bidirectional streams were opened without an acknowledgment of one's end", opened[0])
			}
			continue
		}
		if opened[0] < 100*most || opened[1] < 100*most || p.now != start {
			t.Fatalf("only %v streams were opened", opened)
		}
		if h := p.conn.Held(); h.Streams > 2*most {
			t.Fatalf("%d streams are left", h.Streams)
		}
	}
}

// Attack: MAX_STREAMS flood: one event waits, whatever the number of frames.
func TestAttackMaxStreamsFlood(t *testing.T) {
	p := newServer(t)
	p.handshake()
	v := uint64(100)
	for range 100 {
		var flood []frame
		for range 100 {
			v++
			flood = append(flood, maxStreams(false, v), maxStreams(true, v), maxData(1<<20+v))
		}
		p.queue(wire.AppSpace, flood...)
	}
	if n := p.conn.Held().Events; n > 1 {
		t.Fatalf("%d events wait", n)
	}
	p.poll()
	p.wantOpen()
	p.send(wire.AppSpace, maxStreams(false, 1), maxData(1)) // a lower limit is an old one
	if _, err := p.conn.OpenStream(false); err != nil {
		t.Fatal(err)
	}
}

// Attack: limits that no peer can mean (RFC 9000, Sections 19.11 and 19.14).
func TestAttackStreamCount(t *testing.T) {
	for _, f := range []frame{
		maxStreams(false, 1<<60+1), maxStreams(true, 1<<60+1), maxStreams(false, wire.MaxVarint),
		streamsBlocked(false, 1<<60+1), streamsBlocked(true, wire.MaxVarint),
	} {
		p := newServer(t)
		p.handshake()
		p.send(wire.AppSpace, f)
		p.wantClose(wire.FrameEncodingError)
	}
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace, maxStreams(false, 1<<60), maxStreams(true, 1<<60), maxData(wire.MaxVarint))
	p.wantOpen()
}

// Attack: a slow reader's peer. Data that is not read is kept only up to the
// window, whatever is sent again.
func TestAttackRepeatedData(t *testing.T) {
	p := newServer(t, withWindows(5000, 5000))
	p.handshake()
	for range 1000 {
		p.send(wire.AppSpace, stream(p.theirs(false, 0), 0, string(make([]byte, 1000)), false))
		p.advance(time.Millisecond)
	}
	if n := p.lastOpened().Unread(); n != 1000 {
		t.Fatalf("%d bytes are kept", n)
	}
	p.wantOpen()
}
