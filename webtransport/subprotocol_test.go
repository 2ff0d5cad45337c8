package webtransport

import (
	"errors"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/wt"
)

func TestProtocols(t *testing.T) {
	for name, test := range map[string]struct {
		offered, known []string
		require        bool
		want           string
		fails          bool
	}{
		"none offered":           {nil, []string{"a"}, false, "", false},
		"none known":             {[]string{"a"}, nil, false, "", false},
		"the server's order":     {[]string{"a", "b"}, []string{"b", "a"}, false, "b", false},
		"nothing fits":           {[]string{"a"}, []string{"b"}, false, "", false},
		"the server insists":     {[]string{"a"}, []string{"b"}, true, "", true},
		"odd names":              {[]string{`q"\`, "x"}, []string{`q"\`}, true, `q"\`, false},
		"the server has its way": {[]string{"a", "b"}, []string{"b"}, true, "b", false},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, &UpgradeConfig{Protocols: test.known, RequireProtocol: test.require})
			d := ts.dialer()
			d.Protocols = test.offered
			s, resp, err := d.Dial(testContext(t), "https://"+ts.addr, nil)
			if test.fails {
				var rejected *RejectedError
				if !errors.As(err, &rejected) || resp.StatusCode != 400 {
					t.Errorf("Dial: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.CloseWithError(0, "")
			if server := ts.accept(); s.Protocol() != test.want || server.Protocol() != test.want {
				t.Errorf("chosen %q and %q, want %q", s.Protocol(), server.Protocol(), test.want)
			}
		})
	}
}

// TestClientInsists: a client that needs a subprotocol gives up without.
func TestClientInsists(t *testing.T) {
	ts := serve(t, nil, nil)
	d := ts.dialer()
	d.Protocols, d.RequireProtocol = []string{"a"}, true
	d.ShareConnections = true // so that the connection's end does not come before the session knows
	defer d.Close()
	if _, _, err := d.Dial(testContext(t), "https://"+ts.addr, nil); !errors.Is(err, ErrProtocol) {
		t.Errorf("Dial: %v", err)
	}
	wantALPNError(t, ts.accept())
}

// wantALPNError wants a server's session to end with the code for subprotocols (Section 3.3).
func wantALPNError(t *testing.T, session *Session) {
	t.Helper()
	wait(t, "the session's end", session.Context().Done())
	var reset *http3.Error
	if err := session.endedWith(); !errors.As(err, &reset) || reset.Code != http3.ErrorCode(wt.CodeALPN) || !reset.Remote {
		t.Errorf("the session ended with %v", err)
	}
}

// TestProtocolNotOffered: a client ends the session when the server chooses a subprotocol that
// it did not offer, or says which in a way that means nothing while it needs one (Section 3.3).
func TestProtocolNotOffered(t *testing.T) {
	for answer, fails := range map[string]bool{`"b"`: true, `"a"`: false, "a": false} {
		sessions := make(chan *Session, 1)
		ts := serveHandler(t, nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(fieldProtocol, answer)
			if s, err := Upgrade(w, r); err == nil {
				sessions <- s
			}
		})
		d := ts.dialer()
		d.Protocols = []string{"a", "c"}
		d.ShareConnections = true // so that the connection's end does not come before the session knows
		t.Cleanup(func() { _ = d.Close() })
		s, _, err := d.Dial(testContext(t), "https://"+ts.addr, nil)
		if (err != nil) != fails || fails && !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: Dial: %v", answer, err)
		}
		if fails {
			wantALPNError(t, wait(t, "the session", sessions))
		} else if err == nil {
			_ = s.CloseWithError(0, "")
		}
	}
}
