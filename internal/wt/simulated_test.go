package wt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/test/simh3"
	"github.com/godwit-quic/godwit/internal/test/simwt"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
)

// TestSimulated has a client fetch a page, upload a file and hold a WebTransport session
// at the same time, over networks that lose, duplicate and reorder, in every draft:
// engine, HTTP/3 and WebTransport with no goroutine, socket or clock.
func TestSimulated(t *testing.T) {
	const seeds = uint64(12)
	for _, d := range wt.Drafts {
		t.Run(fmt.Sprintf("draft%02d", d), func(t *testing.T) {
			datagrams := 0
			for seed := range seeds {
				client, server, err := simulate(seed, d)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				datagrams += len(client.session.Datagrams) + len(server.session.Datagrams)
			}
			if datagrams == 0 {
				t.Error("no datagram has arrived")
			}
		})
	}
}

func simulate(seed uint64, d wt.Draft) (client, server *simEnd, err error) {
	conf := wt.Config{Drafts: []wt.Draft{d}, MaxStreams: 3, MaxData: 5000, MaxSessions: 2}.WithDefaults()
	ends := [2]*simEnd{newSimEnd(wire.ClientSide, conf), newSimEnd(wire.ServerSide, conf)}
	ends[0].peer, ends[1].peer = ends[1], ends[0]
	quic := engine.Config{MaxBidiStreams: 20, MaxUniStreams: 20, Datagrams: true}
	run := sim.Run{
		Seed: seed,
		Nodes: []sim.Node{
			&sim.Delay{RTT: 30 * time.Millisecond, Jitter: 2 * time.Millisecond},
			&sim.Drop{Rate: 0.05}, &sim.Duplicate{Rate: 0.02}, &sim.Reorder{Rate: 0.05, Hold: 20 * time.Millisecond},
		},
		Client: &quic, Server: &quic,
		NewApp: func(side wire.Side) sim.App {
			settings := h3.Settings{QPACKMaxTableCapacity: 4096, QPACKBlockedStreams: 100, Datagrams: true, ExtendedConnect: side == wire.ServerSide}
			return simh3.New(h3.Config{Side: side, Settings: settings}, ends[side])
		},
	}
	return ends[0], ends[1], run.Do()
}

// What is fetched and uploaded.
var (
	page   = bytes.Repeat([]byte("page"), 20_000)
	upload = bytes.Repeat([]byte("upload"), 10_000)
)

// simRequest is a request of either side's.
type simRequest struct {
	h3.RequestStream
	path    string
	token   string         // of a request for a session that waits for SETTINGS
	session *simwt.Session // of a CONNECT request
	status  int
	content bytes.Buffer
	toSend  []byte
	sent    int
	over    [2]bool // receiving, sending
}

// simEnd is one end: the application and what carries its words between the machines.
type simEnd struct {
	side     wire.Side
	peer     *simEnd
	conf     *wt.Config
	host     *simh3.Host
	sessions simwt.Sessions
	settled  bool
	asked    bool
	requests []*simRequest
	session  *simwt.Session
	ended    error
	work     simWork
	failed   error
}

func newSimEnd(side wire.Side, conf *wt.Config) *simEnd {
	e := &simEnd{side: side, conf: conf}
	e.work.end = e
	return e
}

func (e *simEnd) Begin(h *simh3.Host) {
	e.host = h
	e.sessions.Begin(h, e.conf, e)
}

func (e *simEnd) failf(format string, args ...any) {
	e.failed = errors.Join(e.failed, fmt.Errorf(format, args...))
}

func (e *simEnd) HandleSettings(now monotime.Time) { e.sessions.HandleSettings(now) }

func (e *simEnd) HandleGoAway(now monotime.Time, _ uint64) {
	e.sessions.Machine.HandleGoAway()
	e.sessions.Run(now)
}

func (e *simEnd) HandleExtensionStream(now monotime.Time, id, _ uint64, s h3.Stream) {
	e.sessions.HandleStream(now, id, s)
}

func (e *simEnd) NewRequest(h3.Stream) *h3.RequestStream {
	x := new(simRequest)
	x.App = x
	return &x.RequestStream
}

func (e *simEnd) HandleRequest(now monotime.Time, rs *h3.RequestStream, h *h3.RequestHeader) {
	x := rs.App.(*simRequest)
	x.path = h.Path
	e.requests = append(e.requests, x)
	ok := []qpack.Field{{Name: ":status", Value: "200"}}
	switch h.Path {
	case "/page":
		_ = rs.SendHeaders(ok, false)
		x.toSend = page
	case "/session":
		if x.token = h.Protocol; e.settled {
			e.accept(now, x)
		}
		return
	}
	e.HandleContent(now, rs)
	e.HandleWritable(now, rs)
}

// accept accepts the session, once the client's SETTINGS have come.
func (e *simEnd) accept(now monotime.Time, x *simRequest) {
	d, refusal := e.sessions.Machine.CheckRequest(wt.Request{Token: x.token})
	if refusal == nil {
		refusal = e.sessions.Machine.Admit(now, d).Refusal()
	}
	if refusal != nil {
		e.failed = errors.Join(e.failed, refusal.Err)
		return
	}
	_ = x.SendHeaders([]qpack.Field{{Name: ":status", Value: "200"}}, false)
	e.begin(now, x, d)
	e.HandleContent(now, &x.RequestStream)
}

// begin begins the session.
func (e *simEnd) begin(now monotime.Time, x *simRequest, d wt.Draft) {
	x.session = e.sessions.Add(now, &x.RequestStream, d, "")
	e.session = x.session
}

// HandleEvent implements simwt.Application.
func (e *simEnd) HandleEvent(now monotime.Time, ev wt.Event) {
	switch ev.Kind {
	case wt.EventSettled:
		e.settled = true
		for _, x := range e.requests {
			if x.token != "" {
				e.accept(now, x)
			}
		}
	case wt.EventEnded:
		e.ended = ev.Err
	case wt.EventMayOpen:
		e.work.open(now, ev.Stream)
	case wt.EventMayWrite:
		e.work.write(now, ev.Stream.App.(*simwt.Stream))
	}
}

// ask sends the client's requests, once the server's SETTINGS have come.
func (e *simEnd) ask() {
	e.asked = true
	d, err := e.sessions.Machine.PrepareRequest()
	if err != nil {
		e.failf("no session: %v", err)
		return
	}
	for _, r := range [][]string{{"GET", "/page"}, {"PUT", "/upload"}, {"CONNECT", "/session"}} {
		id, s := e.host.Open(false)
		if s == nil {
			e.failf("no stream for a request")
			return
		}
		x := &simRequest{path: r[1]}
		x.App = x
		e.requests = append(e.requests, x)
		fields := []qpack.Field{{Name: ":method", Value: r[0]}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "godwit.example"}, {Name: ":path", Value: r[1]}}
		if r[0] == "CONNECT" {
			fields = append(fields, qpack.Field{Name: ":protocol", Value: d.Token()})
		}
		e.host.Conn.BeginRequest(&x.RequestStream, id, s, r[0], r[0] == "CONNECT")
		_ = x.SendHeaders(fields, r[0] == "GET")
		x.over[1] = r[0] == "GET"
		if r[0] == "PUT" {
			x.toSend = upload
			x.send()
		}
	}
}

func (e *simEnd) HandleResponse(now monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) {
	x := rs.App.(*simRequest)
	x.status = h.Status
	if x.path == "/session" && h.Status == 200 {
		e.begin(now, x, e.conf.Drafts[0])
	}
	e.HandleContent(now, rs)
}

func (e *simEnd) HandleContent(now monotime.Time, rs *h3.RequestStream) {
	x := rs.App.(*simRequest)
	if x.session != nil {
		e.sessions.HandleContent(now, x.session)
		return
	}
	var b [3000]byte
	for !x.over[0] {
		n, err := x.Read(b[:])
		x.content.Write(b[:n])
		if err != nil {
			if x.over[0] = true; err != io.EOF {
				e.failf("%s: %v", x.path, err)
			}
		} else if n == 0 {
			return
		}
	}
	if e.side == wire.ServerSide && x.path == "/upload" && !x.over[1] {
		x.over[1] = true
		_ = x.SendHeaders([]qpack.Field{{Name: ":status", Value: "201"}}, true)
	}
}

func (e *simEnd) HandleWritable(now monotime.Time, rs *h3.RequestStream) {
	x := rs.App.(*simRequest)
	if x.session != nil {
		e.sessions.HandleWritable(now, x.session)
		return
	}
	x.send()
}

func (x *simRequest) send() {
	for x.toSend != nil && !x.over[1] {
		n, err := x.Write(x.toSend[x.sent:], false)
		x.sent += n
		if x.sent == len(x.toSend) {
			x.over[1] = true
			_, _ = x.Write(nil, true)
		}
		if err != nil || n == 0 {
			return
		}
	}
}

func (e *simEnd) HandleHTTPDatagrams(now monotime.Time, rs *h3.RequestStream, list [][]byte) {
	for _, p := range list {
		e.sessions.Machine.HandleDatagram(now, rs.ID(), p)
	}
	e.sessions.Run(now)
}

func (e *simEnd) HandleFailed(rs *h3.RequestStream, err error) {
	var violation *h3.StreamError
	if !errors.As(err, &violation) || violation.Code != h3.NoError { // that is a stream of WebTransport's
		e.failf("%s: %v", rs.App.(*simRequest).path, err)
	}
}

func (e *simEnd) Admit(*h3.RequestStream) h3.Admission                   { return h3.Admit }
func (e *simEnd) HandlePriority(uint64, h3.Priority) bool                { return true }
func (e *simEnd) HandleStrayDatagrams(uint64) bool                       { return false }
func (e *simEnd) HandleUnblocked(*h3.RequestStream)                      {}
func (e *simEnd) HandleLargeSection(*h3.RequestStream, *h3.LargeSection) {}
func (e *simEnd) HandleLeft(monotime.Time)                               {}
func (e *simEnd) HandleInterim(monotime.Time, *h3.RequestStream, *h3.ResponseHeader) error {
	return nil
}
func (e *simEnd) HandleStreamReadable(now monotime.Time, st *simwt.Stream) { e.work.read(now, st) }

// Deadline implements simh3.Timed.
func (e *simEnd) Deadline() monotime.Time { return e.sessions.Machine.Deadline() }

// Act implements simh3.User.
func (e *simEnd) Act(now monotime.Time, h *simh3.Host) error {
	e.sessions.HandleDeadline(now)
	if e.side == wire.ClientSide && e.settled && !e.asked {
		e.ask()
	}
	if e.session != nil && e.ended == nil {
		e.work.act(now)
	}
	if e.side == wire.ClientSide && e.done() && h.QUIC.Closed() == nil {
		h.Close(h3.NoError)
	}
	return e.failed
}

// done reports whether the client has got everything.
func (e *simEnd) done() bool {
	for _, x := range e.requests {
		if x.session == nil && !x.over[0] {
			return false
		}
	}
	return e.ended != nil && e.sessions.Machine.Deadline().IsZero()
}

// Check implements simh3.User.
func (e *simEnd) Check(*simh3.Host, error) error {
	want := &wt.SessionError{Code: 7, Reason: "done", Remote: e.side == wire.ServerSide}
	if closed, ok := e.ended.(*wt.SessionError); !ok || *closed != *want {
		return fmt.Errorf("session ended with %v, want %v", e.ended, want)
	}
	if stats := e.sessions.Machine.Stats(); stats != (wt.Stats{}) {
		return fmt.Errorf("left: %+v", stats)
	}
	for _, x := range e.requests {
		got := fmt.Sprintf("%s %d %d", x.path, x.status, x.content.Len())
		if want := map[bool][]string{true: {"/page 200 80000", "/upload 201 0", "/session 200 0"}, false: {"/page 0 0", "/upload 0 60000", "/session 0 0"}}[e.side == wire.ClientSide]; !slices.Contains(want, got) {
			return fmt.Errorf("%s", got)
		}
	}
	return errors.Join(e.failed, e.work.check())
}
