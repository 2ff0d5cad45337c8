package wt

import (
	"errors"
	"slices"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

func set(pairs ...uint64) (s []h3.Setting) {
	for i := 0; i < len(pairs); i += 2 {
		s = append(s, h3.Setting{ID: h3.SettingID(pairs[i]), Value: pairs[i+1]})
	}
	return s
}

var limitSettings = set(uint64(SettingMaxData), 1<<20, uint64(SettingMaxStreamsUni), 10, uint64(SettingMaxStreamsBidi), 10)

// TestServerDrafts tells which draft a server takes a client's request for.
func TestServerDrafts(t *testing.T) {
	d15, d13, d07, d02 := set(uint64(SettingDraft15), 1), set(uint64(SettingDraft13), 1<<62-1), set(uint64(SettingDraft07), 1), set(uint64(SettingDraft02), 1)
	for name, test := range map[string]struct {
		settings    []h3.Setting
		noDatagrams bool
		plain       bool // no RESET_STREAM_AT
		request     Request
		drafts      []Draft // offered; nil for all
		want        Draft
		flow        bool
		refused     error
		code        h3.ErrorCode // 0 for a status
	}{
		"Chromium":                 {settings: d02, request: Request{TokenOld, true}, want: Draft02},
		"draft 2, new token":       {settings: d02, request: Request{TokenNew, false}, want: Draft02},
		"draft 2 by the field":     {request: Request{TokenOld, true}, want: Draft02},
		"draft 7":                  {settings: d07, request: Request{TokenOld, false}, want: Draft07},
		"draft 7 beside 2":         {settings: slices.Concat(d07, d02), request: Request{TokenOld, false}, want: Draft07},
		"draft 7 says nothing":     {request: Request{TokenOld, false}, want: Draft07},
		"Safari":                   {settings: slices.Concat(d13, d07, limitSettings), request: Request{TokenOld, false}, want: Draft13, flow: true},
		"draft 13":                 {settings: d13, request: Request{TokenOld, false}, want: Draft13},
		"draft 15":                 {settings: d15, request: Request{TokenNew, false}, want: Draft15},
		"draft 15 with limits":     {settings: slices.Concat(d15, limitSettings), request: Request{TokenNew, false}, want: Draft15, flow: true},
		"the final protocol":       {settings: limitSettings, request: Request{TokenNew, false}, want: Draft15, flow: true},
		"limits mean nothing":      {settings: slices.Concat(d07, limitSettings), request: Request{TokenOld, false}, want: Draft07},
		"older for want of resets": {settings: slices.Concat(d15, d02), plain: true, request: Request{TokenOld, true}, want: Draft02},
		"no resets":                {settings: d15, plain: true, request: Request{TokenNew, false}, refused: ErrNoResetStreamAt, code: h3.MessageError},
		"final, no resets":         {plain: true, request: Request{TokenNew, false}, refused: ErrNoResetStreamAt, code: h3.MessageError},
		"no datagrams":             {settings: d15, noDatagrams: true, request: Request{TokenNew, false}, refused: ErrNoDatagrams, code: h3.MessageError},
		"not offered here":         {request: Request{TokenNew, false}, drafts: []Draft{Draft02}, refused: ErrNotSupported},
		"draft 2 not offered":      {request: Request{TokenOld, true}, drafts: []Draft{Draft15}, refused: ErrNotSupported},
	} {
		c := NewConn(wire.ServerSide, Config{Drafts: test.drafts}.WithDefaults())
		c.HandleSettings(&h3.Settings{Datagrams: !test.noDatagrams, Extra: test.settings}, !test.plain)
		wantEvents(t, name, c, EventSettled)
		d, refusal := c.CheckRequest(test.request)
		if test.refused != nil {
			if refusal == nil || !errors.Is(refusal.Err, test.refused) || refusal.Code != test.code || (refusal.Status == 0) != (test.code != 0) {
				t.Errorf("%s: %v, want it refused with %v", name, refusal, test.refused)
			}
			continue
		}
		if refusal != nil || d != test.want {
			t.Errorf("%s: draft %d, %v, want %d", name, d, refusal, test.want)
			continue
		}
		if flow := c.Begin(1, 0, d, "").FlowControlled(); flow != test.flow {
			t.Errorf("%s: flow control %v, want %v", name, flow, test.flow)
		}
	}
}

// TestClientDrafts tells in which draft a client asks.
func TestClientDrafts(t *testing.T) {
	for name, test := range map[string]struct {
		server, client []Draft
		plain          bool
		noDatagrams    bool
		want           Draft // 0 for ErrNotSupported
	}{
		"all":                    {want: Draft15},
		"server has draft 13":    {server: []Draft{Draft13, Draft02}, want: Draft13},
		"client has draft 2":     {client: []Draft{Draft02}, want: Draft02},
		"draft 7":                {server: []Draft{Draft07}, want: Draft07},
		"none in common":         {server: []Draft{Draft15}, client: []Draft{Draft02}},
		"none":                   {server: []Draft{}},
		"no RESET_STREAM_AT":     {plain: true, want: Draft13},
		"draft 15 and no resets": {server: []Draft{Draft15}, plain: true},
		"no datagrams":           {noDatagrams: true},
	} {
		server := NewConn(wire.ServerSide, Config{Drafts: test.server}.WithDefaults())
		c := NewConn(wire.ClientSide, Config{Drafts: test.client}.WithDefaults())
		c.HandleSettings(&h3.Settings{Datagrams: !test.noDatagrams, Extra: server.AppendSettings(nil)}, !test.plain)
		wantEvents(t, name, c, EventSettled)
		d, err := c.PrepareRequest()
		if d != test.want || (test.want == 0) != errors.Is(err, ErrNotSupported) {
			t.Errorf("%s: draft %d, %v, want %d", name, d, err, test.want)
		}
	}
	if Draft02.Token() != TokenOld || Draft13.Token() != TokenOld || Draft15.Token() != TokenNew {
		t.Error("tokens")
	}
}

// TestTooLargeSetting: clients must not accept a value above 1 (Section 3.1).
func TestTooLargeSetting(t *testing.T) {
	c := NewConn(wire.ClientSide, Config{}.WithDefaults())
	c.HandleSettings(&h3.Settings{Datagrams: true, Extra: set(uint64(SettingDraft15), 2)}, true)
	if e := wantEvents(t, "a setting of 2", c, EventFail)[0]; e.Code != h3.SettingsError {
		t.Errorf("closed with %v", e.Code)
	}
	if _, err := c.PrepareRequest(); err == nil {
		t.Error("a request is possible")
	}
}

// TestSessionsAtATime: Sections 5.1 and 5.2.
func TestSessionsAtATime(t *testing.T) {
	for name, test := range map[string]struct {
		settings []h3.Setting
		draft    Draft
		want     int
		refusal  Refusal
	}{
		"draft 2":              {set(uint64(SettingDraft02), 1), Draft02, 3, Refusal{Status: 429}},
		"with flow control":    {slices.Concat(set(uint64(SettingDraft15), 1), limitSettings), Draft15, 3, Refusal{Status: 429}},
		"without flow control": {set(uint64(SettingDraft15), 1), Draft15, 1, Refusal{Code: h3.RequestRejected}},
	} {
		c := NewConn(wire.ServerSide, Config{MaxSessions: 3}.WithDefaults())
		c.HandleSettings(&h3.Settings{Datagrams: true, Extra: test.settings}, true)
		var last *Session
		for i := range test.want {
			if a := c.Admit(1, test.draft); a.Waits() || a.Refusal() != nil {
				t.Fatalf("%s: session %d is refused", name, i)
			}
			last = c.Begin(1, uint64(4*i), test.draft, "")
		}
		var waiting []*Admission
		for range test.want {
			waiting = append(waiting, c.Admit(1, test.draft))
		}
		for _, a := range waiting {
			if !a.Waits() {
				t.Errorf("%s: does not wait", name)
			}
		}
		wantRefused := func(what string, a *Admission) {
			t.Helper()
			r := a.Refusal()
			if a.Waits() || r == nil || r.Status != test.refusal.Status || r.Code != test.refusal.Code || r.Err != ErrTooManySessions {
				t.Errorf("%s: %s is refused with %v", name, what, r)
			}
		}
		wantRefused("one that would wait beyond the bound", c.Admit(1, test.draft))
		poll(c)
		last.Close(1, 0, "")
		events := wantEvents(t, name, c, EventFinish, EventEnded, EventAdmission)
		if a := waiting[0]; events[2].Admission != a || a.Waits() || a.Refusal() != nil {
			t.Errorf("%s: not the first gets the place", name)
		}
		waiting[0].Withdraw() // and leaves it to the next
		wantRefused("one that is not wanted any more", waiting[0])
		if test.want > 1 {
			wantEvents(t, name, c, EventAdmission)
			waiting[2].Withdraw()
			wantRefused("one that waits no longer", waiting[2])
			waiting[2] = c.Admit(2, test.draft)
			if at := c.Deadline(); at.Sub(2) != newcomerPatience {
				t.Errorf("%s: deadline after %v", name, at.Sub(2))
			}
			c.HandleDeadline(c.Deadline())
			wantEvents(t, name, c, EventAdmission)
			wantRefused("one that has waited too long", waiting[2])
			waiting[1].Withdraw()
		}
		if a := c.Admit(1, test.draft); a.Waits() || a.Refusal() != nil {
			t.Errorf("%s: no room again", name)
		}
		waiting[0] = c.Admit(1, test.draft)
		c.HandleClose(ErrProtocol)
		wantRefused("one of a connection that has ended", waiting[0])
	}
}

// TestClientSessionsAtATime: without flow control a client has one session at most (Section
// 5.1).
func TestClientSessionsAtATime(t *testing.T) {
	for name, test := range map[string]struct {
		settings []h3.Setting
		want     int
	}{
		"with flow control":    {slices.Concat(set(uint64(SettingDraft15), 1), limitSettings), 3},
		"without flow control": {set(uint64(SettingDraft15), 1), 1},
	} {
		c := NewConn(wire.ClientSide, Config{MaxSessions: 3}.WithDefaults())
		c.HandleSettings(&h3.Settings{Datagrams: true, Extra: test.settings}, true)
		for range test.want {
			if _, err := c.PrepareRequest(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if _, err := c.PrepareRequest(); err != ErrTooManySessions {
			t.Errorf("%s: one more than %d: %v", name, test.want, err)
		}
	}
}

// wantEvents checks of which kinds the next events are, and returns them.
func wantEvents(t testing.TB, what string, c *Conn, want ...EventKind) []Event {
	t.Helper()
	events := make([]Event, 100)
	events = events[:c.PollEvents(events)]
	var kinds []EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	if !slices.Equal(kinds, want) {
		t.Fatalf("%s: events %d, want %d", what, kinds, want)
	}
	return events
}
