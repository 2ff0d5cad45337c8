package http3

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestSilentServer loses the path to a server with requests under way: what may be sent
// twice, and was not acknowledged, is sent on another connection. The rest waits.
func TestSilentServer(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	path := startRelay(t, ts.addr)
	var direct atomic.Bool
	ts.transport.alternative = func(string) (string, bool) {
		if direct.Load() {
			return ts.addr, true
		}
		return path.LocalAddr().String(), true
	}
	ts.do(t, "GET", "/", nil)
	ts.transport.mu.Lock()
	silent := ts.transport.pool[ts.addr].conns[0]
	ts.transport.mu.Unlock()
	_ = path.Close()
	direct.Store(true)
	results := make(chan *http.Response, 2)
	for _, method := range []string{"GET", "POST"} {
		req := mustRequest(t, ts.url)
		req.Method = method
		go func() {
			resp, _ := ts.transport.RoundTrip(req)
			results <- resp
		}()
	}
	waiting := func() int { return awaitedBy(silent) }
	if !eventually(func() bool { return waiting() == 2 }) {
		t.Fatalf("%d requests wait", waiting())
	}
	event.Run(silent.qc, silent.HandleSilent)
	if resp := wait(t, "the request", results); resp == nil || resp.Request.Method != "GET" {
		t.Errorf("%v", resp)
	}
	if n := waiting(); n != 1 {
		t.Errorf("%d requests wait for the silent server", n)
	}
	ts.do(t, "PUT", "/", strings.NewReader("content")) // on the new connection
	_ = silent.qc.CloseWithError(0, "")
	if resp := wait(t, "the other request", results); resp != nil {
		t.Errorf("%s was sent twice", resp.Request.Method)
	}
}

// awaitedBy returns how many requests of a connection wait for their response.
func awaitedBy(c *clientConn) (n int) {
	_ = c.do(func(event.Turn) error {
		c.awaited.each(func(*clientStream) { n++ })
		return nil
	})
	return n
}

// TestUnheardRequestIsNotSentTwice has a request arrive, and nothing of the server after
// that: the client cannot know, and what is not idempotent fails.
func TestUnheardRequestIsNotSentTwice(t *testing.T) {
	var handled atomic.Int64
	ts := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			handled.Add(1)
		}
	})
	path := startRelay(t, ts.addr)
	var direct atomic.Bool
	ts.transport.alternative = func(string) (string, bool) {
		if direct.Load() {
			return ts.addr, true
		}
		return path.LocalAddr().String(), true
	}
	ts.transport.QUICConfig = &quic.Config{MaxIdleTimeout: 10 * short}
	ts.do(t, "GET", "/", nil)
	path.mute.Store(true)
	direct.Store(true)
	done := make(chan error, 1)
	req := mustRequest(t, ts.url)
	req.Method = "POST"
	go func() {
		_, err := ts.transport.RoundTrip(req)
		done <- err
	}()
	var idle *quic.IdleTimeoutError
	if err := wait(t, "the request's end", done); !errors.As(err, &idle) {
		t.Errorf("%v, want an idle timeout", err)
	}
	if n := handled.Load(); n != 1 {
		t.Errorf("the request was handled %d times", n)
	}
}

// TestRestartedServer has another server take the place of one that was killed: it
// knows neither the connection nor the key of its stateless reset. The next request
// does not wait for the idle timeout.
func TestRestartedServer(t *testing.T) {
	killed := serve(t, func(http.ResponseWriter, *http.Request) {})
	path := startRelay(t, killed.addr)
	addr := path.LocalAddr().String()
	conf := killed.transport.TLSClientConfig.Clone()
	conf.InsecureSkipVerify = true // they have certificates of their own
	client := &Transport{TLSClientConfig: conf, QUICConfig: &quic.Config{MaxIdleTimeout: 10 * patience}}
	defer client.Close()
	for _, want := range []int{http.StatusOK, http.StatusNoContent} {
		req := mustRequest(t, "https://"+addr)
		resp, err := client.RoundTrip(req.WithContext(testContext(t)))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("status %d, want %d", resp.StatusCode, want)
		}
		if want == http.StatusOK {
			_ = path.Close()
			restarted := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			startRelayOn(t, addr, restarted.addr)
		}
	}
}
