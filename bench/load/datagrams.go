package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/quic/event"
)

// lostAfter is how long nothing comes back until what is on its way counts as
// lost, and as much is sent again.
const lostAfter = 20 * time.Millisecond

// measureDatagrams keeps opts.streams datagrams of opts.size bytes on their way
// on each of opts.conns connections, or sessions, to a server that echoes them.
func measureDatagrams(ctx context.Context, opts *options) (*report.Result, error) {
	if opts.size < 8 {
		return nil, fmt.Errorf("-size %d has no room for the time in 8 bytes", opts.size)
	}
	t := newTraffic()
	m := new(meter)
	t.meters = meters{m}
	if err := dialGround(ctx, opts, t, func(g *ground) user {
		return &echoed{ground: g, meter: m, buf: make([]byte, opts.size), window: opts.streams}
	}); err != nil {
		return nil, err
	}
	return t.measure(opts)
}

// echoed sends datagrams that come back.
type echoed struct {
	*ground
	meter    *meter
	buf      []byte
	window   int // datagrams on their way at any time
	flying   int
	progress uint64
	late     event.Timer
}

// begin implements user: it sends until the window is full, and looks later whether any
// came back.
func (e *echoed) begin(t event.Turn) {
	e.fill()
	seen := e.progress
	t.SetTimer(&e.late, t.Now()+lostAfter, event.TimerFunc(func(t event.Turn) {
		if e.progress == seen {
			e.flying = 0
		}
		e.begin(t)
	}))
}

func (e *echoed) fill() {
	for ; e.flying < e.window && !e.traffic.over.Load(); e.flying++ {
		binary.BigEndian.PutUint64(e.buf, uint64(time.Now().UnixNano()))
		if err := e.conn.SendDatagram(e.prefixes.datagram, e.buf); err != nil {
			e.traffic.fail(err)
			return
		}
	}
}

// datagrams implements user.
func (e *echoed) datagrams(list [][]byte) {
	for _, b := range list {
		if len(b) == len(e.buf) {
			e.meter.responded(time.Unix(0, int64(binary.BigEndian.Uint64(b))))
			e.meter.bytes.Add(int64(len(b)))
			e.flying = max(e.flying-1, 0)
		}
	}
	e.progress++
	e.fill()
}

// available implements user: there are no streams.
func (e *echoed) available(event.Turn) {}
