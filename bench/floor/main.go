// Command floor measures how fast this machine can move packets that are sealed
// as QUIC's are, with nothing of QUIC around them: what an implementation in Go
// could reach if everything else cost nothing.
//
//	floor serve
//	floor run -to 127.0.0.1:4433 -pid PID -duration 2s
//
// The one that serves seals trains of 44 packets of 1452 bytes and sends each
// with one system call; the one that runs receives with GRO, opens every packet,
// and says now and then how far it is, so that no more than a window is under
// way. Both use Godwit's packages for sockets and packet protection.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/report"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		return serve()
	}
	flags := flag.NewFlagSet("floor run", flag.ExitOnError)
	to := flags.String("to", "", "`address` of the one that serves")
	pid := flags.Int("pid", 0, "its process `ID`")
	duration := flags.Duration("duration", 2*time.Second, "how long to measure")
	if len(os.Args) < 2 || os.Args[1] != "run" {
		return fmt.Errorf("neither serve nor run")
	}
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	result, err := receive(*to, *pid, *duration)
	if err != nil {
		return err
	}
	return report.Write(os.Stdout, result)
}
