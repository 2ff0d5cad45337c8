package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// ops runs a client and a server, both honest, through operations of their
// applications and events of the network that a program chooses, and checks
// after each step what must hold. A program is bytes; each decision takes one.
type ops struct {
	program []byte
	now     monotime.Time
	sides   [2]*opsSide
	from    netip.AddrPort // the client's address as the server sees it
	moved   int
}

// opsSide is one end with its application, and the datagrams it sent that the
// network still has.
type opsSide struct {
	side     wire.Side
	endpoint *engine.Endpoint
	conn     *engine.Conn
	ready    bool
	released bool
	streams  []*opsStream
	flying   [][]byte
	strays   []*engine.Conn
}

// opsStream is one end's view of a stream.
type opsStream struct {
	*engine.Stream
	written int
	closed  bool // FIN written
	reset   bool
	stopped bool
	read    int
	ended   error // what ended reading
}

// maxFlying is how many datagrams the network has room for; more are lost.
const maxFlying = 100

func newOps(program []byte) *ops {
	o := &ops{program: program, now: puppetStart, from: puppetAddr}
	cfg := engine.Config{
		MaxBidiStreams: 3, MaxUniStreams: 2, MaxDatagramSize: 1400,
		InitialStreamWindow: 5000, MaxStreamWindow: 40_000, InitialConnWindow: 9000, MaxConnWindow: 60_000,
	}.WithDefaults()
	for side := range o.sides {
		o.sides[side] = &opsSide{
			side:     wire.Side(side),
			endpoint: engine.NewEndpoint(engine.EndpointConfig{Seed: [32]byte{byte(side), 7}}),
		}
	}
	c, s := o.sides[wire.ClientSide], o.sides[wire.ServerSide]
	s.endpoint.SetServer(&engine.Server{Config: cfg, NewTLS: fakeServerTLS(3000)})
	c.conn, _ = c.endpoint.Dial(o.now, path.Addrs{Remote: serverAddr}, cfg, &sim.FakeTLS{Side: wire.ClientSide})
	return o
}

var serverAddr = netip.AddrPortFrom(endpointAddr, 443)

// decide takes a decision below n.
func (o *ops) decide(n int) int {
	if len(o.program) == 0 {
		return 0
	}
	b := o.program[0]
	o.program = o.program[1:]
	return int(b) % n
}

// run executes the program, then lets both finish over a perfect network, and
// returns what was not as it must be.
func (o *ops) run() error {
	if err := o.settle(); err != nil {
		return err
	}
	for steps := 0; len(o.program) > 0 && steps < 2000; steps++ {
		before := len(o.program)
		if err := o.step(); err != nil {
			return fmt.Errorf("step %d (%d bytes left): %w", steps, before, err)
		}
	}
	if err := o.finish(); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	return nil
}

// step does one thing and lets both sides react.
func (o *ops) step() error {
	s := o.sides[o.decide(2)]
	switch op := o.decide(12); op {
	case 0, 1, 2, 3:
		o.deliver(s, 0)
	case 4:
		o.advance(time.Duration(o.decide(256)) * time.Millisecond / 4)
	case 5:
		if d := o.nextDeadline(); !d.IsZero() {
			o.now = max(o.now, d)
		}
	case 6:
		o.disturb(s)
	default:
		if err := o.act(s, op); err != nil {
			return err
		}
	}
	return o.settle()
}

func (o *ops) advance(d time.Duration) { o.now = o.now.Add(d) }

func (o *ops) nextDeadline() (at monotime.Time) {
	for _, s := range o.sides {
		if s.conn != nil {
			at = monotime.Earliest(at, s.conn.Deadline())
		}
		for _, c := range s.strays {
			at = monotime.Earliest(at, c.Deadline())
		}
	}
	return at
}

// deliver hands datagram number i of s to the other side.
func (o *ops) deliver(s *opsSide, i int) {
	if i >= len(s.flying) {
		return
	}
	data := s.flying[i]
	s.flying = append(s.flying[:i], s.flying[i+1:]...)
	o.arrive(s, data)
}

func (o *ops) arrive(s *opsSide, data []byte) {
	to := o.sides[s.side.Peer()]
	path := path.Addrs{Local: endpointAddr, Remote: serverAddr}
	if s.side == wire.ClientSide {
		path.Remote = o.from
	}
	c := to.endpoint.HandleDatagram(o.now, engine.Datagram{Data: bytes.Clone(data), Path: path, ECN: ect0})
	if to.conn == nil {
		to.conn = c
	}
	if c != to.conn && c != nil {
		to.strays = append(to.strays, c) // an old first packet seems a new client
	}
}

// disturb is what networks do.
func (o *ops) disturb(s *opsSide) {
	if len(s.flying) == 0 {
		o.moved++
		o.from = churnAddr(o.moved)
		return
	}
	i := o.decide(len(s.flying))
	switch o.decide(5) {
	case 0:
		s.flying = append(s.flying[:i], s.flying[i+1:]...)
	case 1:
		o.arrive(s, s.flying[i])
	case 2:
		o.deliver(s, i)
	case 3:
		b := bytes.Clone(s.flying[i])
		b[o.decide(len(b))] ^= 1 << o.decide(8)
		o.arrive(s, b)
	case 4:
		s.flying = nil
	}
}

// act is what applications do.
func (o *ops) act(s *opsSide, op int) error {
	if s.conn == nil || !s.ready {
		return nil
	}
	if op == 7 {
		if st, err := s.conn.OpenStream(o.decide(2) == 1); err == nil {
			s.streams = append(s.streams, &opsStream{Stream: st})
		}
		return nil
	}
	if len(s.streams) == 0 {
		return nil
	}
	x := s.streams[o.decide(len(s.streams))]
	switch {
	case op == 8:
		return o.write(s, x, 40*(1+o.decide(200)))
	case op == 9:
		return o.read(s, x, 40*(1+o.decide(200)))
	case op == 10 && x.Sends() && !x.reset && !x.closed:
		x.closed = true
		if x.Send.CloseWrite() == nil {
			s.conn.StreamWritten(x.Stream)
		}
	case op == 11:
		switch o.decide(4) {
		case 0:
			if x.Sends() {
				x.reset = true
				s.conn.ResetStream(x.Stream, 1)
			}
		case 1:
			if x.Receives() {
				x.stopped = true
				s.conn.StopSending(o.now, x.Stream, 2)
			}
		default:
			_ = s.conn.UpdateKeys(o.now) // too soon, mostly
		}
	}
	return nil
}

// write continues a stream's text.
func (o *ops) write(s *opsSide, x *opsStream, n int) error {
	if !x.Sends() || x.closed {
		return nil
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = opsText(s.side, x.ID, x.written+i)
	}
	n, err := x.Send.Write(b)
	x.written += n
	s.conn.StreamWritten(x.Stream)
	if err != nil && !x.reset && s.conn.Closed() == nil && !errors.As(err, new(*engine.StreamError)) {
		return fmt.Errorf("%v writes to stream %d: %w", s.side, x.ID, err)
	}
	return nil
}

// opsText is the byte at an offset of what side sends on a stream.
func opsText(side wire.Side, id wire.StreamID, off int) byte {
	return byte(off) + byte(off>>8)*5 + byte(id)*31 + byte(side)*17
}

// read checks up to n bytes of a stream.
func (o *ops) read(s *opsSide, x *opsStream, n int) error {
	if !x.Receives() || x.ended != nil {
		return nil
	}
	b := make([]byte, n)
	n, err := x.Recv.Read(b)
	for i, c := range b[:n] {
		if want := opsText(s.side.Peer(), x.ID, x.read+i); c != want {
			return fmt.Errorf("%v: byte %d of stream %d is %#x, want %#x", s.side, x.read+i, x.ID, c, want)
		}
	}
	x.read += n
	x.ended = err
	if x.Recv.Consumed() {
		s.conn.StreamConsumed(o.now, x.Stream)
	}
	if err != nil && err != io.EOF && !x.stopped && s.conn.Closed() == nil && !errors.As(err, new(*engine.StreamError)) {
		return fmt.Errorf("%v reads from stream %d: %w", s.side, x.ID, err)
	}
	return nil
}
