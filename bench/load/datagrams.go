package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// lostAfter is how long nothing comes back until what is on its way counts as
// lost, and as much is sent again.
const lostAfter = 20 * time.Millisecond

// measureDatagrams keeps opts.streams datagrams of opts.size bytes on their way
// on each of opts.conns connections, to a server that echoes them.
func measureDatagrams(ctx context.Context, opts *options) (*report.Result, error) {
	if opts.size < 8 {
		return nil, fmt.Errorf("-size %d has no room for the time in 8 bytes", opts.size)
	}
	t := newTraffic()
	m := new(meter)
	t.meters = meters{m}
	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		return nil, err
	}
	defer transport.Close()
	ctx, cancel := context.WithTimeout(ctx, opts.patience)
	defer cancel()
	conf := &quic.Config{EnableDatagrams: true, MaxIdleTimeout: idleTimeout}
	newHandler := func(turn event.Turn) event.Handler {
		return &echoed{conn: turn.Conn(), traffic: t, meter: m, buf: make([]byte, opts.size), window: opts.streams}
	}
	for range opts.conns {
		qc, err := event.DialOn(ctx, transport, opts.addr, opts.tlsConfig(), conf, newHandler)
		if err != nil {
			return nil, err
		}
		event.Run(qc, event.HandlerOf(qc).(*echoed).refill)
	}
	return t.measure(opts)
}

// echoed is a connection whose datagrams come back. It lives on the loop.
type echoed struct {
	conn     *quic.Conn
	traffic  *traffic
	meter    *meter
	buf      []byte
	window   int // datagrams on their way at any time
	flying   int
	progress uint64
	late     event.Timer
}

// refill sends until the window is full, and looks later whether any came back.
func (e *echoed) refill(t event.Turn) {
	e.fill()
	seen := e.progress
	t.SetTimer(&e.late, t.Now()+lostAfter, event.TimerFunc(func(t event.Turn) {
		if e.progress == seen {
			e.flying = 0
		}
		e.refill(t)
	}))
}

func (e *echoed) fill() {
	for ; e.flying < e.window && !e.traffic.over.Load(); e.flying++ {
		binary.BigEndian.PutUint64(e.buf, uint64(time.Now().UnixNano()))
		if err := e.conn.SendDatagram(e.buf); err != nil {
			e.traffic.fail(err)
			return
		}
	}
}

// HandleDatagrams implements event.DatagramHandler.
func (e *echoed) HandleDatagrams(_ event.Turn, datagrams [][]byte) {
	for _, b := range datagrams {
		if len(b) == len(e.buf) {
			e.meter.responded(time.Unix(0, int64(binary.BigEndian.Uint64(b))))
			e.meter.bytes.Add(int64(len(b)))
			e.flying = max(e.flying-1, 0)
		}
	}
	e.progress++
	e.fill()
}

// HandleTurn implements event.TurnHandler: no goroutine has anything to do.
func (e *echoed) HandleTurn(event.Turn) (woke bool) { return false }

// HandleClose implements event.Handler.
func (e *echoed) HandleClose(_ event.Turn, err error) { e.traffic.fail(err) }

// The rest of event.Handler: there are no streams.

func (e *echoed) HandleStream(event.Turn, event.Stream) event.StreamHandler { return nil }
func (e *echoed) HandleStreamsAvailable(event.Turn)                         {}
