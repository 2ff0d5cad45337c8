package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// ground is what echoes come back on: a connection of QUIC's, or with -proto webtransport a
// session of WebTransport on one. It lives on its loop. A session is no more than what a
// server cannot do without, so that the client costs less than what it measures.
type ground struct {
	conn    *quic.Conn
	traffic *traffic
	user    user

	session  bool
	connect  event.Stream
	response []byte // of the server to the request for the session, as far as it has come
	begun    bool
	prefixes struct{ stream, datagram []byte } // of all of the session's
}

// user is who sends on a ground.
type user interface {
	// begin is called when there is something to send on.
	begin(t event.Turn)
	// available is called when more streams may be opened.
	available(t event.Turn)
	// datagrams takes those that have come.
	datagrams(list [][]byte)
}

// dialGround makes opts.conns connections, each with a user of its own, on one loop.
func dialGround(ctx context.Context, opts *options, tr *traffic, newUser func(*ground) user) error {
	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, opts.patience)
	defer cancel()
	conf := &quic.Config{
		EnableDatagrams: true, MaxIdleTimeout: idleTimeout,
		InitialStreamWindow: flowWindow, MaxStreamWindow: flowWindow, InitialConnWindow: flowWindow, MaxConnWindow: flowWindow,
	}
	tlsConf := opts.tlsConfig()
	if opts.proto == webTransport {
		tlsConf.NextProtos = []string{h3.NextProto}
	}
	for range opts.conns {
		qc, err := event.DialOn(ctx, transport, opts.addr, tlsConf, conf, func(t event.Turn) event.Handler {
			g := &ground{conn: t.Conn(), traffic: tr, session: opts.proto == webTransport}
			g.user = newUser(g)
			return g
		})
		if err != nil {
			return err
		}
		event.Run(qc, event.HandlerOf(qc).(*ground).begin)
	}
	return nil
}

// webTransport is the -proto of sessions.
const webTransport = "webtransport"

// sessionID is that of the first request's stream.
const sessionID = 0

// begin asks for the session, if there is to be one.
func (g *ground) begin(t event.Turn) {
	if !g.session {
		g.begun = true
		g.user.begin(t)
		return
	}
	g.prefixes.stream = wire.AppendVarint(wire.AppendVarint(nil, uint64(wt.SignalBidi)), sessionID)
	g.prefixes.datagram = h3.AppendQuarterID(nil, sessionID)
	control, err := t.Open(true, nil)
	if err == nil {
		_, err = t.Write(control, sessionSettings())
	}
	if err == nil {
		g.connect, err = t.Open(false, (*connectStream)(g))
	}
	if err == nil {
		_, err = t.Write(g.connect, sessionRequest())
	}
	if err != nil {
		g.traffic.fail(err)
	}
}

// sessionSettings returns the control stream's beginning: draft 2 has no flow control of
// sessions.
func sessionSettings() []byte {
	var settings []byte
	for _, s := range []h3.Setting{{ID: h3.SettingDatagram, Value: 1}, {ID: wt.SettingDraft02, Value: 1}} {
		settings = wire.AppendVarint(wire.AppendVarint(settings, uint64(s.ID)), s.Value)
	}
	b := wire.AppendVarint(nil, uint64(h3.StreamControl))
	return append(h3.AppendFrameHeader(b, h3.FrameSettings, uint64(len(settings))), settings...)
}

func sessionRequest() []byte {
	section := qpack.AppendFieldSection(nil, []qpack.Field{
		{Name: ":method", Value: "CONNECT"}, {Name: ":protocol", Value: wt.TokenOld}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "localhost"}, {Name: ":path", Value: "/"}, {Name: wt.FieldDraft02Offer, Value: wt.OfferDraft02},
	})
	return append(h3.AppendFrameHeader(nil, h3.FrameHeaders, uint64(len(section))), section...)
}

// connectStream is the stream of the request for the session.
type connectStream ground

// HandleReadable implements event.StreamHandler. It begins when the response has come, of
// which it reads the status alone, the first field.
func (c *connectStream) HandleReadable(t event.Turn, s event.Stream) {
	var buf [512]byte
	for {
		n, err := t.Read(s, buf[:])
		switch {
		case err != nil:
			c.traffic.fail(errors.New("the session has ended"))
			return
		case n == 0:
			return
		}
		if c.begun {
			continue
		}
		c.response = append(c.response, buf[:n]...)
		switch status := statusOf(c.response); {
		case status == status200:
			c.begun = true
			c.user.begin(t)
		case status != 0:
			c.traffic.fail(fmt.Errorf("the session was refused: %x", c.response))
			return
		}
	}
}

// status200 is an entry of the static table (RFC 9204, Appendix A).
const status200 = 0xc0 | 25

// statusOf returns the first byte behind a HEADERS frame's type and length and the
// section's prefix of two bytes, 0 if there is none yet.
func statusOf(response []byte) byte {
	rest := response
	for range 2 {
		_, n := wire.ConsumeVarint(rest)
		if n == 0 {
			return 0
		}
		rest = rest[n:]
	}
	if len(rest) < 3 {
		return 0
	}
	return rest[2]
}

// HandleWritable and HandleEnd implement event.StreamHandler.
func (c *connectStream) HandleWritable(event.Turn, event.Stream)       {}
func (c *connectStream) HandleEnd(event.Turn, event.Stream, event.End) {}

// HandleStream implements event.Handler: what the server opens is not read.
func (g *ground) HandleStream(event.Turn, event.Stream) event.StreamHandler {
	return (*unread)(nil)
}

// unread is a stream of which nothing is wanted.
type unread struct{}

func (*unread) HandleReadable(t event.Turn, s event.Stream) {
	var buf [512]byte
	for n, err := t.Read(s, buf[:]); n > 0 && err == nil; n, err = t.Read(s, buf[:]) {
	}
}
func (*unread) HandleWritable(event.Turn, event.Stream)       {}
func (*unread) HandleEnd(event.Turn, event.Stream, event.End) {}

// HandleStreamsAvailable implements event.Handler.
func (g *ground) HandleStreamsAvailable(t event.Turn) {
	if g.begun {
		g.user.available(t)
	}
}

// HandleDatagrams implements event.DatagramHandler.
func (g *ground) HandleDatagrams(_ event.Turn, list [][]byte) {
	for i := range list {
		list[i] = list[i][min(len(g.prefixes.datagram), len(list[i])):]
	}
	g.user.datagrams(list)
}

// HandleTurn implements event.TurnHandler: no goroutine has anything to do.
func (g *ground) HandleTurn(event.Turn) (woke bool) { return false }

// HandleClose implements event.Handler.
func (g *ground) HandleClose(_ event.Turn, err error) { g.traffic.fail(err) }
