package dialogue

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// talk is a conversation that is being played.
type talk struct {
	run   *sim.Run      // nil before there is a network
	begun monotime.Time // when something was printed first
	way   way
	ends  [2]end // by wire.Side
	out   strings.Builder
}

// end is the application of one side.
type end interface {
	sim.App
	// do does what a command says. The first word of args is the verb.
	do(now monotime.Time, args []string) error
}

func newTalk() *talk {
	t := new(talk)
	t.way.talk = t
	return t
}

// printed returns what was printed since it was called last.
func (t *talk) printed() string {
	s := t.out.String()
	t.out.Reset()
	return s
}

// say prints what happens on a side.
func (t *talk) say(now monotime.Time, side wire.Side, format string, args ...any) {
	if t.begun.IsZero() {
		t.begun = now
	}
	at := now.Sub(t.begun).Round(time.Millisecond)
	fmt.Fprintf(&t.out, "%7v %v %s\n", at, side, fmt.Sprintf(format, args...))
}

var words = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`)

// do does what a line of a script says.
func (t *talk) do(line string) error {
	args := words.FindAllString(line, -1)
	for i, arg := range args {
		if strings.HasPrefix(arg, `"`) {
			text, err := strconv.Unquote(arg)
			if err != nil {
				return err
			}
			args[i] = text
		}
	}
	if args[0] == "network" {
		return t.network(args[1:])
	}
	if t.run == nil || len(args) < 2 {
		return errors.New("a script begins with its network, and commands have words")
	}
	switch args[0] {
	case "run":
		d, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		return t.run.Advance(d)
	case "lose":
		return t.lose(args[1:])
	case "move":
		a, err := netip.ParseAddrPort(args[1])
		t.way.client = a
		return err
	}
	side, err := parseSide(args[0])
	if err != nil {
		return err
	}
	return t.ends[side].do(t.run.Now(), args[1:])
}

func parseSide(s string) (wire.Side, error) {
	switch s {
	case "client":
		return wire.ClientSide, nil
	case "server":
		return wire.ServerSide, nil
	}
	return 0, fmt.Errorf("no side and no command: %s", s)
}

// network makes the network, and has the client dial.
func (t *talk) network(args []string) error {
	conf := &engine.Config{Datagrams: true}
	t.run = &sim.Run{Client: conf, Server: conf}
	http, sessions := false, false
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "rtt":
			rtt, err := time.ParseDuration(value)
			if err != nil {
				return err
			}
			t.run.Nodes = []sim.Node{&t.way, &sim.Delay{RTT: rtt}}
		case "preferred": // the server is at another address as well, and wants the client there
			a, err := netip.ParseAddrPort(value)
			if err != nil {
				return err
			}
			conf.PreferredIPv4, conf.DisableActiveMigration = a, true
		case "retry":
			t.run.RequireRetry = true
		case "http":
			http = true
		case "webtransport":
			http, sessions = true, true
		case "versions":
			for v := range strings.SplitSeq(value, ",") {
				version, ok := map[string]wire.Version{"1": wire.Version1, "2": wire.Version2}[v]
				if !ok {
					return fmt.Errorf("no version: %s", v)
				}
				conf.Versions = append(conf.Versions, version)
			}
			conf.OriginalVersion = slices.Min(conf.Versions)
		default:
			return fmt.Errorf("no such network: %s", arg)
		}
	}
	conf.NewTracer = func(info quictrace.Info) quictrace.Tracer {
		side := wire.ClientSide
		if info.Server {
			side = wire.ServerSide
		}
		return &tracer{talk: t, side: side}
	}
	t.run.NewApp = func(side wire.Side) sim.App {
		if http {
			t.ends[side] = newHTTPApp(t, side, sessions)
		} else {
			t.ends[side] = &quicEnd{talk: t, side: side}
		}
		return t.ends[side]
	}
	t.run.Start()
	return nil
}

func (t *talk) lose(args []string) error {
	side, err := parseSide(args[0])
	if err != nil || len(args) < 2 {
		return errors.Join(err, errors.New("usage: lose SIDE N"))
	}
	t.way.lost[side], err = strconv.Atoi(args[1])
	return err
}
