package handshake

import (
	"crypto/tls"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// earlyPair is a server that accepts early data and a client that keeps its sessions.
type earlyPair struct {
	t              *testing.T
	server, client *tls.Config
	early          *Early
	params         wire.TransportParameters
	version        wire.Version
	srv            *Server
}

func newEarlyPair(t *testing.T) *earlyPair {
	p := &earlyPair{t: t, early: &Early{State: []byte("settings")}, params: wire.DefaultTransportParameters(), version: wire.Version1}
	p.server, p.client = testConfigs(t)
	p.server.SetSessionTicketKeys([][32]byte{{1}})
	p.client.ClientSessionCache = tls.NewLRUClientSessionCache(10)
	p.params.InitialMaxData = 1000
	p.begin()
	return p
}

// begin has the server begin, or begin anew.
func (p *earlyPair) begin() {
	var err error
	if p.srv, err = NewServer(p.server, p.early); err != nil {
		p.t.Fatal(err)
	}
}

// connect makes a connection. messages, if not nil, are given what the client says first.
func (p *earlyPair) connect(early bool) (c, s *end) {
	p.t.Helper()
	client, err := NewClient(p.client, "localhost", early)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(client.Close)
	c, s = newEnd(client), newEnd(p.srv.NewConn())
	p.t.Cleanup(s.conn.Close)
	s.version, s.params = p.version, wire.AppendTransportParameters(nil, &p.params)
	c.err = c.finish(client.Start(p.version, []byte("parameters of the client")))
	c.poll()
	for c.err == nil && s.err == nil && len(c.out)+len(s.out) > 0 {
		c.deliver(s, math.MaxInt)
		s.deliver(c, math.MaxInt)
	}
	if c.err != nil || s.err != nil || !c.done || !s.done {
		p.t.Fatalf("client: done %v, %v; server: done %v, %v", c.done, c.err, s.done, s.err)
	}
	return c, s
}

// want makes a connection and checks what becomes of early data.
func (p *earlyPair) want(name string, offered, accepted bool) {
	p.t.Helper()
	c, s := p.connect(true)
	key := secretKey{wire.ZeroRTTLevel, true}
	switch {
	case (c.secrets[key] != "") != offered:
		p.t.Errorf("%s: offered is %v, want %v", name, !offered, offered)
	case (s.secrets[key] != "") != accepted:
		p.t.Errorf("%s: accepted is %v, want %v", name, !accepted, accepted)
	case accepted && s.secrets[key] != c.secrets[key]:
		p.t.Errorf("%s: the secrets are different", name)
	case c.rejected != (offered && !accepted):
		p.t.Errorf("%s: rejected is %v", name, c.rejected)
	}
	if offered {
		got, err := wire.ParseTransportParameters(c.remembered, wire.ServerSide)
		if err != nil || got.InitialMaxData == 0 {
			p.t.Errorf("%s: remembered %+v, %v", name, got, err)
		}
	}
}

func TestEarlyData(t *testing.T) {
	for _, v := range []wire.Version{wire.Version1, wire.Version2} {
		p := newEarlyPair(t)
		p.version = v
		p.want("the first connection", false, false)
		p.want("the second", true, true)
		p.want("the third", true, true) // with the second's ticket
		p.params.InitialMaxData = 2000
		p.want("a higher limit", true, true)
		p.params.InitialMaxData = 1999
		p.want("a lower limit", true, false)
		p.want("after that", true, true)
		p.early.State = []byte("other settings")
		p.begin()
		p.want("another state, and a guard that is new", true, false)
		p.want("after that", true, true)
		p.connect(false)
		p.want("a ticket that nobody asked to remember", false, false)
		p.want("after that", true, true)
		p.early = nil
		p.begin()
		p.want("a server that accepts none", true, false)
		p.want("after that", false, false)
	}
}

// A ticket that another version made is not resumed, and permits nothing.
func TestEarlyDataOfAnotherVersion(t *testing.T) {
	p := newEarlyPair(t)
	p.connect(true)
	p.version = wire.Version2
	p.want("version 2", false, false)
	p.version = wire.Version1
	p.want("version 1", true, true)
}

// A session is used once for early data, and a ticket accepted once.
func TestEarlyDataOnce(t *testing.T) {
	p := newEarlyPair(t)
	p.connect(true)
	session, ok := p.client.ClientSessionCache.Get("localhost")
	if !ok {
		t.Fatal("no session is kept")
	}
	p.want("first", true, true)
	p.client.ClientSessionCache.Put("localhost", session)
	p.want("again", true, false)
	p.client.ClientSessionCache.Put("localhost", session)
	c, _ := p.connect(false)
	if !c.conn.ConnectionState().DidResume {
		t.Error("the session is good for nothing else")
	}
}

// With a choice of protocols no early data is sent: a server that rejects it may choose
// another, for which it was not meant (RFC 9001, Section 4.6.2). With one, that is known.
func TestEarlyDataProtocols(t *testing.T) {
	p := newEarlyPair(t)
	p.connect(true)
	p.client.NextProtos = []string{"h3", "perf"}
	session, _ := p.client.ClientSessionCache.Get("localhost")
	p.want("two protocols", false, false)
	p.client.ClientSessionCache.Put("localhost", session)
	p.client.NextProtos = []string{"perf"}
	p.want("another than the session's", false, false)
	p.want("the session's", true, true)
	c, s := p.connect(true)
	for _, e := range []*end{c, s} {
		if got := e.conn.early.state.First.NegotiatedProtocol; got != "perf" {
			t.Errorf("server: %v: the protocol is %q when early data begins", e.server, got)
		}
	}
}

// Servers that share keys, and no guard, accept what they have made themselves: a ticket of
// another may have been used there, whichever of them began first.
func TestEarlyDataOfAnotherServer(t *testing.T) {
	p := newEarlyPair(t)
	one := p.srv
	p.begin()
	two := p.srv
	for _, made := range []*Server{one, two} {
		for _, used := range []*Server{one, two} {
			p.srv = made
			p.connect(true)
			p.srv = used
			p.want("a ticket", true, made == used)
		}
	}
}

// A ticket that is too old is refused before the guard is asked.
func TestEarlyDataAge(t *testing.T) {
	p := newEarlyPair(t)
	p.early.Guard = sureGuard{}
	now := time.Now()
	p.server.Time = func() time.Time { return now }
	p.begin()
	p.connect(true)
	now = now.Add(earlyLifetime - time.Minute)
	p.want("almost too old", true, true)
	now = now.Add(earlyLifetime)
	p.want("too old", true, false)
}

// sureGuard has seen nothing.
type sureGuard struct{}

func (sureGuard) FirstUse(TicketID, time.Time, time.Time) bool { return true }

// A guard that is full forgets the tickets made first, and refuses all that are as old.
func TestMemoryGuardFull(t *testing.T) {
	start := time.UnixMilli(1_000_000)
	g := NewMemoryGuard()
	id := func(i int) (id TicketID) {
		copy(id[:], g.own[:])
		binary.BigEndian.PutUint64(id[len(g.own):], uint64(i))
		return id
	}
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }
	for i := range MaxReplayTickets {
		if !g.FirstUse(id(i), at(i), time.Time{}) || g.FirstUse(id(i), at(i), time.Time{}) {
			t.Fatalf("ticket %d", i)
		}
	}
	if !g.FirstUse(id(-1), at(MaxReplayTickets), time.Time{}) {
		t.Error("a new ticket is refused")
	}
	for _, i := range []int{0, 1, MaxReplayTickets - 1} {
		if g.FirstUse(id(i), at(i), time.Time{}) {
			t.Errorf("ticket %d is accepted twice", i)
		}
	}
	if g.FirstUse(id(-2), at(0), time.Time{}) {
		t.Error("a ticket is accepted that may have been forgotten")
	}
	if len(g.used) != MaxReplayTickets || len(g.byAge) != MaxReplayTickets {
		t.Errorf("holds %d and %d", len(g.used), len(g.byAge))
	}
}

// What a ticket says, whatever it is, is read or refused.
func FuzzEarlyTicket(f *testing.F) {
	t := earlyTicket{id: TicketID{1}, issued: time.UnixMilli(5), params: wire.DefaultTransportParameters(), state: []byte("state")}
	f.Add(t.encode())
	f.Add([]byte(ticketEarly))
	f.Fuzz(func(t *testing.T, b []byte) {
		ticket, ok := decodeEarlyTicket([][]byte{nil, b})
		if !ok {
			return
		}
		again, ok := decodeEarlyTicket([][]byte{ticket.encode()})
		if !ok || again.id != ticket.id || !again.issued.Equal(ticket.issued) || string(again.state) != string(ticket.state) {
			t.Fatalf("%+v was read again as %+v", ticket, again)
		}
	})
}
