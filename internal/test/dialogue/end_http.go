package dialogue

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/simh3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
)

// httpEnd is an application on HTTP/3, with WebTransport if sessions is set. It reads what
// comes, and prints it.
type httpEnd struct {
	host     *simh3.Host
	talk     *talk
	side     wire.Side
	requests map[string]*request // by path

	sessions *sessions // nil for none
}

// request is a request of either side's.
type request struct {
	h3.RequestStream
	path     string
	protocol string // of an extended CONNECT
}

// httpApp is an httpEnd as the application of a connection.
type httpApp struct {
	*simh3.Host
	end *httpEnd
}

func newHTTPApp(t *talk, side wire.Side, webtransport bool) httpApp {
	e := &httpEnd{talk: t, side: side, requests: make(map[string]*request)}
	settings := h3.Settings{Datagrams: webtransport, ExtendedConnect: webtransport && side == wire.ServerSide}
	if webtransport {
		e.sessions = &sessions{end: e}
	}
	e.host = simh3.New(h3.Config{Side: side, Settings: settings}, e)
	return httpApp{e.host, e}
}

func (e *httpEnd) say(now monotime.Time, format string, args ...any) {
	e.talk.say(now, e.side, format, args...)
}

// Handle implements sim.App.
func (a httpApp) Handle(now monotime.Time, c *engine.Conn, ev engine.Event) {
	a.Host.Handle(now, c, ev)
	if ev.Kind == engine.EventClosed {
		a.end.say(now, "is told: %v", ev.Err)
	}
}

func (a httpApp) do(now monotime.Time, args []string) error { return a.end.do(now, args) }

// Begin implements simh3.User.
func (e *httpEnd) Begin(h *simh3.Host) {
	if e.sessions != nil {
		e.sessions.Begin(h, (&wt.Config{}).WithDefaults(), e.sessions)
	}
}

// HandleSettings implements h3.Handler.
func (e *httpEnd) HandleSettings(now monotime.Time) {
	e.say(now, "has the peer's SETTINGS")
	if e.sessions != nil {
		e.sessions.HandleSettings(now)
	}
}

// HandleGoAway implements h3.Handler.
func (e *httpEnd) HandleGoAway(now monotime.Time, id uint64) {
	e.say(now, "is told to go away, from stream %d on", id)
}

// HandleExtensionStream implements h3.Handler.
func (e *httpEnd) HandleExtensionStream(now monotime.Time, id, _ uint64, s h3.Stream) {
	e.sessions.HandleStream(now, id, s)
}

// NewRequest implements h3.Handler.
func (e *httpEnd) NewRequest(h3.Stream) *h3.RequestStream {
	r := new(request)
	r.App = r
	return &r.RequestStream
}

// Admit implements h3.Handler.
func (e *httpEnd) Admit(*h3.RequestStream) h3.Admission { return h3.Admit }

// HandleRequest implements h3.Handler.
func (e *httpEnd) HandleRequest(now monotime.Time, rs *h3.RequestStream, h *h3.RequestHeader) {
	r := rs.App.(*request)
	r.path, r.protocol = h.Path, h.Protocol
	e.requests[h.Path] = r
	e.say(now, "takes a request on stream %d: %s", rs.ID(), strings.TrimSpace(h.Method+" "+h.Path+" "+h.Protocol))
	if h.Protocol == "" {
		e.HandleContent(now, rs)
	}
}

// HandlePriority implements h3.Handler.
func (e *httpEnd) HandlePriority(uint64, h3.Priority) bool { return true }

// HandleInterim implements h3.Handler.
func (e *httpEnd) HandleInterim(now monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) error {
	e.say(now, "takes an interim response to %s: %d %v", rs.App.(*request).path, h.Status, h.Fields)
	return nil
}

// HandleResponse implements h3.Handler.
func (e *httpEnd) HandleResponse(now monotime.Time, rs *h3.RequestStream, h *h3.ResponseHeader) {
	r := rs.App.(*request)
	e.say(now, "takes a response to %s: %d %v", r.path, h.Status, h.Fields)
	if r.protocol != "" && h.Status/100 == 2 {
		e.sessions.begin(now, r, e.sessions.draft)
	}
	e.HandleContent(now, rs)
}

// HandleFailed implements h3.Handler.
func (e *httpEnd) HandleFailed(rs *h3.RequestStream, err error) {
	if violation, ok := errors.AsType[*h3.StreamError](err); ok && violation.Code == h3.NoError {
		return // a stream of WebTransport's
	}
	e.say(e.talk.run.Now(), "has no answer to %s: %v", rs.App.(*request).path, err)
}

// HandleLargeSection implements h3.Handler.
func (e *httpEnd) HandleLargeSection(*h3.RequestStream, *h3.LargeSection) {}

// HandleContent implements h3.Handler.
func (e *httpEnd) HandleContent(now monotime.Time, rs *h3.RequestStream) {
	r := rs.App.(*request)
	if e.sessions != nil && e.sessions.session != nil && r.protocol != "" {
		e.sessions.HandleContent(now, e.sessions.session)
		return
	}
	var b [100]byte
	for {
		n, err := r.Read(b[:])
		if n > 0 {
			e.say(now, "reads of %s: %q", r.path, b[:n])
		}
		if err == io.EOF {
			e.say(now, "reads the end of %s", r.path)
		} else if err != nil {
			e.say(now, "reads of %s: %v", r.path, err)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// HandleUnblocked implements h3.Handler.
func (e *httpEnd) HandleUnblocked(*h3.RequestStream) {}

// HandleWritable implements h3.Handler.
func (e *httpEnd) HandleWritable(now monotime.Time, rs *h3.RequestStream) {
	if e.sessions != nil && e.sessions.session != nil {
		e.sessions.HandleWritable(now, e.sessions.session)
	}
}

// HandleStrayDatagrams implements h3.Handler.
func (e *httpEnd) HandleStrayDatagrams(uint64) bool { return false }

// HandleHTTPDatagrams implements h3.Handler.
func (e *httpEnd) HandleHTTPDatagrams(now monotime.Time, rs *h3.RequestStream, list [][]byte) {
	for _, p := range list {
		if e.sessions != nil {
			e.sessions.Machine.HandleDatagram(now, rs.ID(), p)
			e.sessions.Run(now)
		}
	}
}

// HandleLeft implements h3.Handler.
func (e *httpEnd) HandleLeft(now monotime.Time) {
	e.say(now, "has nothing more to do")
	e.host.Close(h3.NoError)
}

// Act implements simh3.User.
func (e *httpEnd) Act(now monotime.Time, _ *simh3.Host) error {
	if e.sessions != nil {
		e.sessions.HandleDeadline(now)
	}
	return nil
}

// Deadline implements simh3.Timed.
func (e *httpEnd) Deadline() monotime.Time {
	if e.sessions == nil || e.sessions.Machine == nil {
		return 0
	}
	return e.sessions.Machine.Deadline()
}

// Check implements simh3.User.
func (e *httpEnd) Check(*simh3.Host, error) error { return nil }

func (e *httpEnd) do(now monotime.Time, args []string) error {
	if e.host.Conn == nil {
		return errors.New("the handshake is not complete")
	}
	if len(args) < 2 {
		return errUsage
	}
	switch args[0] {
	case "get":
		return e.ask(now, "GET", args[1], "")
	case "put":
		return e.ask(now, "PUT", args[1], args[2])
	case "hint", "answer":
		return e.answer(args)
	case "leave":
		wait, err := time.ParseDuration(args[1])
		if err == nil {
			e.host.Conn.Leave(now, wait)
		}
		return err
	}
	if e.sessions == nil {
		return errors.New("no such command")
	}
	return e.sessions.do(now, args)
}

// ask sends a request with its content.
func (e *httpEnd) ask(now monotime.Time, method, path, content string) error {
	r, err := e.begin(method, path, "")
	if err != nil {
		return err
	}
	if err := r.SendHeaders(fieldsOf(method, path), content == ""); err != nil || content == "" {
		return err
	}
	_, err = r.Write([]byte(content), true)
	return err
}

// begin opens the stream of a request.
func (e *httpEnd) begin(method, path, protocol string) (*request, error) {
	id, s := e.host.Open(false)
	if s == nil {
		return nil, fmt.Errorf("no stream for a request")
	}
	r := &request{path: path, protocol: protocol}
	r.App = r
	e.requests[path] = r
	e.host.Conn.BeginRequest(&r.RequestStream, id, s, method, protocol != "")
	return r, nil
}

func fieldsOf(method, path string) []qpack.Field {
	return []qpack.Field{{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "godwit.example"}, {Name: ":path", Value: path}}
}

// answer sends a response to a request, or an interim one.
func (e *httpEnd) answer(args []string) error {
	r := e.requests[args[1]]
	if r == nil || len(args) < 3 {
		return fmt.Errorf("no request for %s, or %w", args[1], errUsage)
	}
	if args[0] == "hint" {
		return r.SendHeaders([]qpack.Field{{Name: ":status", Value: "103"}, {Name: "link", Value: args[2]}}, false)
	}
	if _, err := strconv.Atoi(args[2]); err != nil {
		return err
	}
	whole := len(args) < 4
	err := r.SendHeaders([]qpack.Field{{Name: ":status", Value: args[2]}}, whole)
	if err == nil && !whole {
		_, err = r.Write([]byte(args[3]), true)
	}
	return err
}
