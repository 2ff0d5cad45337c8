// Command load is the client of the HTTP benchmarks. One client drives all
// servers: over HTTP/3 it is made of Godwit's packages, without net/http's, so
// that it costs less than what it measures; over HTTP/2 and HTTP/1.1 it is
// net/http's.
//
//	load -addr 127.0.0.1:4433 -path /small -size 5 requests
//
// The modes:
//
//	requests    a fixed number runs at any time, for a while
//	rate        they come at a fixed rate, whatever the server does
//	handshakes  a connection, a request, and the next connection
//	burst       very many connections at once
//	idle        very many connections that do nothing
//	datagrams   a number is on its way to a server that echoes them at any time
//	echo        on a number of streams, each message follows the echo of the last
//	streams     the same with a stream for each message
//
// The last three go over QUIC alone, or with -proto webtransport in a session of its own
// on each connection.
//
// It prints one report.Result. The CPU time of the server is that of the
// process -pid meanwhile.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/internal/profiling"
)

// options are the command line.
type options struct {
	addr, path, proto string
	size              int // of each response's content, in bytes
	pid               int // of the server

	conns, streams int // streams on each connection
	loops          int // of the client, over HTTP/3
	warmup         time.Duration
	duration       time.Duration
	rate           float64 // requests a second
	resume         bool
	netHTTP        bool // over HTTP/3, too
	patience       time.Duration
}

type mode func(context.Context, *options) (*report.Result, error)

var modes = map[string]mode{
	"requests": measureRequests, "rate": measureRate,
	"handshakes": measureHandshakes, "burst": measureBurst, "idle": measureIdle, "datagrams": measureDatagrams,
	"echo": measureEcho, "streams": measureNewStreams,
}

// gcPercent spares the client collections: it must not be what limits, and its
// memory is not measured.
const gcPercent = 1000

func main() {
	debug.SetGCPercent(gcPercent)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run() error {
	var opts options
	flag.StringVar(&opts.addr, "addr", "", "server's `host:port`")
	flag.StringVar(&opts.path, "path", "/small", "path to request")
	flag.StringVar(&opts.proto, "proto", "h3", "h3, h2 or http/1.1; for echoes webtransport, or the ALPN of QUIC alone")
	flag.IntVar(&opts.size, "size", 5, "`bytes` that every response must have")
	flag.IntVar(&opts.pid, "pid", 0, "process `ID` of the server")
	flag.IntVar(&opts.conns, "conns", 1, "connections")
	flag.IntVar(&opts.streams, "streams", 1, "requests at a time on each connection")
	flag.IntVar(&opts.loops, "loops", 1, "event loops and UDP sockets of the client, over HTTP/3")
	flag.DurationVar(&opts.warmup, "warmup", 300*time.Millisecond, "how long to run before measuring")
	flag.DurationVar(&opts.duration, "duration", 2*time.Second, "how long to measure")
	flag.Float64Var(&opts.rate, "rate", 1000, "requests a second, for rate")
	flag.BoolVar(&opts.resume, "resume", false, "resume sessions, for handshakes")
	flag.BoolVar(&opts.netHTTP, "nethttp", false, "over HTTP/3, use http.Client and http3.Transport, as programs do, for requests")
	flag.DurationVar(&opts.patience, "patience", 20*time.Second, "how long one connection may take")
	var prof profiling.Files
	flag.StringVar(&prof.CPU, "cpuprofile", "", "`file` for a CPU profile")
	flag.StringVar(&prof.Memory, "memprofile", "", "`file` for a memory profile, of every allocation with GODEBUG=memprofilerate=1")
	flag.Parse()
	opts.loops = max(opts.loops, 1)
	measure := modes[flag.Arg(0)]
	if measure == nil || flag.NArg() != 1 {
		return fmt.Errorf("%q is no mode", flag.Args())
	}
	if err := prof.Start(); err != nil {
		return err
	}
	result, err := measure(context.Background(), &opts)
	if err := cmp.Or(err, prof.Stop()); err != nil {
		return err
	}
	return report.Write(os.Stdout, result)
}

// tlsConfig returns the client's side of TLS. The key exchange is the same for
// all servers, some of which know only classical ones.
func (o *options) tlsConfig() *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, // the certificate was made for the occasion
		NextProtos:         []string{o.proto},
		MinVersion:         tls.VersionTLS13,
		CurvePreferences:   []tls.CurveID{tls.X25519},
	}
}
