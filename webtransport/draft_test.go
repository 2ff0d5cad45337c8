package webtransport

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestServerDrafts has a raw client offer what each draft's clients do.
func TestServerDrafts(t *testing.T) {
	d15, d13, d07 := setting(wt.SettingDraft15, 1), setting(wt.SettingDraft13, 1<<62-1), setting(wt.SettingDraft07, 1)
	for name, test := range map[string]struct {
		settings []h3.Setting
		token    string
		fields   []string
		want     Draft
		limits   bool
		echo     string // the field that answers draft 2's
	}{
		"Chromium":               {browserSettings, wt.TokenOld, []string{"sec-webtransport-http3-draft02=1"}, Draft02, false, wt.AnswerDraft02},
		"draft 2, new token":     {browserSettings, wt.TokenNew, nil, Draft02, false, ""},
		"draft 2 by the field":   {datagramSettings, wt.TokenOld, []string{"sec-webtransport-http3-draft02=1"}, Draft02, false, wt.AnswerDraft02},
		"draft 7":                {with(d07, datagramSettings), wt.TokenOld, nil, Draft07, false, ""},
		"draft 7, new token":     {with(d07, datagramSettings), wt.TokenNew, nil, Draft07, false, ""},
		"draft 7 beside 2":       {with(d07, browserSettings), wt.TokenOld, nil, Draft07, false, ""},
		"draft 7 says nothing":   {datagramSettings, wt.TokenOld, nil, Draft07, false, ""},
		"draft 13":               {with(d13, datagramSettings), wt.TokenOld, nil, Draft13, false, ""},
		"draft 13 with limits":   {with(d13, datagramSettings, limitSettings), wt.TokenOld, nil, Draft13, true, ""},
		"draft 13, new token":    {with(d13, datagramSettings, limitSettings), wt.TokenNew, nil, Draft13, true, ""},
		"Safari":                 {with(d13, d07, datagramSettings, limitSettings), wt.TokenOld, nil, Draft13, true, ""},
		"draft 15":               {with(d15, datagramSettings), wt.TokenNew, nil, Draft15, false, ""},
		"draft 15, old token":    {with(d15, datagramSettings), wt.TokenOld, nil, Draft15, false, ""},
		"draft 15 with limits":   {with(d15, datagramSettings, limitSettings), wt.TokenNew, nil, Draft15, true, ""},
		"the final protocol":     {with(datagramSettings, limitSettings), wt.TokenNew, nil, Draft15, true, ""},
		"all of them":            {with(d15, d13, d07, browserSettings, limitSettings), wt.TokenNew, nil, Draft15, true, ""},
		"limits mean nothing":    {with(d07, datagramSettings, limitSettings), wt.TokenOld, nil, Draft07, false, ""},
		"datagrams of an old id": {with(setting(wt.SettingDraft02, 1), setting(h3.SettingDatagramDraft04, 1)), wt.TokenOld, nil, Draft02, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, nil)
			c := ts.dialRaw(test.settings)
			s := c.bidi(request(test.token, test.fields...))
			r := readResponse(t, s)
			if r.status != "200" || r.fields["sec-webtransport-http3-draft"] != test.echo {
				t.Fatalf("response %v", r)
			}
			session := ts.accept()
			if session.Draft() != test.want || session.FlowControlled() != test.limits {
				t.Errorf("%v, flow control %v, want %v, %v", session.Draft(), session.FlowControlled(), test.want, test.limits)
			}
			c.wantSession(s, session)
		})
	}
}

// wantSession wants a session to work whose CONNECT stream is s: data in both
// directions, and an end.
func (c *rawClient) wantSession(s *quic.Stream, session *Session) {
	c.t.Helper()
	st := c.bidi(append(header(wt.SignalBidi, s.ID()), "ping"...))
	_ = st.Close()
	accepted, err := session.AcceptStream(testContext(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	if got := readAll(c.t, accepted); got != "ping" {
		c.t.Errorf("the server got %q", got)
	}
	_, _ = accepted.Write([]byte("pong"))
	_ = accepted.Close()
	if got := readAll(c.t, st); got != "pong" {
		c.t.Errorf("the client got %q", got)
	}
	_ = session.SendDatagram([]byte("datagram"))
	got, err := c.qc.ReceiveDatagram(testContext(c.t))
	if want := append(h3.AppendQuarterID(nil, s.ID()), "datagram"...); err != nil || !bytes.Equal(got, want) {
		c.t.Errorf("datagram %q, %v, want %q", got, err, want)
	}
	_, _ = s.WriteLast(content(closeCapsule(5, "done")))
	wantSessionError(c.t, session, SessionError{Code: 5, Reason: "done", Remote: true})
}

// TestServerSettings checks what clients find, and that each browser finds what it
// insists on.
func TestServerSettings(t *testing.T) {
	ts := serve(t, nil, nil)
	client := ts.dial(nil)
	settings := client.hub.h3.PeerSettings()
	got := map[h3.SettingID]uint64{}
	for _, s := range settings.Extra {
		got[s.ID] = s.Value
	}
	if got[wt.SettingDraft02] != 1 || got[wt.SettingDraft15] != 1 {
		t.Errorf("drafts 2 and 15 are offered with %d and %d, want 1", got[wt.SettingDraft02], got[wt.SettingDraft15])
	}
	if got[wt.SettingDraft07] == 0 || got[wt.SettingDraft13] == 0 {
		t.Errorf("drafts 7 and 13 are not offered")
	}
	// Safari cannot send anything without them.
	if got[wt.SettingMaxData] == 0 || got[wt.SettingMaxStreamsUni] == 0 || got[wt.SettingMaxStreamsBidi] == 0 {
		t.Errorf("no initial limits: %v", got)
	}
	if !settings.Datagrams {
		t.Error("no datagrams")
	}
}

// TestClientRequests checks how our client asks servers of each draft.
func TestClientRequests(t *testing.T) {
	for d, want := range map[Draft]struct{ token, field string }{
		Draft02: {wt.TokenOld, "1"}, Draft07: {wt.TokenOld, ""}, Draft13: {wt.TokenOld, ""}, Draft15: {wt.TokenNew, ""},
	} {
		asked := make(chan *http.Request, 1)
		ts := serveHandler(t, &Config{Drafts: []Draft{d}}, func(w http.ResponseWriter, r *http.Request) {
			asked <- r
			http.Error(w, "", http.StatusTeapot)
		})
		_, _, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, nil)
		var rejected *RejectedError
		if !errors.As(err, &rejected) || rejected.StatusCode != http.StatusTeapot {
			t.Errorf("%v: %v", d, err)
		}
		r := wait(t, "the request", asked)
		if token, field := http3.Protocol(r), r.Header.Get(fieldDraft02Offer); token != want.token || field != want.field {
			t.Errorf("%v: asked for %q with %q, want %q with %q", d, token, field, want.token, want.field)
		}
	}
}

// TestClientDrafts has our client meet servers of one draft each.
func TestClientDrafts(t *testing.T) {
	for _, d := range []Draft{Draft15, Draft13, Draft07, Draft02} {
		ts := serve(t, &Config{Drafts: []Draft{d}}, nil)
		client, server := ts.pair(nil)
		if client.Draft() != d || server.Draft() != d || client.FlowControlled() != wt.Draft(d).FlowControl() {
			t.Errorf("%v: client %v, server %v, flow control %v", d, client.Draft(), server.Draft(), client.FlowControlled())
		}
		go echo(server)
		st, err := client.OpenStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write([]byte("hello"))
		_ = st.Close()
		if got := readAll(t, st); got != "hello" {
			t.Errorf("%v: %q", d, got)
		}
	}
}

func TestNoCommonDraft(t *testing.T) {
	ts := serve(t, &Config{Drafts: []Draft{Draft02}}, nil)
	d := ts.dialer()
	d.Config = &Config{Drafts: []Draft{Draft15}}
	if _, _, err := d.Dial(testContext(t), "https://"+ts.addr, nil); !errors.Is(err, ErrNotSupported) {
		t.Errorf("Dial: %v", err)
	}
}

func TestServerWithoutWebTransport(t *testing.T) {
	leak.Check(t)
	ts := (&testServer{t: t}).startWith(nil, http.NotFound)
	_, _, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, nil)
	if !errors.Is(err, ErrNotSupported) || !errors.Is(err, http3.ErrNoExtendedConnect) {
		t.Errorf("Dial: %v", err)
	}
}

// TestConfigRefused: limits that mean nothing are refused where they are used, and the error
// names the field.
func TestConfigRefused(t *testing.T) {
	for field, conf := range map[string]*Config{
		"Config.MaxSessions":              {MaxSessions: -1},
		"Config.MaxStreams":               {MaxStreams: -1},
		"Config.MaxData":                  {MaxData: -5},
		"Config.MaxData for each":         {MaxData: 1 << 60, MaxSessions: 100},
		"Config.IdleTimeout":              {IdleTimeout: -1},
		"Config.Drafts":                   {Drafts: []Draft{99}},
		"http3: the server has WebTransp": nil, // enabled twice
	} {
		serverTLS, _ := peertest.TLS(t)
		srv := &http3.Server{TLSConfig: serverTLS}
		Enable(srv, conf)
		if conf == nil {
			Enable(srv, conf)
		} else if _, _, err := (&Dialer{Config: conf}).Dial(testContext(t), "https://127.0.0.1:1", nil); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Dial: %v, want %s", err, field)
		}
		if _, err := srv.ListenAll("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("ListenAll: %v, want %s", err, field)
		}
	}
}

// TestTooLargeSetting: clients must not accept a value above 1 (draft 15,
// Section 3.1).
func TestTooLargeSetting(t *testing.T) {
	leak.Check(t)
	ts := (&testServer{t: t}).startWith(oddServer, http.NotFound)
	_, _, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, nil)
	var closed *http3.Error
	if !errors.As(err, &closed) || closed.Code != http3.ErrorCode(h3.SettingsError) || closed.Remote {
		t.Errorf("Dial: %v, want %v", err, h3.SettingsError)
	}
}

// oddServer sends a setting that no server may.
func oddServer(_ event.Turn, c *h3.Conn) h3ext.Conn {
	c.AddSettings(h3.Setting{ID: wt.SettingDraft15, Value: 2})
	return oddConn{}
}

// oddConn does nothing.
type oddConn struct{}

func (oddConn) HandleSettings(event.Turn)             {}
func (oddConn) HandleStream(event.Turn, event.Stream) {}
func (oddConn) HandleRefused(event.Turn, uint64)      {}
func (oddConn) HandleGoAway(event.Turn)               {}
func (oddConn) HandleClose(event.Turn, error)         {}
func (oddConn) PrepareConnect(*http.Request) error    { return nil }
func (oddConn) AbandonConnect()                       {}

// TestMissingDatagrams: without datagrams on the client's side, requests are
// malformed (draft 15, Section 3.1).
func TestMissingDatagrams(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(setting(wt.SettingDraft15, 1))
	wantReset(t, "request without datagrams", c.bidi(request(wt.TokenNew)), h3.MessageError)
}

// TestLateSettings: no request is looked at before the client's SETTINGS.
func TestLateSettings(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(nil)
	s := c.bidi(request(wt.TokenOld))
	c.uni(header(wt.TypeUni, s.ID())) // overtakes as well
	c.sendSettings(browserSettings)
	if r := readResponse(t, s); r.status != "200" {
		t.Fatalf("status %s", r.status)
	}
	session := ts.accept()
	if session.Draft() != Draft02 {
		t.Errorf("%v", session.Draft())
	}
	if _, err := session.AcceptUniStream(testContext(t)); err != nil {
		t.Error(err)
	}
}
