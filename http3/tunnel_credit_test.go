package http3

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestTunnelHeaderWaitsForCredit: the header that accepts a tunnel arrives whole, and before
// what follows it, though the client gives little credit.
func TestTunnelHeaderWaitsForCredit(t *testing.T) {
	large := strings.Repeat("x", 20<<10)
	accept := func(t *testing.T, w http.ResponseWriter) *Tunnel {
		tunnel, err := AcceptTunnel(w)
		if err != nil {
			t.Error(err)
			panic(http.ErrAbortHandler)
		}
		return tunnel
	}
	for name, use := range map[string]func(t *testing.T, w http.ResponseWriter, r *http.Request){
		"written to": func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			tunnel := accept(t, w)
			_, _ = io.WriteString(tunnel, "hello")
			_ = tunnel.Close()
		},
		"read, and closed": func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			tunnel := accept(t, w)
			_, _ = io.ReadAll(tunnel)
			_ = tunnel.Close()
		},
		"closed": func(t *testing.T, w http.ResponseWriter, _ *http.Request) { _ = accept(t, w).Close() },
		"event-driven": func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			tunnel := eventTunnel{accept(t, w)}
			event.Run(tunnel.QUIC(), func(turn event.Turn) {
				tunnel.Send(turn, []byte("hello"))
				tunnel.SendLast(turn, nil)
			})
		},
		"after an interim response": func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			tunnel := accept(t, w)
			_, _ = io.WriteString(tunnel, "hello")
			_ = tunnel.Close()
		},
		"refused after an interim response": func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "hello")
		},
		"whose request is read before": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			_, _ = r.Body.Read(nil)
			tunnel := accept(t, w)
			_, _ = io.WriteString(tunnel, "hello")
			_ = tunnel.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Large", large)
				use(t, w, r)
			}, enableTunnels)
			ts.transport.QUICConfig = &quic.Config{InitialStreamWindow: 1200, MaxStreamWindow: 1200}
			tunnel, resp, err := ts.connect(t, "/")
			if err != nil {
				t.Fatal(err)
			}
			var content io.Reader = resp.Body
			if tunnel != nil {
				content = tunnel
				_ = tunnel.Close()
			}
			got, err := io.ReadAll(content)
			if want := resp.Header.Get("Large") == large; !want || err != nil || len(got) > 0 && string(got) != "hello" {
				t.Errorf("header whole: %v; content %q, %v", want, got, err)
			}
			_ = resp.Body.Close()
		})
	}
}
