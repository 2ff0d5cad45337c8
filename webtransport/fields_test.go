package webtransport

import (
	"errors"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
)

// TestContentFields: a request or a response that says what content it has is malformed, as
// what it has are capsules (RFC 9297, Section 3.2).
func TestContentFields(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	for _, field := range []string{"content-type=text/plain", "content-length=0"} {
		wantReset(t, field, c.bidi(request(wt.TokenOld, field)), h3.MessageError)
		if err := wait(t, "the error", ts.failed); err != errContentFields {
			t.Errorf("%s: Upgrade: %v", field, err)
		}
	}
	if _, _, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, http.Header{"Content-Type": {"text/plain"}}); err != errContentFields {
		t.Errorf("Dial with a Content-Type: %v", err)
	}
	for name, accept := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"left by a handler": func(w http.ResponseWriter, r *http.Request) error {
			_, err := Upgrade(w, r)
			return err
		},
		"sent": func(w http.ResponseWriter, _ *http.Request) error {
			_, err := http3.AcceptTunnel(w)
			return err
		},
	} {
		ts := serveHandler(t, nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if err := accept(w, r); err != nil {
				t.Error(err)
			}
		})
		s, _, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr, nil)
		if name == "sent" {
			if !errors.Is(err, errContentFields) {
				t.Errorf("%s: Dial: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: Dial: %v", name, err)
			continue
		}
		_ = s.CloseWithError(0, "")
	}
}
