package perf

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/cputime"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Options say what Run measures.
type Options struct {
	// TLS is the client's configuration; its NextProtos are replaced.
	TLS *tls.Config
	// QUIC configures the connections, and Transport the socket of each; nil stands for
	// the defaults.
	QUIC      *quic.Config
	Transport *quic.TransportConfig

	// Download and Upload are how many bytes every stream carries in each
	// direction.
	Download, Upload uint64
	// Duration, when set, is for how long streams are opened one after the
	// other; the last ones are cut off. Without it, each stream is opened once.
	// If Download and Upload are 0, a single stream downloads all the time.
	Duration time.Duration
	// Streams is how many streams run at once on each connection, Conns how
	// many connections there are. 0 stands for 1.
	Streams, Conns int
}

// endless is the size of a download that only time ends.
const endless = 1 << 60

// Result is what Run measured.
type Result struct {
	Downloaded, Uploaded uint64 // bytes of the streams, without the protocol's 8
	Requests             uint64 // streams that were completed
	Elapsed              time.Duration
	CPU                  time.Duration // of this process, meanwhile
	Streams, Conns       int
}

// Gbps returns the goodput of both directions together in 10^9 bits a second.
func (r *Result) Gbps() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Downloaded+r.Uploaded) * 8 / 1e9 / r.Elapsed.Seconds()
}

// run is one measurement.
type run struct {
	Options
	deadline time.Time // zero without Duration

	downloaded, uploaded, requests atomic.Uint64
}

// Run connects to a server, moves the bytes and returns when all have arrived.
// Making the connections is not part of the time measured. An error names the
// address; the result is nil then.
func Run(ctx context.Context, addr string, opts Options) (*Result, error) {
	opts.Streams, opts.Conns = max(opts.Streams, 1), max(opts.Conns, 1)
	if opts.Duration > 0 && opts.Download == 0 && opts.Upload == 0 {
		opts.Download = endless
	}
	r := &run{Options: opts}
	conns, err := r.dial(ctx, addr)
	defer func() {
		for _, c := range conns {
			_ = c.transport.Close()
		}
	}()
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	cpu, start := cputime.Process(), time.Now()
	if opts.Duration > 0 {
		r.deadline = start.Add(opts.Duration)
	}
	if err := r.measure(ctx, conns); err != nil {
		return nil, fmt.Errorf("measuring with %s: %w", addr, err)
	}
	return &Result{
		Downloaded: r.downloaded.Load(), Uploaded: r.uploaded.Load(), Requests: r.requests.Load(),
		Elapsed: time.Since(start), CPU: cputime.Process() - cpu,
		Streams: opts.Streams, Conns: opts.Conns,
	}, nil
}

// connection is a connection with a socket and an event loop of its own, so that
// several use several cores.
type connection struct {
	*quic.Conn
	transport *quic.Transport
}

// dial makes the connections. Those made before an error are returned with it.
func (r *run) dial(ctx context.Context, addr string) (conns []connection, err error) {
	conf := &tls.Config{}
	if r.TLS != nil {
		conf = r.TLS.Clone()
	}
	conf.NextProtos = []string{ALPN}
	for range r.Conns {
		t, err := quic.NewTransport(":0", r.Transport)
		if err != nil {
			return conns, err
		}
		c, err := event.DialOn(ctx, t, addr, conf, r.QUIC, func(event.Turn) event.Handler { return requester{} })
		if err != nil {
			return conns, errors.Join(err, t.Close())
		}
		conns = append(conns, connection{c, t})
	}
	return conns, nil
}

// measure runs all streams and returns the first error. When ctx ends, or a
// stream fails, all connections are closed.
func (r *run) measure(ctx context.Context, conns []connection) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		for _, c := range conns {
			_ = c.CloseWithError(cancelCode, "")
		}
	})()
	var workers sync.WaitGroup
	for _, c := range conns {
		for range r.Streams {
			workers.Go(func() {
				if err := r.work(ctx, c.Conn); err != nil {
					cancel(err) // the first cause counts
				}
			})
		}
	}
	workers.Wait()
	return context.Cause(ctx)
}

// work runs one stream, or one after the other while there is time.
func (r *run) work(ctx context.Context, c *quic.Conn) error {
	for {
		if err := r.transfer(ctx, c); err != nil || !r.timeLeft() {
			return err
		}
	}
}

func (r *run) timeLeft() bool { return time.Now().Before(r.deadline) }

// proceed reports whether a transfer under way goes on.
func (r *run) proceed() bool { return r.deadline.IsZero() || r.timeLeft() }

// transfer runs one stream.
func (r *run) transfer(ctx context.Context, c *quic.Conn) error {
	t := &transfer{run: r, done: make(chan error, 1)}
	if _, err := event.Open(ctx, c, false, t.begin); err != nil {
		return err
	}
	select {
	case err := <-t.done:
		if err != nil {
			return err
		}
		return t.count()
	case <-c.Done():
		return c.Err()
	}
}
