package h3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/test/simh3"
	"github.com/godwit-quic/godwit/internal/wire"
)

// rounds is how often a client does each of its things.
const rounds = 8

// TestSimulated has a client fetch pages with an early hint and trailers, upload files
// with trailers, and hold tunnels with content and datagrams, over networks that lose
// and reorder, and a server that says good-bye in the end. Header sections refer to
// dynamic tables both ways, and wait for them where packets are lost.
func TestSimulated(t *testing.T) {
	blocked, datagrams := 0, 0
	for seed := range uint64(30) {
		server, client := newSimServer(), newSimClient()
		run := sim.Run{
			Seed: seed,
			Nodes: []sim.Node{
				&sim.Delay{RTT: 30 * time.Millisecond, Jitter: 2 * time.Millisecond},
				&sim.Drop{Rate: 0.05}, &sim.Duplicate{Rate: 0.02}, &sim.Reorder{Rate: 0.05, Hold: 20 * time.Millisecond},
			},
			Client: &engine.Config{MaxBidiStreams: 100, MaxUniStreams: 10, Datagrams: true}, Server: &engine.Config{MaxBidiStreams: 100, MaxUniStreams: 10, Datagrams: true},
			NewApp: func(side wire.Side) sim.App {
				settings := h3.Settings{QPACKMaxTableCapacity: 4096, QPACKBlockedStreams: 100, Datagrams: true}
				if side == wire.ClientSide {
					return simh3.New(h3.Config{Side: side, Settings: settings}, client)
				}
				settings.ExtendedConnect = true
				return simh3.New(h3.Config{Side: side, Settings: settings, HeaderTimeout: 10 * time.Second, LoopSection: 2 << 10}, server)
			},
		}
		if err := run.Do(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		blocked += server.blocked + client.blocked
		datagrams += client.datagrams
	}
	if datagrams == 0 {
		t.Error("no datagram came back")
	}
	if blocked == 0 {
		t.Error("no header section had to wait for insertions")
	}
}

// exchange is a request of either side's.
type exchange struct {
	h3.RequestStream
	kind string
	echo bool // what is read is sent back

	status  int
	hints   int
	content bytes.Buffer
	toSend  []byte
	sent    int
	trailer []qpack.Field
	fin     bool // toSend ends with the message
	done    bool // the sending half has ended
	read    bool // the receiving half has ended
	failed  error

	datagrams int
}

// send sends what there is room for.
func (x *exchange) send() {
	for !x.done && x.sent < len(x.toSend) {
		n, err := x.Write(x.toSend[x.sent:], false)
		if err != nil || n == 0 {
			return
		}
		x.sent += n
	}
	if x.fin && !x.done && x.sent == len(x.toSend) {
		x.done = true
		_ = x.SendTrailers(x.trailer)
	}
}

// receive reads what has come.
func (x *exchange) receive() {
	var b [3000]byte
	for {
		n, err := x.Read(b[:])
		x.content.Write(b[:n])
		if x.echo && n > 0 {
			_ = x.Send(b[:n])
		}
		switch {
		case err != nil:
			if x.read = true; err != io.EOF {
				x.failed = err
			}
			return
		case n == 0:
			return
		}
	}
}

// simUser is what both sides have in common.
type simUser struct {
	host      *simh3.Host
	settings  bool
	goAways   []uint64
	left      bool
	exchanges []*exchange
	blocked   int
	failed    error
}

func (u *simUser) Begin(h *simh3.Host)                       { u.host = h }
func (u *simUser) HandleSettings(monotime.Time)              { u.settings = true }
func (u *simUser) HandleGoAway(_ monotime.Time, id uint64)   { u.goAways = append(u.goAways, id) }
func (u *simUser) HandleLeft(monotime.Time)                  { u.left = true }
func (u *simUser) HandlePriority(uint64, h3.Priority) bool   { return true }
func (u *simUser) HandleStrayDatagrams(uint64) bool          { return false }
func (u *simUser) HandleUnblocked(*h3.RequestStream)         {}
func (u *simUser) NewRequest(h3.Stream) *h3.RequestStream    { panic("no server") }
func (u *simUser) Admit(rs *h3.RequestStream) h3.Admission   { return h3.Admit }
func (u *simUser) HandleFailed(_ *h3.RequestStream, e error) { u.failed = errors.Join(u.failed, e) }

func (u *simUser) HandleExtensionStream(monotime.Time, uint64, uint64, h3.Stream) {}

func (u *simUser) HandleRequest(monotime.Time, *h3.RequestStream, *h3.RequestHeader) {}

func (u *simUser) HandleInterim(_ monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) error {
	rs.App.(*exchange).hints++
	return nil
}

func (u *simUser) HandleResponse(_ monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) {
	x := rs.App.(*exchange)
	x.status = h.Status
	if !rs.Reusable() {
		u.blocked++
	}
	x.receive()
}

func (u *simUser) HandleContent(_ monotime.Time, rs *h3.RequestStream) { rs.App.(*exchange).receive() }

func (u *simUser) HandleWritable(_ monotime.Time, rs *h3.RequestStream) { rs.App.(*exchange).send() }

func (u *simUser) HandleLargeSection(_ *h3.RequestStream, s *h3.LargeSection) {
	s.DecodeRequest()
	u.host.Conn.HandleDecoded(1, s)
}

func (u *simUser) HandleHTTPDatagrams(_ monotime.Time, rs *h3.RequestStream, list [][]byte) {
	x := rs.App.(*exchange)
	x.datagrams += len(list)
	for _, p := range list {
		if x.echo {
			_ = rs.SendDatagram(p)
		}
	}
}

// simServer answers.
type simServer struct{ simUser }

func newSimServer() *simServer { return &simServer{} }

func (s *simServer) NewRequest(h3.Stream) *h3.RequestStream {
	x := new(exchange)
	x.App = x
	s.exchanges = append(s.exchanges, x)
	return &x.RequestStream
}

func (s *simServer) HandleRequest(now monotime.Time, rs *h3.RequestStream, h *h3.RequestHeader) {
	x := rs.App.(*exchange)
	x.kind = h.Path
	if !rs.Reusable() {
		s.blocked++
	}
	fields := []qpack.Field{{Name: ":status", Value: "200"}, {Name: "server", Value: "simulated"}, {Name: "x-seen", Value: fmt.Sprint(len(s.exchanges) / 4)}}
	switch h.Path {
	case "/page":
		_ = rs.SendHeaders([]qpack.Field{{Name: ":status", Value: "103"}, {Name: "link", Value: "</style.css>"}}, false)
		x.toSend, x.fin, x.trailer = bytes.Repeat([]byte("page"), 20_000), true, []qpack.Field{{Name: "x-sum", Value: "80000"}}
		_ = rs.SendHeaders(fields, false)
	case "/tunnel":
		x.echo = true
		rs.TakeDatagrams()
		_ = rs.SendHeaders(fields, false)
	}
	x.receive()
	x.send()
}

// Act answers uploads that are complete, ends tunnels that the client has ended, and
// says good-bye when everything was answered.
func (s *simServer) Act(now monotime.Time, h *simh3.Host) error {
	over := 0
	for _, x := range s.exchanges {
		switch {
		case x.done:
			over++
		case x.read && x.kind == "/upload":
			x.done = true
			size := strconv.Itoa(x.content.Len()) + "," + fmt.Sprint(x.Trailers())
			_ = x.SendHeaders([]qpack.Field{{Name: ":status", Value: "201"}, {Name: "x-size", Value: size}}, true)
		case x.read && x.kind == "/tunnel":
			x.done = true
			x.SendLast(nil)
			x.DropDatagrams()
		}
	}
	if over == 3*rounds {
		h.Conn.Leave(now, 60*time.Millisecond)
	}
	if s.left && h.QUIC.Incoming() == 0 && h.QUIC.Closed() == nil {
		h.Close(h3.NoError)
	}
	return nil
}

func (s *simServer) Check(_ *simh3.Host, closed error) error {
	if s.failed != nil || !s.left {
		return fmt.Errorf("failed %v, left %v, closed %v", s.failed, s.left, closed)
	}
	for _, x := range s.exchanges {
		if x.failed != nil {
			return fmt.Errorf("%s: %w", x.kind, x.failed)
		}
	}
	return nil
}

// simClient asks.
type simClient struct {
	simUser
	datagrams int // that came back
}

func newSimClient() *simClient { return &simClient{} }

// upload is what is uploaded.
var upload = bytes.Repeat([]byte("upload"), 10_000)

func (c *simClient) Act(now monotime.Time, h *simh3.Host) error {
	for c.settings && len(c.exchanges) < 3*rounds {
		id, s := h.Open(false)
		if s == nil {
			break
		}
		c.ask(id, s, len(c.exchanges))
	}
	for _, x := range c.exchanges {
		if x.kind == "/tunnel" && x.content.Len() == 9000 && !x.done {
			x.done = true
			x.SendLast(nil)
		}
	}
	return nil
}

func (c *simClient) ask(id uint64, s h3.Stream, n int) {
	x := &exchange{kind: []string{"/page", "/upload", "/tunnel"}[n%3]}
	x.App = x
	c.exchanges = append(c.exchanges, x)
	fields := []qpack.Field{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "godwit.example"},
		{Name: ":path", Value: x.kind}, {Name: "user-agent", Value: "simulated"}, {Name: "x-round", Value: strconv.Itoa(n / 3)},
		{Name: "cookie", Value: string(bytes.Repeat([]byte("c"), 100*(n%40)))},
	}
	switch x.kind {
	case "/page":
		c.host.Conn.BeginRequest(&x.RequestStream, id, s, "GET", false)
		_ = x.SendHeaders(fields, true)
	case "/upload":
		fields[0].Value = "PUT"
		fields = append(fields, qpack.Field{Name: "content-length", Value: strconv.Itoa(len(upload))})
		c.host.Conn.BeginRequest(&x.RequestStream, id, s, "PUT", false)
		x.toSend, x.fin, x.trailer = upload, true, []qpack.Field{{Name: "x-sum", Value: "60000"}, {Name: "x-round", Value: strconv.Itoa(n / 3)}}
		_ = x.SendHeaders(fields, false)
		x.send()
	case "/tunnel":
		fields[0].Value = "CONNECT"
		fields = append(fields[:4:4], append([]qpack.Field{{Name: ":protocol", Value: "echo"}}, fields[4:]...)...)
		c.host.Conn.BeginRequest(&x.RequestStream, id, s, "CONNECT", true)
		x.TakeDatagrams()
		_ = x.SendHeaders(fields, false)
		_ = x.SendDatagram([]byte("early, perhaps"))
		_ = x.Send(bytes.Repeat([]byte("tunnel"), 1500))
	}
}

func (c *simClient) Check(_ *simh3.Host, closed error) error {
	var app *engine.ApplicationError
	if errors.As(closed, &app) && h3.ErrorCode(app.Code) != h3.NoError {
		return closed
	}
	if c.failed != nil || len(c.goAways) == 0 {
		return fmt.Errorf("failed %v, GOAWAY %v, closed %v", c.failed, c.goAways, closed)
	}
	datagrams := 0
	for i, x := range c.exchanges {
		var want string
		switch x.kind {
		case "/page":
			want = "200 103:1 80000 [{x-sum 80000}]"
		case "/upload":
			want = "201 103:0 0 []"
		case "/tunnel":
			want = "200 103:0 9000 []"
		}
		got := fmt.Sprintf("%d 103:%d %d %v", x.status, x.hints, x.content.Len(), x.Trailers())
		if got != want || !x.read || x.failed != nil {
			return fmt.Errorf("exchange %d %s: %s, read %v, %v; want %s", i, x.kind, got, x.read, x.failed, want)
		}
		datagrams += x.datagrams
	}
	c.datagrams = datagrams
	return nil
}
