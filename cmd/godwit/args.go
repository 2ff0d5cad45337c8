package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// one demands a single argument; need says which, with an example.
func one(need string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("%s needs %s", name(cmd), need)
		case 1:
			return nil
		}
		return fmt.Errorf("%s needs %s, not %d arguments", name(cmd), need, len(args))
	}
}

// some demands one argument or more.
func some(need string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return fmt.Errorf("%s needs %s", name(cmd), need)
	}
}

// none demands that there are only flags.
func none(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no arguments: what is %q for?", name(cmd), args[0])
}

// name returns a command's name, with that of its parent unless that is the
// program.
func name(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return path
}

// The most that measurements run at once. A connection takes some 100 KiB here and
// one of the 28,000 ports that Linux gives to clients of an address, a request
// some 10 KiB: numbers beyond these are mistakes, and would take all memory before
// anything is measured.
const (
	maxConns    = 20_000
	maxStreams  = 10_000 // on a connection
	maxInFlight = 1_000_000
)

// checkLoad demands that numbers of connections, and of streams or requests at
// once on each, given by these flags, are possible.
func checkLoad(connsFlag string, conns int, streamsFlag string, streams int) error {
	switch {
	case conns < 1 || streams < 1:
		return fmt.Errorf("%s and %s must be 1 at least", connsFlag, streamsFlag)
	case conns > maxConns:
		return fmt.Errorf("%s %d is too many connections: %d at most", connsFlag, conns, maxConns)
	case streams > maxStreams:
		return fmt.Errorf("%s %d is too many on a connection: %d at most", streamsFlag, streams, maxStreams)
	case conns*streams > maxInFlight:
		return fmt.Errorf("%s times %s is %d, too many at once: %d at most", connsFlag, streamsFlag, conns*streams, maxInFlight)
	}
	return nil
}
