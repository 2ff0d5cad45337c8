package webtransport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic/event"
)

func closeCapsule(code uint32, reason string) []byte {
	return h3.AppendCapsule(nil, wt.CapsuleClose, append(binary.BigEndian.AppendUint32(nil, code), reason...))
}

// TestAttackCloseMessage: a reason may have 1024 bytes (CVE-2026-21434), and is
// UTF-8.
func TestAttackCloseMessage(t *testing.T) {
	for name, test := range map[string]struct {
		capsule []byte
		want    *SessionError // nil for a reset with H3_MESSAGE_ERROR
	}{
		"longest":        {closeCapsule(7, strings.Repeat("x", wt.MaxReason)), &SessionError{Code: 7, Reason: strings.Repeat("x", wt.MaxReason), Remote: true}},
		"too long":       {closeCapsule(7, strings.Repeat("x", wt.MaxReason+1)), nil},
		"endless":        {h3.AppendFrameHeader(nil, h3.FrameType(wt.CapsuleClose), wire.MaxVarint), nil},
		"not UTF-8":      {closeCapsule(7, "\xff"), nil},
		"without a code": {h3.AppendCapsule(nil, wt.CapsuleClose, []byte{1, 2, 3}), nil},
		"data follows":   {append(closeCapsule(7, ""), capsule(wt.CapsuleDrain)...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, nil)
			s, session := ts.dialRaw(browserSettings).session(ts, wt.TokenOld)
			if _, err := s.Write(content(test.capsule)); err != nil {
				t.Fatal(err)
			}
			if test.want != nil {
				wantSessionError(t, session, *test.want)
				return
			}
			wantReset(t, name, s, h3.MessageError)
			wait(t, "the session's end", session.Context().Done())
		})
	}
}

// TestAttackCloseBlocks: closing does not wait for a peer that does not read
// (CVE-2026-21435), and not for ever for one that does not answer.
func TestAttackCloseBlocks(t *testing.T) {
	ts := serve(t, nil, nil)
	_, session := ts.dialRaw(browserSettings).session(ts, wt.TokenOld)
	// Fill the stream beyond what the client's window and the buffer take.
	event.Run(session.conn, func(turn event.Turn) { session.tunnel.Send(turn, capsule(0x1234, make([]uint64, 2<<20)...)) })
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		_ = session.CloseWithError(1, "")
	}()
	wait(t, "CloseWithError", begun)
	wait(t, "the session's end", session.Context().Done())
}

// TestAttackStreamsMap: streams that are over leave nothing (CVE-2026-21438),
// whatever way they ended, and whether they were accepted or not.
func TestAttackStreamsMap(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	s, session := c.session(ts, wt.TokenOld)
	for range 3 * maxQUICStreams {
		c.uni(append(header(wt.TypeUni, s.ID()), "reset"...)).CancelWrite(1)
	}
	if !eventually(func() bool { return session.known() <= wt.MaxQueuedResets }) {
		t.Errorf("%d streams that were reset are remembered", session.known())
	}
	for session.known() > 0 { // the others wait to be accepted
		st, err := session.AcceptUniStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		st.CancelRead(0)
	}
	for range 10 {
		st := c.bidi(append(header(wt.SignalBidi, s.ID()), "x"...))
		_ = st.Close()
		accepted, err := session.AcceptStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		_ = readAll(t, accepted)
		_ = accepted.Close()
	}
	if n := session.known(); n != 0 {
		t.Errorf("%d streams that have ended are remembered", n)
	}
}

// TestAttackUnknownCapsule: capsules of unknown types are skipped without being
// stored (CVE-2026-57497).
func TestAttackUnknownCapsule(t *testing.T) {
	ts := serve(t, nil, nil)
	s, session := ts.dialRaw(browserSettings).session(ts, wt.TokenOld)
	const size = 64 << 20
	_, _ = s.Write(h3.AppendFrameHeader(nil, h3.FrameData, wire.MaxVarint))
	_, _ = s.Write(h3.AppendFrameHeader(nil, 0x1234, size))
	piece := make([]byte, 1<<20)
	for range size / len(piece) {
		if _, err := s.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = s.Write(capsule(wt.CapsuleDrain)) // the session goes on
	wait(t, "the capsule after it", session.Draining())
}

// TestAttackDatagramFlood: datagrams that nobody receives are dropped and counted.
func TestAttackDatagramFlood(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	payload := make([]byte, 1000)
	if !eventually(func() bool {
		for range 100 {
			_ = client.SendDatagram(payload)
		}
		return server.DatagramsDropped() > 1000
	}) {
		t.Fatal("nothing was dropped")
	}
	_ = client.CloseWithError(0, "")
	wait(t, "the session's end", server.Context().Done())
	waiting := 0
	for ; ; waiting++ {
		if _, err := server.ReceiveDatagram(testContext(t)); err != nil {
			break
		}
	}
	if waiting == 0 || waiting > 512 {
		t.Errorf("%d datagrams waited", waiting)
	}
}

// TestAttackSessionIDs: IDs that no session can have end the connection.
func TestAttackSessionIDs(t *testing.T) {
	for name, attack := range map[string]func(c *rawClient){
		"unidirectional stream": func(c *rawClient) { c.uni(header(wt.TypeUni, 2)) },
		"bidirectional stream":  func(c *rawClient) { c.bidi(header(wt.SignalBidi, 5)) },
	} {
		ts := serve(t, nil, nil)
		c := ts.dialRaw(browserSettings)
		attack(c)
		c.wantClosed(name, h3.IDError)
	}
}

// TestAttackSignalLate: the signal of bidirectional streams is an error anywhere
// but at a stream's beginning (Section 4.3).
func TestAttackSignalLate(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	s, _ := c.session(ts, wt.TokenOld)
	_, _ = s.Write(header(wt.SignalBidi, s.ID()))
	c.wantClosed("signal within a request", h3.FrameError)
}

// TestAttackManySessions: a connection has a bounded number of sessions, and the
// others of it are not hurt.
func TestAttackManySessions(t *testing.T) {
	ts := serve(t, &Config{MaxSessions: 2}, nil)
	c := ts.dialRaw(with(setting(wt.SettingDraft15, 1), datagramSettings, limitSettings))
	first, _ := c.session(ts, wt.TokenNew)
	c.session(ts, wt.TokenNew)
	if r := readResponse(t, c.bidi(request(wt.TokenNew))); r.status != "429" {
		t.Errorf("third session: status %s", r.status)
	}
	if err := wait(t, "the error", ts.failed); !errors.Is(err, ErrTooManySessions) {
		t.Error(err)
	}
	_, _ = first.WriteLast(content(closeCapsule(0, "")))
	if _, err := io.Copy(io.Discard, onlyReader{first}); err != nil {
		t.Error(err)
	}
	c.session(ts, wt.TokenNew) // there is room again
}

// TestOneSessionWithoutFlowControl: Section 5.1.
func TestOneSessionWithoutFlowControl(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(with(setting(wt.SettingDraft15, 1), datagramSettings))
	c.session(ts, wt.TokenNew)
	wantReset(t, "second session without flow control", c.bidi(request(wt.TokenNew)), h3.RequestRejected)
}

// TestStreamsOfEndedSessions are told that it is gone.
func TestStreamsOfEndedSessions(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	s, session := c.session(ts, wt.TokenOld)
	open := c.bidi(append(header(wt.SignalBidi, s.ID()), "x"...))
	if _, err := session.AcceptStream(testContext(t)); err != nil {
		t.Fatal(err)
	}
	_ = session.CloseWithError(0, "")
	wantReset(t, "stream of the session", open, wt.CodeSessionGone)
	wantStop(t, "stream of the session", open, wt.CodeSessionGone)
	late := c.bidi(append(header(wt.SignalBidi, s.ID()), "x"...))
	wantReset(t, "stream after the session", late, wt.CodeSessionGone)
	wantStop(t, "stream after the session", late, wt.CodeSessionGone)
}

// TestAttackFlowControl: Section 5.
func TestAttackFlowControl(t *testing.T) {
	conf := &Config{MaxStreams: 4, MaxData: 1000}
	flowSettings := with(setting(wt.SettingDraft15, 1), datagramSettings, limitSettings)
	for name, test := range map[string]struct {
		capsules []byte
		streams  int
		data     int
		code     h3.ErrorCode
	}{
		"data limit lowered":      {capsules: capsule(wt.CapsuleMaxData, 1<<19), code: wt.CodeFlowControl},
		"data limit repeated":     {capsules: capsule(wt.CapsuleMaxData, 1<<20), code: wt.CodeFlowControl},
		"stream limit lowered":    {capsules: capsule(wt.CapsuleMaxStreamsBidi, 9), code: wt.CodeFlowControl},
		"stream limit repeated":   {capsules: capsule(wt.CapsuleMaxStreamsUni, 10), code: wt.CodeFlowControl},
		"stream limit too large":  {capsules: capsule(wt.CapsuleMaxStreamsUni, 1<<60+1), code: wt.CodeFlowControl},
		"blocked beyond limits":   {capsules: capsule(wt.CapsuleStreamsBlockedUni, 1<<60+1), code: wt.CodeFlowControl},
		"prohibited, stream data": {capsules: capsule(wt.CapsuleMaxStreamData, 4, 1000), code: h3.MessageError},
		"prohibited, blocked":     {capsules: capsule(wt.CapsuleStreamDataBlocked, 4, 1000), code: h3.MessageError},
		"not an integer":          {capsules: h3.AppendCapsule(nil, wt.CapsuleMaxData, []byte{0xc0, 0}), code: h3.MessageError},
		"two integers":            {capsules: capsule(wt.CapsuleMaxData, 1<<21, 1), code: h3.MessageError},
		"too many streams":        {streams: 5, code: wt.CodeFlowControl},
		"too much data":           {streams: 1, data: 1001, code: wt.CodeFlowControl},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, conf, nil)
			c := ts.dialRaw(flowSettings)
			s, session := c.session(ts, wt.TokenNew)
			if test.capsules != nil {
				_, _ = s.Write(content(test.capsules))
			}
			for range test.streams {
				c.uni(append(header(wt.TypeUni, s.ID()), make([]byte, test.data)...))
			}
			if test.data > 0 {
				r, err := session.AcceptUniStream(testContext(t))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, r)
			}
			wantReset(t, name, s, test.code)
			wait(t, "the session's end", session.Context().Done())
		})
	}
}

// TestFlowControl has more pass through small limits than they allow at a time.
func TestFlowControl(t *testing.T) {
	conf := &Config{MaxStreams: 3, MaxData: 5000}
	ts := serve(t, conf, nil)
	d := ts.dialer()
	d.Config = conf
	client, server := ts.pair(d)
	go echo(server)
	data := randomBytes(200_000)
	for range 10 {
		st, err := client.OpenStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = st.Write(data)
			_ = st.Close()
		}()
		if got := readAll(t, st); got != string(data) {
			t.Fatalf("echo of %d bytes has %d, or differs", len(data), len(got))
		}
	}
}

// TestFlowControlWaits: who waits for credit is told of deadlines and ends.
func TestFlowControlWaits(t *testing.T) {
	conf := &Config{MaxStreams: 1, MaxData: 100}
	ts := serve(t, conf, nil)
	client, server := ts.pair(nil)
	st, err := client.OpenStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = st.SetWriteDeadline(time.Now().Add(-time.Second))
	if _, err := st.Write(make([]byte, 1000)); err == nil {
		t.Error("write after the deadline")
	}
	_ = st.SetWriteDeadline(time.Time{})
	writing, opening := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := st.Write(make([]byte, 1000))
		writing <- err
	}()
	go func() {
		_, err := client.OpenStream(testContext(t))
		opening <- err
	}()
	_ = server.CloseWithError(5, "")
	for _, ch := range []chan error{writing, opening} {
		var closed *SessionError
		err := wait(t, "the end of the wait", ch)
		if !errors.As(err, &closed) || closed.Code != 5 || !closed.Remote {
			t.Errorf("%v", err)
		}
	}
}

// TestFlowControlLeavesRoom: when nobody reads what sessions send, capsules still
// arrive. They would not if data could use up the connection's window.
func TestFlowControlLeavesRoom(t *testing.T) {
	ts := serve(t, nil, nil)
	d := ts.dialer()
	d.ShareConnections = true
	defer d.Close()
	var clients, servers []*Session
	for range 3 {
		client, server := ts.pair(d)
		clients, servers = append(clients, client), append(servers, server)
		for range 10 { // a stream alone has a smaller window
			st, err := client.OpenUniStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			_ = st.SetWriteDeadline(time.Now().Add(30 * time.Millisecond))
			_, _ = st.Write(make([]byte, 4<<20))
		}
	}
	for i, client := range clients {
		client.Drain()
		wait(t, "the capsule", servers[i].Draining())
	}
}

// TestCapsulesWithoutFlowControl are ignored (Section 5.1).
func TestCapsulesWithoutFlowControl(t *testing.T) {
	ts := serve(t, nil, nil)
	s, session := ts.dialRaw(browserSettings).session(ts, wt.TokenOld)
	_, _ = s.Write(content(capsule(wt.CapsuleMaxData, 5), capsule(wt.CapsuleMaxData, 5), capsule(wt.CapsuleMaxStreamsUni, 1<<61), capsule(wt.CapsuleDrain)))
	wait(t, "the capsule after them", session.Draining())
	if err := session.endedWith(); err != nil {
		t.Error(err)
	}
}

// TestRejection shows what a client learns.
func TestRejection(t *testing.T) {
	ts := serveHandler(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://localhost/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = io.WriteString(w, "not here")
	})
	_, resp, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, nil)
	var rejected *RejectedError
	if !errors.As(err, &rejected) || rejected.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("Dial: %v", err)
	}
	body, _ := io.ReadAll(resp.Body)
	if !bytes.Equal(body, []byte("not here")) || resp.Header.Get("Location") == "" {
		t.Errorf("response %v with %q", resp, body)
	}
}
