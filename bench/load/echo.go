package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/quic/event"
)

// measureEcho has opts.streams streams on each of opts.conns connections, or sessions. On
// each, opts.size bytes are sent again as soon as the server has sent them back.
func measureEcho(ctx context.Context, opts *options) (*report.Result, error) {
	return measureStreams(ctx, opts, false)
}

// measureNewStreams is measureEcho with a new stream each time, which both ends finish.
func measureNewStreams(ctx context.Context, opts *options) (*report.Result, error) {
	return measureStreams(ctx, opts, true)
}

func measureStreams(ctx context.Context, opts *options, anew bool) (*report.Result, error) {
	t := newTraffic()
	m := new(meter)
	t.meters = meters{m}
	if err := dialGround(ctx, opts, t, func(g *ground) user {
		return &talker{ground: g, meter: m, message: make([]byte, opts.size), wanted: opts.streams, anew: anew}
	}); err != nil {
		return nil, err
	}
	return t.measure(opts)
}

// talker has streams on which what it sends comes back.
type talker struct {
	*ground
	meter   *meter
	message []byte
	first   []byte // the message behind what begins a stream
	wanted  int    // streams that are to be opened now
	anew    bool   // one for each message
	idle    []*talk
	scratch [64 << 10]byte
}

// talk is one of the streams.
type talk struct {
	*talker
	sent time.Time
	got  int  // bytes of what was sent last that have come back
	over bool // all has come back, and the end
}

// begin implements user.
func (x *talker) begin(t event.Turn) {
	x.first = append(append(x.first, x.prefixes.stream...), x.message...)
	x.available(t)
}

// available implements user: it opens what the server allows.
func (x *talker) available(t event.Turn) {
	for ; x.wanted > 0 && !x.traffic.over.Load(); x.wanted-- {
		k := x.newTalk()
		s, err := t.Open(false, k)
		if errors.Is(err, event.ErrStreamLimit) {
			x.idle = append(x.idle, k)
			return
		}
		if err != nil {
			return // HandleClose tells of it
		}
		k.send(t, s, x.first)
	}
}

func (x *talker) newTalk() *talk {
	n := len(x.idle)
	if n == 0 {
		return &talk{talker: x}
	}
	k := x.idle[n-1]
	x.idle = x.idle[:n-1]
	*k = talk{talker: x}
	return k
}

// send sends what has all to fit into the stream's window.
func (k *talk) send(t event.Turn, s event.Stream, b []byte) {
	k.sent, k.got = time.Now(), 0
	write := t.Write
	if k.anew {
		write = t.WriteLast
	}
	if n, err := write(s, b); err != nil || n < len(b) {
		k.traffic.fail(fmt.Errorf("stream %d took %d of %d bytes: %w", s.ID(), n, len(b), err))
	}
}

// HandleReadable implements event.StreamHandler.
func (k *talk) HandleReadable(t event.Turn, s event.Stream) {
	for {
		n, err := t.Read(s, k.scratch[:])
		k.got += n
		k.meter.bytes.Add(int64(n))
		switch {
		case err == io.EOF && k.anew && k.got == len(k.message):
			k.over = true
			k.meter.responded(k.sent)
			return
		case err != nil:
			k.traffic.fail(fmt.Errorf("stream %d after %d bytes: %w", s.ID(), k.got, err))
			return
		case k.got == len(k.message) && !k.anew && n > 0:
			k.meter.responded(k.sent)
			if !k.traffic.over.Load() {
				k.send(t, s, k.message)
			}
		case n == 0:
			return
		}
	}
}

// HandleWritable implements event.StreamHandler.
func (k *talk) HandleWritable(event.Turn, event.Stream) {}

// HandleEnd implements event.StreamHandler.
func (k *talk) HandleEnd(t event.Turn, s event.Stream, end event.End) {
	if end.Kind != event.StreamEnded {
		return
	}
	t.Release(s)
	if !k.over {
		k.traffic.fail(fmt.Errorf("stream %d was cut", s.ID()))
		return
	}
	k.idle = append(k.idle, k)
	k.wanted++
	k.available(t)
}

// datagrams implements user: there are none.
func (x *talker) datagrams([][]byte) {}
