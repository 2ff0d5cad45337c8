// Command relay is a network in a process: it passes UDP datagrams between
// clients and a server, late, and loses some of them.
//
//	relay -to 127.0.0.1:4433 -delay 25ms -loss 0.01
//
// It prints the address that clients connect to, and works until it is killed.
// What is lost depends on the seed and on the number of datagrams only.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

func run() error {
	to := flag.String("to", "", "server's `host:port`")
	var l link
	flag.DurationVar(&l.delay, "delay", 25*time.Millisecond, "delay in each direction")
	flag.Float64Var(&l.loss, "loss", 0.01, "fraction of datagrams that are lost in each direction")
	flag.Uint64Var(&l.seed, "seed", 1, "seed of the losses")
	flag.Parse()
	server, err := netip.ParseAddrPort(*to)
	if err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	front, err := listen()
	if err != nil {
		return err
	}
	fmt.Println(front.LocalAddr())
	return newRelay(front, server, l).run()
}

// socketBuffer is asked of the kernel, in bytes, so that only the relay loses
// datagrams.
const socketBuffer = 4 << 20

// listen opens a socket on a free port of the loopback interface.
func listen() (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer) // the kernel may give less
	_ = conn.SetWriteBuffer(socketBuffer)
	return conn, nil
}
