package dialogue

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/simwt"
	"github.com/godwit-quic/godwit/internal/wt"
)

// sessions is the WebTransport of an httpEnd, with one session.
type sessions struct {
	simwt.Sessions
	end     *httpEnd
	draft   wt.Draft // of the client's request
	session *simwt.Session
	request *request
	streams map[uint64]*simwt.Stream
}

// begin begins the session on a request that was accepted.
func (x *sessions) begin(now monotime.Time, r *request, d wt.Draft) {
	x.request, x.streams = r, make(map[uint64]*simwt.Stream)
	x.session = x.Add(now, &r.RequestStream, d, "")
	x.end.say(now, "has a session on stream %d", r.ID())
}

// HandleEvent implements simwt.Application.
func (x *sessions) HandleEvent(now monotime.Time, ev wt.Event) {
	switch ev.Kind {
	case wt.EventIncoming:
		for k := range wt.Kind(2) {
			for st := x.Accept(x.session, k); st != nil; st = x.Accept(x.session, k) {
				x.end.say(now, "accepts stream %d of the session", st.ID())
				x.streams[st.ID()] = st
				x.HandleStreamReadable(now, st)
			}
		}
	case wt.EventDraining:
		x.end.say(now, "is asked to end the session soon")
	case wt.EventEnded:
		x.end.say(now, "is told: %v", ev.Err)
	}
}

// HandleStreamReadable implements simwt.Application.
func (x *sessions) HandleStreamReadable(now monotime.Time, st *simwt.Stream) {
	var b [100]byte
	for st.App == nil {
		n, err := st.Read(now, b[:])
		var reset *simwt.ResetError
		switch {
		case n > 0:
			x.end.say(now, "reads on stream %d: %q", st.ID(), b[:n])
		case err == io.EOF:
			x.end.say(now, "reads the end of stream %d", st.ID())
		case errors.As(err, &reset):
			x.end.say(now, "stream %d was reset", st.ID())
		}
		if err != nil {
			st.App = err // nothing more to read
		} else if n == 0 {
			return
		}
	}
}

// HandleStreamWritable implements simwt.Application.
func (x *sessions) HandleStreamWritable(monotime.Time, *simwt.Stream) {}

// Run does what the machine says, and prints the datagrams that came.
func (x *sessions) Run(now monotime.Time) {
	x.Sessions.Run(now)
	if x.session == nil {
		return
	}
	for _, p := range x.session.Datagrams {
		x.end.say(now, "receives a datagram: %q", p)
	}
	x.session.Datagrams = nil
}

func (x *sessions) do(now monotime.Time, args []string) error {
	switch args[0] {
	case "session":
		return x.ask(now, args[1])
	case "accept":
		return x.accept(now, args[1])
	}
	if x.session == nil {
		return errors.New("there is no session")
	}
	switch args[0] {
	case "open":
		return x.open(now, args[1])
	case "datagram":
		return x.request.SendDatagram([]byte(args[1]))
	}
	n, err := strconv.ParseUint(args[1], 0, 32)
	if err != nil || len(args) < 3 {
		return errors.Join(err, errUsage)
	}
	if args[0] == "close" {
		x.session.Close(now, uint32(n), args[2])
		x.Run(now)
		return nil
	}
	return x.doStream(now, x.streams[n], args)
}

// ask asks for a session.
func (x *sessions) ask(now monotime.Time, path string) (err error) {
	if x.draft, err = x.Machine.PrepareRequest(); err != nil {
		return err
	}
	r, err := x.end.begin("CONNECT", path, x.draft.Token())
	if err != nil {
		return err
	}
	return r.SendHeaders(append(fieldsOf("CONNECT", path), qpack.Field{Name: ":protocol", Value: x.draft.Token()}), false)
}

// accept accepts the session that was asked for.
func (x *sessions) accept(now monotime.Time, path string) error {
	r := x.end.requests[path]
	if r == nil {
		return fmt.Errorf("no request for %s", path)
	}
	d, refusal := x.Machine.CheckRequest(wt.Request{Token: r.protocol})
	if refusal == nil {
		refusal = x.Machine.Admit(now, d).Refusal()
	}
	if refusal != nil {
		return refusal.Err
	}
	if err := r.SendHeaders([]qpack.Field{{Name: ":status", Value: "200"}}, false); err != nil {
		return err
	}
	x.begin(now, r, d)
	x.end.HandleContent(now, &r.RequestStream)
	return nil
}

// open opens a stream of the session.
func (x *sessions) open(now monotime.Time, kind string) error {
	k := wt.Bidi
	if kind == "uni" {
		k = wt.Uni
	}
	machine := x.session.Open(k)
	if may, err := machine.MayOpen(); !may {
		return errors.Join(err, errors.New("the session allows no stream"))
	}
	st := x.Open(now, machine)
	if st == nil {
		return errors.New("the connection allows no stream")
	}
	x.streams[st.ID()] = st
	x.end.say(now, "opens stream %d of the session", st.ID())
	return nil
}

// doStream does what a command on a stream says.
func (x *sessions) doStream(now monotime.Time, st *simwt.Stream, args []string) error {
	if st == nil {
		return fmt.Errorf("no stream %s", args[1])
	}
	if args[0] == "write" {
		_, err := st.Write(now, []byte(args[2]))
		if len(args) > 3 {
			st.Close(now)
		}
		return err
	}
	code, err := strconv.ParseUint(args[2], 0, 32)
	switch args[0] {
	case "reset":
		st.CancelWrite(now, uint32(code))
	case "stop":
		st.CancelRead(now, uint32(code))
	default:
		return errors.New("no such command")
	}
	return err
}
