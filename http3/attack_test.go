package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// Rows of the known attacks that have no better place: they are run against a
// server.

// TestLargeHeaders is the row "H3 field-section bomb" of the known attacks.
func TestLargeHeaders(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {}, func(s *Server) { s.MaxHeaderBytes = 1000 })
	c := ts.dialRaw(t)
	for name, b := range map[string][]byte{
		"long value":     headers(getFields + "x=" + strings.Repeat("~", 1000)),
		"static fields":  frame(h3.FrameHeaders, "\x00\x00"+strings.Repeat("\xdd", 500)),
		"announced only": h3.AppendFrameHeader(nil, h3.FrameHeaders, 1<<40),
	} {
		m := readMessage(t, c.request(false, b))
		if fmt.Sprint(m.fields) != "[{:status 431} {content-length 0}]" {
			t.Errorf("%s: answered %v", name, m.fields)
		}
	}
	if err := c.qc.Err(); err != nil {
		t.Error(err)
	}
	for _, fields := range []string{":method=GET :scheme=ftp :authority=a :path=/", ":method=GET :scheme=https :authority=a :path=/%zz"} {
		if m := readMessage(t, c.request(true, headers(fields))); !strings.Contains(fmt.Sprint(m.fields), "{:status 400}") {
			t.Errorf("%s: answered %v", fields, m.fields)
		}
	}
}

// rapidReset opens requests and cancels them as fast as it can until the server
// closes the connection, and calls f every now and then.
func rapidReset(t *testing.T, qc *quic.Conn, f func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request := headers(getFields)
	for n := 1; qc.Err() == nil; n++ {
		s, err := qc.OpenStream(ctx)
		if err != nil {
			break
		}
		_, _ = s.WriteLast(request)
		s.CancelRead(uint64(h3.RequestCancelled))
		if n%100 == 0 {
			f()
		}
	}
	wait(t, "the attacker's end", qc.Done())
	wantRemoteClose(t, "rapid reset", qc.Err(), h3.ExcessiveLoad)
}

// TestRapidReset is the row "Rapid-reset/stream churn" of the known attacks: a
// client that cancels its requests at once does not get more handlers than its
// due, and loses the connection.
func TestRapidReset(t *testing.T) {
	const streams = 5
	release := make(chan struct{})
	running := make(chan int, 1)
	running <- 0
	most := 0
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := <-running + 1
		most = max(most, n)
		running <- n
		<-release // deaf to the cancellation
		running <- <-running - 1
	}, func(s *Server) {
		all, _ := s.quicConfig(nil)
		conf := *all
		conf.MaxIncomingStreams = streams
		s.QUICConfig = &conf
	})
	rapidReset(t, ts.dialRaw(t).qc, func() {})
	close(release)
	<-running
	if most > handlersPerStream*streams {
		t.Errorf("%d handlers at once", most)
	}
	running <- 0
}

// TestResetBeforeHeader resets requests that no handler has seen.
func TestResetBeforeHeader(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the handler was called") })
	c := ts.dialRaw(t)
	for c.qc.Err() == nil {
		s, err := c.qc.OpenStream(testContext(t))
		if err != nil {
			break
		}
		_, _ = s.Write([]byte{0x01})
		s.CancelWrite(uint64(h3.RequestCancelled))
	}
	c.wantClose("resets", h3.ExcessiveLoad)
}

// TestRapidResetMemory is the same row: neither while a client cancels requests as
// fast as it can nor after it was disconnected does the memory grow. That of the
// client is counted as well, as it is the same process.
func TestRapidResetMemory(t *testing.T) {
	const (
		attackers = 10
		bound     = 4 << 20 // bytes; the thousands of requests, were they kept, would take several times that
	)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	})
	client, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, clientTLS := peertest.TLS(t)
	attack := func(f func()) {
		qc, err := client.Dial(testContext(t), ts.addr, forHTTP3(clientTLS), nil)
		if err != nil {
			t.Fatal(err)
		}
		rapidReset(t, qc, f)
	}
	inUse := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	attack(func() {}) // what is kept for later is there now
	before := inUse()
	var most uint64
	for range attackers {
		attack(func() { most = max(most, inUse()) })
	}
	t.Logf("%d bytes in use before, up to %d under attack", before, most)
	if most > before+bound {
		t.Errorf("%d bytes in use under attack, %d before", most, before)
	}
	if !eventually(func() bool { return inUse() < before+bound/2 }) {
		t.Errorf("%d bytes in use after the attacks, %d before", inUse(), before)
	}
}

// TestRequestReset is the row "H3 lifetime UAF" of the known attacks: a client
// resets its half of a stream and still takes the response, before, while and
// after the handler runs.
func TestRequestReset(t *testing.T) {
	begun, proceed := make(chan struct{}), make(chan struct{})
	results := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		close(begun)
		_, err := io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		_, writeErr := io.WriteString(w, "all the same")
		<-proceed
		results <- errors.Join(err, writeErr)
	})
	c := ts.dialRaw(t)
	early := c.request(false, headers(postFields)[:10])
	early.CancelWrite(uint64(h3.RequestCancelled))
	wantReset(t, "reset before the header was complete", early, h3.RequestRejected)

	s := c.request(false, join(headers(postFields), frame(h3.FrameData, "abc")))
	wait(t, "the handler", begun)
	s.CancelWrite(uint64(h3.RequestCancelled))
	close(proceed)
	wantError(t, wait(t, "the handler's end", results), h3.RequestCancelled, true, false)
	if m := readMessage(t, s); m.content != "all the same" {
		t.Errorf("the response's content is %q", m.content)
	}

	over := c.request(false, headers(getFields))
	if _, err := io.ReadFull(over, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	over.CancelWrite(uint64(h3.RequestCancelled))
	readMessage(t, c.request(true, headers(getFields))) // the connection is alive
	if err := c.qc.Err(); err != nil {
		t.Error(err)
	}
}

// TestUselessFrames is the row "MAX_PUSH_ID/SETTINGS churn" of the known attacks,
// and the same with streams of unknown types: what is allowed once costs the
// connection when it comes without end.
func TestUselessFrames(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	for name, useless := range map[string][]byte{
		"MAX_PUSH_ID":     frame(h3.FrameMaxPushID, "\x00"),
		"GOAWAY":          frame(h3.FrameGoAway, "\x00"),
		"PRIORITY_UPDATE": priorityFrame,
		"reserved frames": frame(0x21, ""),
	} {
		c := ts.dialRaw(t)
		for c.qc.Err() == nil {
			if _, err := c.control.Write(useless); err != nil {
				break
			}
		}
		c.wantClose(name, h3.ExcessiveLoad)
	}
	c := ts.dialRaw(t)
	for c.qc.Err() == nil {
		s, err := c.qc.OpenUniStream(testContext(t))
		if err != nil {
			break
		}
		_, _ = s.Write([]byte{0x21})
	}
	c.wantClose("streams of unknown types", h3.ExcessiveLoad)
}

// TestRefusedRequests: requests that the server refuses by itself count as waste as
// those that are reset do.
func TestRefusedRequests(t *testing.T) {
	for name, b := range map[string][]byte{
		"malformed":              headers(getFields + "X=1"),
		"too large":              h3.AppendFrameHeader(nil, h3.FrameHeaders, 1<<40),
		"no scheme of HTTP":      headers(":method=GET :scheme=ftp :authority=a :path=/"),
		"unknown expectation":    headers(getFields + "expect=the-unexpected"),
		"end without a request":  {},
		"shorter than announced": headers(postFields + "content-length=5"),
	} {
		ts := serve(t, func(http.ResponseWriter, *http.Request) { t.Errorf("%s: the handler was called", name) })
		c := ts.dialRaw(t)
		for range 5000 {
			s, err := c.qc.OpenStream(testContext(t))
			if err != nil {
				break
			}
			_, _ = s.WriteLast(b)
			s.CancelRead(uint64(h3.RequestCancelled))
		}
		c.wantClose(name, h3.ExcessiveLoad)
	}
}
