package http3

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// is reports whether a ResponseWriter implements an interface.
func is[T any](w http.ResponseWriter) bool {
	_, ok := w.(T)
	return ok
}

// TestResponseWriterInterfaces: what a ResponseWriter implements of what net/http knows, as
// docs/nethttp.md says, and what http.ResponseController makes of the rest.
func TestResponseWriterInterfaces(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, tt := range []struct {
			name string
			got  bool
			want bool
		}{
			{"http.Flusher", is[http.Flusher](w), true},
			{"FlushError", is[interface{ FlushError() error }](w), true},
			{"io.StringWriter", is[io.StringWriter](w), true},
			{"SetReadDeadline", is[interface{ SetReadDeadline(time.Time) error }](w), true},
			{"SetWriteDeadline", is[interface{ SetWriteDeadline(time.Time) error }](w), true},
			{"EnableFullDuplex", is[interface{ EnableFullDuplex() error }](w), true},
			{"http.Hijacker", is[http.Hijacker](w), false},
			{"http.Pusher", is[http.Pusher](w), false},
			{"CloseNotify", is[interface{ CloseNotify() <-chan bool }](w), false},
			{"io.ReaderFrom", is[io.ReaderFrom](w), false},
			{"Unwrap", is[interface{ Unwrap() http.ResponseWriter }](w), false},
		} {
			if tt.got != tt.want {
				t.Errorf("%s: %v", tt.name, tt.got)
			}
		}
		control := http.NewResponseController(w)
		if _, _, err := control.Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Hijack: %v", err)
		}
		if err := control.EnableFullDuplex(); err != nil {
			t.Errorf("EnableFullDuplex: %v", err)
		}
		if _, err := AcceptTunnel(w); err == nil {
			t.Error("a request that is not CONNECT became a tunnel")
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if resp, _ := ts.do(t, "GET", "/", nil); resp.StatusCode != http.StatusNoContent {
		t.Errorf("status %d", resp.StatusCode)
	}
}
