package dialogue

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

// errUsage is what a command without its words leads to.
var errUsage = errors.New("words are missing")

// quicEnd is an application on QUIC itself. It reads what comes, and prints it.
type quicEnd struct {
	talk *talk
	side wire.Side
	conn *engine.Conn // nil before the handshake is complete
	// probed is the path that was probed last, a client's.
	probed path.Addrs
}

// Handle implements sim.App.
func (q *quicEnd) Handle(now monotime.Time, c *engine.Conn, e engine.Event) {
	say := func(format string, args ...any) { q.talk.say(now, q.side, format, args...) }
	switch e.Kind {
	case engine.EventHandshakeComplete:
		q.conn = c
	case engine.EventStreamOpened:
		say("accepts stream %d", e.Stream.ID)
	case engine.EventStreamReadable:
		q.read(now, e.Stream)
	case engine.EventStreamEnded:
		say("stream %d is over", e.Stream.ID)
	case engine.EventDatagrams:
		for _, b := range c.PollDatagrams() {
			say("receives a datagram: %q", b)
		}
	case engine.EventPathChanged:
		say("sees the peer at %v%s", c.Path().Remote, q.by(c.Path()))
	case engine.EventPaths:
		if !q.probed.Remote.IsValid() {
			break // the client probes the server's preferred address
		}
		say("finds its path by socket %d %s", q.probed.Socket, [...]string{"not to be one", "still silent", "usable"}[c.PathStanding(q.probed)])
	case engine.EventClosed:
		say("is told: %v", e.Err)
	}
}

func (q *quicEnd) read(now monotime.Time, s *engine.Stream) {
	var b [100]byte
	for s.Receives() {
		n, err := s.Recv.Read(b[:])
		if s.Recv.Consumed() {
			q.conn.StreamConsumed(now, s)
		}
		switch {
		case n > 0:
			q.talk.say(now, q.side, "reads on stream %d: %q", s.ID, b[:n])
		case err == io.EOF:
			q.talk.say(now, q.side, "reads the end of stream %d", s.ID)
		case err != nil:
			q.talk.say(now, q.side, "is told: %v", err)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// Act implements sim.App.
func (*quicEnd) Act(monotime.Time, *engine.Conn) error { return nil }

// Deadline implements sim.App.
func (*quicEnd) Deadline() monotime.Time { return 0 }

// Check implements sim.App.
func (*quicEnd) Check(error) error { return nil }

func (q *quicEnd) do(now monotime.Time, args []string) error {
	if q.conn == nil {
		return errors.New("the handshake is not complete")
	}
	if len(args) < 2 {
		return errUsage
	}
	switch args[0] {
	case "open":
		s, err := q.conn.OpenStream(args[1] == "uni")
		if err == nil {
			q.talk.say(now, q.side, "opens stream %d", s.ID)
		}
		return err
	case "datagram":
		return q.conn.Datagrams().Out.Send(nil, []byte(args[1]))
	}
	n, err := strconv.ParseUint(args[1], 0, 64)
	if err != nil {
		return err
	}
	if args[0] == "close" {
		if len(args) < 3 {
			return errUsage
		}
		q.conn.CloseAfterSending(now, n, args[2])
		return nil
	}
	if done, err := q.doPath(now, args[0], uint8(n)); done {
		return err
	}
	return q.doStream(now, q.conn.StreamByID(wire.StreamID(n)), args)
}

// by names the socket of a path, if it is a client's further one.
func (*quicEnd) by(a path.Addrs) string {
	if a.Socket == 0 {
		return ""
	}
	return fmt.Sprintf(" by socket %d", a.Socket)
}

// doPath does what a command on a client's path says, if it is one.
func (q *quicEnd) doPath(now monotime.Time, verb string, socket uint8) (done bool, err error) {
	a := path.Addrs{Remote: q.conn.Path().Remote, Socket: socket}
	switch verb {
	case "probe":
		q.probed = a
		return true, q.conn.ProbePath(now, a)
	case "switch":
		return true, q.conn.SwitchPath(now, a)
	case "leave":
		return true, q.conn.LeavePath(a)
	}
	return false, nil
}

// doStream does what a command on a stream says.
func (q *quicEnd) doStream(now monotime.Time, s *engine.Stream, args []string) error {
	if s == nil || len(args) < 3 {
		return fmt.Errorf("no stream %s, or %w", args[1], errUsage)
	}
	if args[0] == "write" {
		write := s.Send.Write
		if len(args) > 3 {
			write = s.Send.WriteLast
		}
		_, err := write([]byte(args[2]))
		q.conn.StreamWritten(s)
		return err
	}
	code, err := strconv.ParseUint(args[2], 0, 64)
	switch args[0] {
	case "reset":
		q.conn.ResetStream(s, code)
	case "stop":
		q.conn.StopSending(now, s, code)
	default:
		return errors.New("no such command")
	}
	return err
}
