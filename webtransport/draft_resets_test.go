package webtransport

import (
	"errors"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/quicmem"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// plainTransport returns a transport on loopback that does not tell its peers that
// it understands RESET_STREAM_AT, as the browsers of today do not.
func plainTransport(t testing.TB) *quic.Transport {
	t.Helper()
	socket, err := udp.Listen("127.0.0.1:0", udp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	plain := func(conf *engine.Config) { conf.NoResetStreamAt = true }
	tr := quicmem.NewTransport(socket, nil, plain).(*quic.Transport)
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// TestServerWithoutResetStreamAt: draft 15 requires RESET_STREAM_AT (Section 3.1),
// and clients that do without get an older draft if they speak one.
func TestServerWithoutResetStreamAt(t *testing.T) {
	d15, d13 := setting(wt.SettingDraft15, 1), setting(wt.SettingDraft13, 1)
	for name, test := range map[string]struct {
		settings []h3.Setting
		token    string
		want     Draft // 0 for a request that counts as malformed
	}{
		"draft 15":           {with(d15, datagramSettings), wt.TokenNew, 0},
		"the final protocol": {datagramSettings, wt.TokenNew, 0},
		"draft 13 as well":   {with(d15, d13, datagramSettings), wt.TokenOld, Draft13},
		"draft 2 as well":    {with(d15, browserSettings), wt.TokenOld, Draft02},
		"Chromium":           {browserSettings, wt.TokenOld, Draft02},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, nil)
			c := ts.dialRawOn(plainTransport(t), test.settings)
			if test.want == 0 {
				wantReset(t, "request", c.bidi(request(test.token)), h3.MessageError)
				return
			}
			if _, session := c.session(ts, test.token); session.Draft() != test.want {
				t.Errorf("%v, want %v", session.Draft(), test.want)
			}
		})
	}
}

// TestClientWithoutResetStreamAt has our client meet a server without
// RESET_STREAM_AT.
func TestClientWithoutResetStreamAt(t *testing.T) {
	for name, test := range map[string]struct {
		drafts []Draft
		want   Draft // 0 for none
	}{
		"all drafts": {nil, Draft13},
		"draft 15":   {[]Draft{Draft15}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			ts := (&testServer{t: t, transport: plainTransport(t)}).start(&Config{Drafts: test.drafts}, func(w http.ResponseWriter, r *http.Request) {
				_, _ = Upgrade(w, r)
			})
			s, _, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, nil)
			if test.want == 0 {
				if !errors.Is(err, ErrNotSupported) {
					t.Errorf("Dial: %v, want %v", err, ErrNotSupported)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.CloseWithError(0, "")
			if s.Draft() != test.want {
				t.Errorf("%v, want %v", s.Draft(), test.want)
			}
		})
	}
}
