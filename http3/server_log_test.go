package http3

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// stuckLog is a slog.Handler that waits until it is opened.
type stuckLog struct{ open chan struct{} }

func (stuckLog) Enabled(context.Context, slog.Level) bool    { return true }
func (l stuckLog) Handle(context.Context, slog.Record) error { <-l.open; return nil }
func (l stuckLog) WithAttrs([]slog.Attr) slog.Handler        { return l }
func (l stuckLog) WithGroup(string) slog.Handler             { return l }

// A log that takes nothing, such as a pipe that nobody reads, does not keep the
// server from serving, whatever clients make it say.
func TestStuckLog(t *testing.T) {
	open := make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, func(s *Server) {
		s.Logger = slog.New(stuckLog{open})
		s.QUICTransportConfig = &quic.TransportConfig{Loops: 1}
	})
	defer close(open)
	conf := ts.transport.TLSClientConfig.Clone()
	conf.NextProtos = []string{"h3"}
	for range 3 {
		qc, err := quic.Dial(testContext(t), ts.addr, conf, nil)
		if err != nil {
			t.Fatal(err)
		}
		control, err := qc.OpenUniStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := control.Write([]byte{0, 0, 0}); err != nil { // DATA instead of SETTINGS
			t.Fatal(err)
		}
		<-qc.Done()
	}
	resp, err := ts.transport.RoundTrip(mustRequest(t, ts.url))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("status %d", resp.StatusCode)
	}
}
