// Command httpd serves the same handler with several HTTP implementations in
// Go, for the side-by-side benchmarks:
//
//	httpd -stack godwit|quic-go|net-http -listen 127.0.0.1:0 -cert FILE -key FILE
//
// The first two speak HTTP/3, net-http speaks HTTP/2 and HTTP/1.1 over TCP. It
// prints its address and serves until it is interrupted or killed. With
// -cpuprofile and -memprofile it writes profiles when it is interrupted.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/profiling"
)

const (
	// window is what every server is given as flow control windows, in bytes.
	window = 16 << 20
	// streams is how many requests a client may have running on a connection.
	streams = 256
	// idleTimeout is longer than any measurement, so that idle connections stay.
	idleTimeout = 5 * time.Minute
)

// serveFunc starts a server and returns its address.
type serveFunc func(listen string, conf *tls.Config, loops int) (net.Addr, error)

var stacks = map[string]serveFunc{"godwit": serveGodwit, "quic-go": serveQUICGo, "net-http": serveNetHTTP}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "httpd:", err)
		os.Exit(1)
	}
}

// run starts the server that the command line asks for.
func run() error {
	stack := flag.String("stack", "", "implementation: godwit, quic-go or net-http")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	cert := flag.String("cert", "", "PEM file with the certificate")
	key := flag.String("key", "", "PEM file with its key")
	loops := flag.Int("loops", 0, "event loops, of godwit; 0 for its default")
	var prof profiling.Files
	flag.StringVar(&prof.CPU, "cpuprofile", "", "`file` for a CPU profile")
	flag.StringVar(&prof.Memory, "memprofile", "", "`file` for a memory profile, of every allocation with GODEBUG=memprofilerate=1")
	flag.Parse()
	serve, ok := stacks[*stack]
	if !ok {
		return fmt.Errorf("-stack %q is not godwit, quic-go or net-http", *stack)
	}
	pair, err := devcert.Load(*cert, *key)
	if err != nil {
		return err
	}
	addr, err := serve(*listen, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}, *loops)
	if err != nil {
		return err
	}
	if err := prof.Start(); err != nil {
		return err
	}
	fmt.Println(addr)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	<-interrupted
	return prof.Stop()
}
