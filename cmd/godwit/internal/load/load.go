// Package load sends HTTP requests as fast as a server answers them, and measures
// how fast that is:
//
//	result, err := load.Run(ctx, load.Options{
//		URL: "https://localhost:4433/hello", Protocol: load.HTTP3, TLS: conf,
//		Conns: 10, Streams: 32, Duration: 10 * time.Second,
//	})
//	fmt.Print(result)
//
// Each of Conns connections has Streams requests running at any time, each
// followed by the next one. The same client code drives all protocols.
package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/client"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/cputime"
	"github.com/godwit-quic/godwit/quic"
)

// Protocol is a version of HTTP.
type Protocol string

// The protocols.
const (
	HTTP1 Protocol = "HTTP/1.1"
	HTTP2 Protocol = "HTTP/2"
	HTTP3 Protocol = "HTTP/3"
)

// Options say what to measure.
type Options struct {
	URL string
	// Paths, if there are any, are requested in turn in place of the URL's: paths with
	// their queries.
	Paths    []string
	Protocol Protocol // HTTP3 if empty
	Method   string   // GET if empty
	Header   http.Header
	Host     string // instead of the URL's
	Body     []byte

	Conns   int // connections
	Streams int // requests at a time on each; one over HTTP/1.1

	// Requests is how many are sent in all, and Duration for how long they are;
	// what comes first ends the measurement, and 0 stands for any.
	Requests int
	Duration time.Duration
	// WarmUp is for how long requests are sent before they count.
	WarmUp time.Duration
	// Timeout is how long one request may take; 0 stands for any time.
	Timeout time.Duration
	// ActiveTimeout is how long a connection is used, and InactivityTimeout how long nothing
	// may come on it: then it sends no more, and the requests on it have timed out.
	ActiveTimeout, InactivityTimeout time.Duration
	// Rate is how many connections begin in a second; 0 stands for all before the
	// measurement begins.
	Rate float64
	// Progress, if set, is told several times a second how far it is.
	Progress func(Progress)
	// Dialing says where connections lead, if not to the URL's host.
	Dialing client.Dialing

	TLS       *tls.Config
	QUIC      *quic.Config
	Transport *quic.TransportConfig // of the socket that all connections share
}

// Progress is how far a measurement is.
type Progress struct {
	Elapsed      time.Duration
	Done, Failed uint64 // requests
	Conns        int    // connections there were so far
}

// progressPeriod is how often Progress is told.
const progressPeriod = 200 * time.Millisecond

func (o *Options) check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return err
	case u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%q is not the URL of an https server", o.URL)
	case o.Conns < 1 || o.Streams < 1:
		return errors.New("there must be a connection and a stream at least")
	case o.Protocol == HTTP1 && o.Streams > 1:
		return errors.New("HTTP/1.1 has one request at a time on a connection; use more connections")
	case o.Rate < 0 || o.ActiveTimeout < 0 || o.InactivityTimeout < 0:
		return errors.New("a rate or a time is negative")
	case o.Requests <= 0 && o.Duration <= 0:
		return errors.New("neither a number of requests nor a duration is given")
	}
	return nil
}

// run is a measurement under way.
type run struct {
	opts     *Options
	counting atomic.Bool  // the warm-up is over
	left     atomic.Int64 // requests to send, if there is a number
	over     atomic.Bool

	started, done, failed atomic.Uint64 // requests that count
	connected             atomic.Int64  // connections
}

// Run measures. It returns an error when no connection can be made in the beginning, next to
// a result in which all requests have failed; what fails later is counted. When ctx ends, the
// result is of what was measured so far.
func Run(ctx context.Context, opts Options) (*Result, error) {
	if opts.Protocol == "" {
		opts.Protocol = HTTP3
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	r := &run{opts: &opts}
	r.left.Store(int64(opts.Requests))
	clients, release, err := r.clients()
	if err != nil {
		return nil, err
	}
	defer release()
	if opts.Rate == 0 {
		if err := r.connect(ctx, clients); err != nil {
			return r.nothing(err), err
		}
	}
	return r.measure(ctx, clients), nil
}

// nothing is the result when there is no connection.
func (r *run) nothing(err error) *Result {
	result := r.result()
	if n := uint64(r.opts.Requests); n > 0 {
		result.Errors[err.Error()] = n
	}
	return result
}

func (r *run) result() *Result {
	return &Result{
		Protocol: r.opts.Protocol, Conns: r.opts.Conns, Streams: r.opts.Streams,
		Statuses: make(map[int]uint64), Errors: make(map[string]uint64),
	}
}

// measure runs the workers and adds up what they have counted.
func (r *run) measure(ctx context.Context, clients []*loader) *Result {
	working, stop := context.WithCancel(ctx)
	defer stop()
	start, cpu := time.Now(), cputime.Process()
	r.counting.Store(r.opts.WarmUp <= 0) // before anything is sent, so that all of it counts
	var group sync.WaitGroup
	group.Go(func() { r.begin(working, clients, &group) })
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	if r.opts.WarmUp > 0 {
		sleep(ctx, done, r.opts.WarmUp)
		start, cpu = time.Now(), cputime.Process()
		r.counting.Store(true)
	}
	limit := r.opts.Duration
	if limit <= 0 {
		limit = 1 << 62 // the number of requests ends it
	}
	telling := r.tell(start)
	sleep(ctx, done, limit)
	elapsed, cpu := time.Since(start), cputime.Process()-cpu
	r.over.Store(true)
	stop()
	<-done
	telling()
	result := r.result()
	result.Elapsed, result.CPU, result.Started = elapsed, cpu, r.started.Load()
	for _, c := range clients {
		result.add(&c.tally)
		if c.connected > 0 {
			result.Connects.Add(c.connected)
		}
	}
	return result
}

// begin starts the connections' workers, at the rate that is wanted.
func (r *run) begin(ctx context.Context, clients []*loader, group *sync.WaitGroup) {
	start := time.Now()
	for i, c := range clients {
		if r.opts.Rate > 0 {
			due := start.Add(time.Duration(float64(i) / r.opts.Rate * float64(time.Second)))
			sleep(ctx, nil, time.Until(due))
		}
		if ctx.Err() != nil {
			return
		}
		group.Go(func() { c.run(ctx) })
	}
}

// tell tells Progress until the function it returns is called.
func (r *run) tell(start time.Time) (stop func()) {
	if r.opts.Progress == nil {
		return func() {}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(progressPeriod)
		defer ticker.Stop()
		for {
			r.opts.Progress(Progress{time.Since(start), r.done.Load(), r.failed.Load(), int(r.connected.Load())})
			select {
			case <-ticker.C:
			case <-ended:
				return
			}
		}
	}()
	return func() { close(ended); <-done }
}

// sleep waits for d, or until the work is done or given up.
func sleep(ctx context.Context, done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-done:
	case <-ctx.Done():
	}
}
