package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// priority is an urgency and whether the stream is incremental.
type priority struct {
	urgency     engine.Urgency
	incremental bool
}

// TestPriorities writes as much to several streams and looks in which order
// their bytes leave.
func TestPriorities(t *testing.T) {
	const each = 50_000 // bytes, several turns
	for _, tt := range []struct {
		name    string
		streams []priority
		order   []int // of the streams, by when their last byte leaves
		turns   bool  // some are sent at the same time
	}{
		{"as they come", []priority{{3, true}, {3, true}, {3, true}}, []int{0, 1, 2}, true},
		{"by urgency", []priority{{7, true}, {0, true}, {3, true}}, []int{1, 2, 0}, false},
		{"beyond the last urgency", []priority{{200, true}, {7, true}, {6, false}}, []int{2, 0, 1}, true},
		{"one after the other", []priority{{3, false}, {3, false}, {3, false}}, []int{0, 1, 2}, false},
		{"a long one before those in turns", []priority{{2, false}, {2, true}, {2, true}}, []int{0, 1, 2}, true},
		{"the last becomes the first", []priority{{3, true}, {3, true}, {1, true}}, []int{2, 0, 1}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, engine.Config{MaxBidiStreams: 10})
			client := p.ends[wire.ClientSide].conn
			var streams []*engine.Stream
			for range tt.streams {
				s, err := client.OpenStream(false)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := s.Send.Write(make([]byte, each)); n != each || err != nil {
					t.Fatal(n, err)
				}
				client.StreamWritten(s)
				streams = append(streams, s)
			}
			for i, s := range streams {
				client.SetPriority(s, tt.streams[i].urgency, tt.streams[i].incremental)
			}
			var order []int
			atOnce := 0
			for len(order) < len(streams) {
				partly := 0
				for i, got := range p.sendSome(streams) {
					switch {
					case got == each && !slices.Contains(order, i):
						order = append(order, i)
					case got > 0 && got < each:
						partly++
					}
				}
				atOnce = max(atOnce, partly)
			}
			if !slices.Equal(order, tt.order) {
				t.Errorf("order %v, want %v", order, tt.order)
			}
			if inTurns := atOnce > 1; inTurns != tt.turns {
				t.Errorf("%d streams are sent at the same time", atOnce)
			}
		})
	}
}

// sendSome has packets sent until one brings bytes of a stream, and returns how
// many have arrived of each.
func (p *pair) sendSome(streams []*engine.Stream) []int {
	client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
	before := p.received(streams)
	for range 1000 {
		p.now = p.now.Add(time.Millisecond)
		t, ok := client.conn.PollTransmit(p.now, p.buf, 1)
		if !ok {
			if d := server.conn.Deadline(); d != 0 && d <= p.now {
				server.conn.HandleDeadline(p.now)
			}
			p.flush(wire.ServerSide)
			continue
		}
		server.endpoint.HandleDatagram(p.now, engine.Datagram{Data: t.Data, Path: path.Addrs{Remote: puppetAddr}})
		for n := server.conn.PollEvents(server.events[:]); n > 0; n = server.conn.PollEvents(server.events[:]) {
			for _, ev := range server.events[:n] {
				if ev.Kind == engine.EventStreamOpened {
					server.streams = append(server.streams, ev.Stream)
				}
			}
		}
		if now := p.received(streams); !slices.Equal(now, before) {
			return now
		}
	}
	p.t.Fatalf("nothing is sent after %v", before)
	return nil
}

// received returns how many bytes of the client's streams have arrived; the
// server reads none.
func (p *pair) received(streams []*engine.Stream) []int {
	counts := make([]int, len(streams))
	for i, s := range streams {
		for _, opened := range p.ends[wire.ServerSide].streams {
			if opened.ID == s.ID {
				counts[i] = opened.Unread()
			}
		}
	}
	return counts
}

// TestPriorityAfterClose does nothing, and does not fail.
func TestPriorityAfterClose(t *testing.T) {
	p := newPair(t, engine.Config{MaxBidiStreams: 10})
	client := p.ends[wire.ClientSide].conn
	s, err := client.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.Write([]byte("queued")); err != nil {
		t.Fatal(err)
	}
	client.StreamWritten(s)
	client.Close(p.now, 0, "")
	client.SetPriority(s, 0, true)
	p.exchange()
	if client.Closed() == nil {
		t.Error("the connection is not closed")
	}
}
