// Command perfd answers the QUIC performance protocol
// (draft-banks-quic-performance) with other implementations than Godwit's, and
// echoes datagrams with those that have them, for the side-by-side benchmarks:
//
//	perfd -stack godwit|godwit-blocking|quic-go|x-net -listen 127.0.0.1:0 -cert FILE -key FILE
//
// It prints its address and serves until it is killed.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"os"

	"github.com/godwit-quic/godwit/internal/devcert"
)

const (
	alpn = "perf"
	// window is what every peer is given as flow control windows, in bytes.
	window = 16 << 20
)

// serveFunc starts a server and returns its address.
type serveFunc func(listen string, conf *tls.Config) (net.Addr, error)

var stacks = map[string]serveFunc{
	"godwit": serveGodwit, "godwit-blocking": serveGodwitBlocking, "quic-go": serveQUICGo, "x-net": serveXNet,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "perfd:", err)
		os.Exit(1)
	}
	select {} // until it is killed
}

// run starts the server that the command line asks for.
func run() error {
	stack := flag.String("stack", "", "implementation: godwit, godwit-blocking, quic-go or x-net")
	listen := flag.String("listen", "127.0.0.1:0", "UDP address to listen on")
	cert := flag.String("cert", "", "PEM file with the certificate")
	key := flag.String("key", "", "PEM file with its key")
	flag.Parse()
	serve, ok := stacks[*stack]
	if !ok {
		return fmt.Errorf("-stack %q is not godwit, godwit-blocking, quic-go or x-net", *stack)
	}
	pair, err := devcert.Load(*cert, *key)
	if err != nil {
		return err
	}
	addr, err := serve(*listen, &tls.Config{
		Certificates: []tls.Certificate{pair}, NextProtos: []string{alpn}, MinVersion: tls.VersionTLS13,
	})
	if err != nil {
		return err
	}
	fmt.Println(addr)
	return nil
}
