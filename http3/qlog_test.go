package http3

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/qlogcheck"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/qlog"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// logs keeps the logs of connections in memory.
type logs struct {
	mu    sync.Mutex
	files []*memoryLog
}

type memoryLog struct {
	bytes.Buffer
	closed chan struct{}
}

// Close implements io.Closer.
func (l *memoryLog) Close() error {
	close(l.closed)
	return nil
}

func (l *logs) tracer(info quictrace.Info) quictrace.Tracer {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &memoryLog{closed: make(chan struct{})}
	l.files = append(l.files, f)
	return qlog.New(info, f)
}

// TestQlog: both ends tell of their settings, streams and frames, as the drafts want it.
func TestQlog(t *testing.T) {
	var client, server logs
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		w.Header().Set("Set-Cookie", "secret=sesame")
		w.Write(bytes.ToUpper(content))
	}, func(s *Server) { s.QUICConfig = &quic.Config{Tracer: server.tracer} })
	ts.transport.QUICConfig = &quic.Config{Tracer: client.tracer}
	for range 3 {
		if _, answer := ts.do(t, "POST", "/", strings.NewReader("hello")); answer != "HELLO" {
			t.Errorf("%q", answer)
		}
	}
	_ = ts.transport.Close()
	_ = ts.Server.Close()
	for vantage, l := range map[string]*logs{"client": &client, "server": &server} {
		if len(l.files) != 1 {
			t.Errorf("%d logs of a %s", len(l.files), vantage)
			continue
		}
		<-l.files[0].closed
		log := l.files[0].Bytes()
		seen, err := qlogcheck.File(log, vantage)
		if err != nil {
			t.Errorf("%s: %v", vantage, err)
		}
		for name, least := range map[string]int{
			"http3:parameters_set":  2, // of both ends
			"http3:stream_type_set": 5, // three requests, two control streams
			"http3:frame_created":   7, // SETTINGS; three requests or responses with content
			"http3:frame_parsed":    7,
		} {
			if seen[name] < least {
				t.Errorf("%s: %d of %s, want %d", vantage, seen[name], name, least)
			}
		}
		if bytes.Contains(log, []byte("sesame")) {
			t.Errorf("%s: a cookie is in the log", vantage)
		}
	}
}
