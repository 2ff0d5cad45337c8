package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/quic"
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
	transport, err := quic.NewTransport("127.0.0.1:0", &quic.Config{EnableDatagrams: true, MaxIdleTimeout: idleTimeout})
	if err != nil {
		return nil, err
	}
	defer transport.Close()
	ctx, cancel := context.WithTimeout(ctx, opts.patience)
	defer cancel()
	conf := &quic.Config{EnableDatagrams: true, MaxIdleTimeout: idleTimeout, NewHandler: func(qc *quic.Conn) quic.Handler {
		c := &echoed{conn: qc, traffic: t, meter: m, buf: make([]byte, opts.size), window: opts.streams}
		qc.SetValue(c)
		return c
	}}
	for range opts.conns {
		qc, err := transport.Dial(ctx, opts.addr, opts.tlsConfig(), conf)
		if err != nil {
			return nil, err
		}
		qc.Run(qc.Value().(*echoed).refill)
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
	progress atomic.Uint64
}

// refill sends until the window is full, and looks later whether any came back.
func (e *echoed) refill() {
	e.fill()
	seen := e.progress.Load()
	time.AfterFunc(lostAfter, func() {
		e.conn.Run(func() {
			if e.progress.Load() == seen {
				e.flying = 0
			}
			e.refill()
		})
	})
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

// HandleDatagrams implements quic.DatagramHandler.
func (e *echoed) HandleDatagrams(*quic.Conn) {
	for {
		b, ok := e.conn.TryReceiveDatagram(e.buf[:0])
		if !ok {
			break
		}
		if len(b) == len(e.buf) {
			e.meter.responded(time.Unix(0, int64(binary.BigEndian.Uint64(b))))
			e.meter.bytes.Add(int64(len(b)))
			e.flying = max(e.flying-1, 0)
		}
	}
	e.progress.Add(1)
	e.fill()
}

// HandleClose implements quic.Handler.
func (e *echoed) HandleClose(_ *quic.Conn, err error) { e.traffic.fail(err) }

// The rest of quic.Handler: there are no streams.

func (e *echoed) HandleStream(*quic.Stream)         {}
func (e *echoed) HandleReadable(*quic.Stream)       {}
func (e *echoed) HandleWritable(*quic.Stream)       {}
func (e *echoed) HandleStreamsAvailable(*quic.Conn) {}
