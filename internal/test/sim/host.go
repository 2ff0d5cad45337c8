package sim

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// host is an endpoint with one connection and the application on it.
type host struct {
	run      *Run
	side     wire.Side
	addr     netip.AddrPort
	config   *engine.Config
	endpoint *engine.Endpoint
	conn     *engine.Conn
	app      *app
	own      App // instead of app's work, nil for none
	mover    mover
	strays   strays
	dialled  bool
	gone     bool // the connection was released
	closed   error
	buf      []byte
	tlsDone  monotime.Time // when a step of the handshake that is pending will be done, zero for none

	validated bool // the client proved its address, as far as packets show
	received  int  // bytes from the client until then
	sent      int
}

// defaultStreams is how many streams of a kind a simulated peer may open.
const defaultStreams = 100

func newHost(r *Run, side wire.Side, addr netip.AddrPort, cfg *engine.Config, source *rand.Rand) *host {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(source.Uint32())
	}
	if cfg == nil {
		cfg = &engine.Config{}
	}
	c := *cfg
	if c.MaxBidiStreams == 0 {
		c.MaxBidiStreams, c.MaxUniStreams = defaultStreams, defaultStreams
	}
	if r.Trace != nil {
		c.NewTracer = func(quictrace.Info) quictrace.Tracer { return &trace{run: r, side: side} }
	}
	c.EarlyData = c.EarlyData || r.Early != NoEarlyData
	c.KeepToken = func(_ wire.Version, token []byte) { r.Tokens = append(r.Tokens, bytes.Clone(token)) }
	h := &host{run: r, side: side, addr: addr, config: c.WithDefaults(), buf: make([]byte, 64<<10)}
	h.endpoint = engine.NewEndpoint(engine.EndpointConfig{Seed: seed, ResetKeys: [][32]byte{seed}, TokenSecrets: [][32]byte{seed}, WallTime: r.wallTime})
	h.app = newApp(h, rand.New(rand.NewPCG(source.Uint64(), 1)))
	if r.NewApp != nil {
		h.own = r.NewApp(side)
	}
	if side == wire.ServerSide {
		h.endpoint.SetServer(&engine.Server{
			Config:       h.config,
			NewTLS:       func() engine.TLS { return r.NewTLS(side) },
			RequireRetry: r.RequireRetry,
		})
	}
	return h
}

func (h *host) dial() {
	h.dialled = true
	h.conn, _ = h.endpoint.Dial(h.run.now, path.Addrs{Remote: serverAddr}, h.config, h.run.NewTLS(h.side))
	h.conn.SetToken(h.config.OriginalVersion, h.run.Token)
}

// wallTime is what the server dates tokens by.
func (r *Run) wallTime(now monotime.Time) time.Time { return time.Unix(0, int64(now)).Add(r.Later) }

// receive takes a packet from the network.
func (h *host) receive(now monotime.Time, p Packet) {
	h.noteReceived(p.Data)
	d := engine.Datagram{Data: p.Data, Path: path.Addrs{Local: p.To.Addr(), Remote: p.From}, ECN: p.ECN}
	if h.side == wire.ClientSide {
		d.Path.Socket = socketAt(p.To)
	}
	c := h.endpoint.HandleDatagram(now, d)
	if h.conn == nil {
		h.conn = c
	}
	if c != h.conn {
		h.strays.note(c)
	}
}

// work fires what is due, lets the application act and sends.
func (h *host) work(now monotime.Time) error {
	for t, ok := h.endpoint.PollTransmit(h.buf); ok; t, ok = h.endpoint.PollTransmit(h.buf) {
		if err := h.transmit(t); err != nil {
			return err
		}
	}
	if err := h.strays.work(h, now); err != nil {
		return err
	}
	if h.conn == nil || h.gone {
		return nil
	}
	if d := h.conn.Deadline(); !d.IsZero() && !d.After(now) {
		h.conn.HandleDeadline(now)
	}
	h.shake(now)
	if err := h.pollEvents(now); err != nil {
		return err
	}
	if err := cmp.Or(h.act(now), h.mover.act(now, h)); err != nil {
		return err
	}
	for {
		t, ok := h.conn.PollTransmit(now, h.buf, 1+h.app.rand.IntN(64))
		if !ok {
			break
		}
		if h.gone {
			return fmt.Errorf("sends after it was released")
		}
		if err := h.transmit(t); err != nil {
			return err
		}
	}
	if err := h.pollEvents(now); err != nil {
		return err
	}
	if d := h.conn.Deadline(); !d.IsZero() && !d.After(now) && !h.gone {
		return fmt.Errorf("deadline %v is not after now, %v", d.Sub(start), now.Sub(start))
	}
	return nil
}

// act lets the application act.
func (h *host) act(now monotime.Time) error {
	if h.own == nil {
		return h.app.act(now)
	}
	if h.closed != nil {
		return nil
	}
	return h.own.Act(now, h.conn)
}

// shake does what is pending of the handshake when its time has come.
func (h *host) shake(now monotime.Time) {
	tls, ok := h.conn.TLS().(*FakeTLS)
	switch {
	case !ok || !tls.Pending() || tls.Closed():
		h.tlsDone = 0
	case h.tlsDone.IsZero():
		h.tlsDone = now.Add(h.run.SlowTLS)
	case !h.tlsDone.After(now):
		h.tlsDone = 0
		tls.Work()
		h.conn.HandleHandshake(now)
		h.shake(now)
	}
}

func (h *host) pollEvents(now monotime.Time) error {
	var events [3]engine.Event
	for {
		n := h.conn.PollEvents(events[:])
		if n == 0 {
			return nil
		}
		for _, e := range events[:n] {
			if h.gone || h.closed != nil && e.Kind != engine.EventReleased && e.Stream == nil {
				return fmt.Errorf("event %d after the connection's end", e.Kind)
			}
			switch e.Kind {
			case engine.EventClosed:
				h.closed = e.Err
				if h.own != nil {
					h.own.Handle(now, h.conn, e)
				}
			case engine.EventReleased:
				h.gone = true
			default:
				if h.own != nil {
					h.own.Handle(now, h.conn, e)
				} else if err := h.app.handle(now, e); err != nil {
					return err
				}
			}
		}
	}
}

// transmit cuts a train into packets and sends them.
func (h *host) transmit(t engine.Transmit) error {
	dir := ToServer
	if h.side == wire.ServerSide {
		dir = ToClient
	}
	if t.Segment <= 0 || len(t.Data) == 0 {
		return fmt.Errorf("empty train")
	}
	if h.run.Watch != nil && h.conn != nil {
		if err := h.run.Watch(h.side, h.conn, t); err != nil {
			return err
		}
	}
	for data := t.Data; len(data) > 0; {
		n := min(t.Segment, len(data))
		p := Packet{Data: append([]byte(nil), data[:n]...), From: h.from(&t.Path), To: t.Path.Remote, ECN: t.ECN}
		data = data[n:]
		if err := cmp.Or(h.noteSent(n), h.mover.check(h, t.Path, p.Data)); err != nil {
			return err
		}
		h.run.send(dir, p)
	}
	return nil
}

// from returns the address by which a datagram leaves.
func (h *host) from(a *path.Addrs) netip.AddrPort {
	switch {
	case h.side == wire.ClientSide:
		return clientAt(a.Socket)
	case a.Local == preferredAddr.Addr():
		return preferredAddr
	}
	return h.addr
}

// noteReceived watches for the proof of the client's address: a Handshake
// packet, or an Initial packet with a token (RFC 9000, Section 8.1).
func (h *host) noteReceived(b []byte) {
	if h.validated || h.side == wire.ClientSide {
		return
	}
	h.received += len(b)
	for len(b) > 0 {
		hdr, ok := wire.ParseLongHeader(b)
		if !ok {
			return
		}
		if hdr.Type == wire.HandshakePacket || len(hdr.Token) > 0 {
			h.validated = true
		}
		b = b[hdr.PacketLen:]
	}
}

func (h *host) noteSent(n int) error {
	h.sent += n
	if h.side == wire.ServerSide && !h.validated && h.sent > 3*h.received {
		return fmt.Errorf("sent %d bytes to an address that sent only %d and is not validated", h.sent, h.received)
	}
	return nil
}

func (h *host) deadline() monotime.Time {
	at := h.strays.deadline()
	if h.conn == nil || h.gone {
		return at
	}
	if h.own != nil && h.closed == nil {
		at = monotime.Earliest(at, h.own.Deadline())
	}
	at = monotime.Earliest(at, h.mover.deadline(h))
	return monotime.Earliest(monotime.Earliest(at, h.tlsDone), h.conn.Deadline())
}

func (h *host) released() bool { return h.gone && h.endpoint.Conns() == 0 }

func (h *host) describe() string {
	if h.conn == nil {
		return "has no connection"
	}
	s := h.conn.Stats()
	return fmt.Sprintf("closed %v, released %v, %s, window %d, in flight %d, sent %d packets, lost %d, probe timeouts %d",
		h.closed, h.gone, h.app.describe(), s.CongestionWindow, s.BytesInFlight, s.SentPackets, s.LostPackets, s.ProbeTimeouts)
}
