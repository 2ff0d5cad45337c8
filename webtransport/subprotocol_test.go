package webtransport

import (
	"errors"
	"testing"
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
	if _, _, err := d.Dial(testContext(t), "https://"+ts.addr, nil); !errors.Is(err, ErrProtocol) {
		t.Errorf("Dial: %v", err)
	}
	<-ts.accept().Context().Done()
}
