package quic

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/qlogcheck"
	"github.com/godwit-quic/godwit/quic/qlog"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// TestQlogClose: the log of the side that closes ends with the packet that says
// so, and both logs with the end of the connection, even if the transports are
// closed long before a closing or draining period is over.
func TestQlogClose(t *testing.T) {
	dir := t.TempDir()
	conf := &Config{Tracer: qlog.Dir(dir, nil)}
	e := newEnv(t, conf, conf)
	e.serveEcho()
	c := e.dial()
	if err := c.CloseWithError(7, "bye"); err != nil {
		t.Fatal(err)
	}
	e.transport.Close()
	e.listener.Transport().Close()

	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v; want one of each side", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		vantage := "server"
		if strings.HasSuffix(path, "_client.sqlog") {
			vantage = "client"
		}
		if _, err := qlogcheck.File(data, vantage); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
		_, end, found := strings.Cut(string(data), "quic:connection_closed")
		if !found || !strings.Contains(end, "connection_state_updated") {
			t.Errorf("%s does not tell the end", filepath.Base(path))
		}
		if strings.HasSuffix(path, "_client.sqlog") && !strings.Contains(end, `"frame_type":"connection_close"`) {
			t.Errorf("%s ends without CONNECTION_CLOSE:%s", filepath.Base(path), end)
		}
	}
}

// keeper is a Tracer of a user's.
type keeper struct {
	info  quictrace.Info
	names []string
	times []time.Duration
	over  chan struct{} // closed with the last event
}

// Trace implements quictrace.Tracer.
func (k *keeper) Trace(at time.Duration, e quictrace.Event) {
	k.names, k.times = append(k.names, e.Name()), append(k.times, at)
	if s, ok := e.(*quictrace.ConnectionStateUpdated); ok && s.New == quictrace.StateClosed {
		close(k.over)
	}
}

// note is an event of an application protocol's.
type note struct{}

// Name implements quictrace.Event.
func (note) Name() string { return "test:note" }

// TestTracer: a Tracer hears of one connection, in the order of time, and of what others
// tell about it; a connection for which there is none has nobody to tell.
func TestTracer(t *testing.T) {
	var made []*keeper
	e := newEnv(t, nil, &Config{Tracer: func(info quictrace.Info) quictrace.Tracer {
		if len(made) > 0 {
			return nil
		}
		k := &keeper{info: info, over: make(chan struct{})}
		made = append(made, k)
		return k
	}})
	e.serveEcho()
	c, other := e.dial(), e.dial()
	tell := c.Tracer()
	if tell == nil || other.Tracer() != nil {
		t.Fatalf("the connection that is observed has somebody to tell: %v, the other: %v", tell != nil, other.Tracer() != nil)
	}
	if err := e.echo(c, 1, 1000); err != nil {
		t.Fatal(err)
	}
	tell(note{})
	c.CloseWithError(0, "")
	e.transport.Close()
	k := made[0]
	<-k.over
	tell(note{}) // of a connection that is forgotten
	if k.info.Server || len(k.info.OriginalID) < 8 {
		t.Errorf("made for %+v", k.info)
	}
	if !slices.IsSorted(k.times) {
		t.Errorf("time goes back: %v", k.times)
	}
	count := 0
	for _, name := range k.names {
		if name == "test:note" {
			count++
		}
	}
	if count != 1 || !slices.Contains(k.names, "quic:packet_sent") {
		t.Errorf("%d notes among %q", count, k.names)
	}
}
