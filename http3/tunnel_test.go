package http3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/queue"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

func enableTunnels(s *Server) { s.EnableExtendedConnect, s.EnableDatagrams = true, true }

// connect sends an extended CONNECT request.
func (ts *testServer) connect(t testing.TB, path string) (*Tunnel, *http.Response, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodConnect, ts.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header[":protocol"] = []string{"test"}
	return ts.transport.Connect(testContext(t), req)
}

// acceptAll returns a handler that accepts every tunnel and a channel of them.
func acceptAll() (http.HandlerFunc, <-chan *Tunnel) {
	tunnels := make(chan *Tunnel, 10)
	return func(w http.ResponseWriter, r *http.Request) {
		if t, err := AcceptTunnel(w); err == nil {
			tunnels <- t
		}
	}, tunnels
}

func TestExtendedConnectRequest(t *testing.T) {
	seen := make(chan *http.Request, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		// A handler that knows nothing of tunnels talks by Body and Flush.
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(writeFlusher{w, http.NewResponseController(w)}, r.Body)
	}, enableTunnels)
	tunnel, resp, err := ts.connect(t, "/path?q=1")
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	r := <-seen
	if Protocol(r) != "test" || r.Method != "CONNECT" || r.URL.Path != "/path" || r.URL.RawQuery != "q=1" || r.Host != ts.addr {
		t.Errorf("request %v %v %v %q", r.Method, r.URL, r.Host, Protocol(r))
	}
	if _, err := tunnel.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(tunnel, got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	_ = tunnel.Close()
	if rest, err := io.ReadAll(tunnel); err != nil || len(rest) != 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// writeFlusher sends at once what is written.
type writeFlusher struct {
	io.Writer
	rc *http.ResponseController
}

func (w writeFlusher) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	return n, errors.Join(err, w.rc.Flush())
}

// TestTunnelEndsBeforeItIsAccepted: the end of a connection gives back no place of a
// handler that was not taken.
func TestTunnelEndsBeforeItIsAccepted(t *testing.T) {
	begun, counted := make(chan struct{}), make(chan int64, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		x, err := exchangeOf(w)
		if err != nil {
			t.Error(err)
			return
		}
		over := make(chan struct{})
		event.Run(x.conn.qc, func(event.Turn) {
			eventTunnel{x.tunnel}.WhenOver(event.Turn{}, func() { close(over) })
			close(begun)
		})
		<-over
		counted <- x.conn.srv.running()
	}, enableTunnels)
	failed := make(chan error, 1)
	go func() {
		_, _, err := ts.connect(t, "/")
		failed <- err
	}()
	wait(t, "the handler", begun)
	ts.transport.Close()
	if wait(t, "the client", failed) == nil {
		t.Error("the tunnel was accepted")
	}
	if n := wait(t, "the end of the tunnel", counted); n != 1 {
		t.Errorf("%d handlers are counted while one runs", n)
	}
}

// TestConnectTrace: who traces a CONNECT request knows when it has a connection.
func TestConnectTrace(t *testing.T) {
	handler, _ := acceptAll()
	ts := serve(t, handler, enableTunnels)
	var told []string
	ctx := httptrace.WithClientTrace(testContext(t), &httptrace.ClientTrace{
		GetConn: func(addr string) { told = append(told, addr) },
		GotConn: func(info httptrace.GotConnInfo) { told = append(told, info.Conn.RemoteAddr().String()) },
	})
	for range 2 {
		req, err := http.NewRequest(http.MethodConnect, ts.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header[":protocol"] = []string{"test"}
		if _, _, err := ts.transport.Connect(ctx, req); err != nil {
			t.Fatal(err)
		}
	}
	if want := slices.Repeat([]string{ts.addr}, 4); !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}

func TestTunnel(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, enableTunnels)
	client, _, err := ts.connect(t, "/")
	if err != nil {
		t.Fatal(err)
	}
	server := <-tunnels
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	for _, ends := range [][2]*Tunnel{{client, server}, {server, client}} {
		go func() {
			_, _ = ends[0].Write(data)
			_ = ends[0].Close()
		}()
		if got, err := io.ReadAll(ends[1]); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	for _, tunnel := range []*Tunnel{client, server} {
		if _, err := tunnel.ReceiveDatagram(testContext(t)); !errors.Is(err, errTunnelEnded) {
			t.Errorf("ReceiveDatagram after the end: %v", err)
		}
	}
}

// TestTunnelOnLoop closes tunnels on the loop, before they were read or written and
// after that, and writes there: what is detached already does not wait for the loop.
func TestTunnelOnLoop(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, enableTunnels)
	for _, detached := range []bool{false, true} {
		client, _, err := ts.connect(t, "/")
		if err != nil {
			t.Fatal(err)
		}
		server := <-tunnels
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if detached {
			if n, err := server.Read(make([]byte, 10)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		closed := make(chan error, 2)
		event.Run(server.QUIC(), func(event.Turn) {
			if detached {
				_, err := server.Write([]byte("y"))
				closed <- err
			}
			closed <- server.Close()
		})
		if err := wait(t, "Close", closed); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(client); err != nil || (string(got) == "y") != detached {
			t.Errorf("%q, %v", got, err)
		}
		if err := server.Close(); err != nil && !detached {
			t.Errorf("the second time: %v", err)
		}
		_ = client.Close()
		if _, err := io.ReadAll(server); err != nil {
			t.Error(err)
		}
	}
}

// TestConnectCancelledWithResponse gives requests up whose response has come: they take
// no place of the connection's any more.
func TestConnectCancelledWithResponse(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
		} else if _, err := AcceptTunnel(w); err != nil {
			t.Error(err)
		}
	}, enableTunnels)
	for _, path := range []string{"/", "/refuse"} {
		req, err := http.NewRequest(http.MethodConnect, ts.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header[":protocol"] = []string{"test"}
		cc, _, err := ts.transport.acquireTraced(testContext(t), ts.addr, false, false)
		if err != nil {
			t.Fatal(err)
		}
		p, err := cc.beginConnect(testContext(t), req)
		if err != nil {
			t.Fatal(err)
		}
		wait(t, "the response", p.done)
		cause := errors.New("changed my mind")
		p.giveUp(cause)
		if _, err := p.tunnel.ReceiveDatagram(testContext(t)); err != cause {
			t.Errorf("%s: ReceiveDatagram: %v, want %v", path, err, cause)
		}
		if !eventually(p.released.Load) {
			t.Errorf("%s: the request keeps its place", path)
		}
	}
}

func TestTunnelDatagrams(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, enableTunnels)
	ts.transport.EnableDatagrams = true
	var clients, servers []*Tunnel
	for range 3 {
		c, _, err := ts.connect(t, "/")
		if err != nil {
			t.Fatal(err)
		}
		clients, servers = append(clients, c), append(servers, <-tunnels)
	}
	for i := range clients {
		for _, ends := range [][2]*Tunnel{{clients[i], servers[i]}, {servers[i], clients[i]}} {
			want := bytes.Repeat([]byte{byte(i)}, ends[0].MaxDatagramSize())
			if err := ends[0].SendDatagram(want); err != nil {
				t.Fatal(err)
			}
			if got, err := ends[1].ReceiveDatagram(testContext(t)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("tunnel %d: %d bytes, %v, want %d", i, len(got), err, len(want))
			}
			var tooLarge *quic.DatagramTooLargeError
			if err := ends[0].SendDatagram(make([]byte, 1<<16)); !errors.As(err, &tooLarge) {
				t.Errorf("64 KiB: %v", err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := clients[0].ReceiveDatagram(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ReceiveDatagram: %v", err)
	}
}

func TestDatagramsDisabled(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, func(s *Server) { s.EnableExtendedConnect = true })
	ts.transport.EnableDatagrams = true
	client, _, err := ts.connect(t, "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, tunnel := range []*Tunnel{client, <-tunnels} {
		if err := tunnel.SendDatagram([]byte("x")); !errors.Is(err, quic.ErrDatagramsDisabled) {
			t.Errorf("SendDatagram: %v", err)
		}
	}
}

// TestDatagramQueue: what nobody receives is dropped, the oldest first, and counted.
func TestDatagramQueue(t *testing.T) {
	c := &conn{qc: serve(t, nil).dialRaw(t).qc}
	c.datagrams.qc = c.qc
	first := c.newTunnel(event.Stream{}, nil, nil)
	for i := range maxQueuedDatagrams + 10 {
		eventTunnel{first}.PushDatagram([]byte{byte(i), byte(i >> 8)})
	}
	if n := first.DatagramsDropped(); n != 10 || c.datagrams.n.Load() != (2+queue.Overhead)*maxQueuedDatagrams {
		t.Errorf("%d dropped, %d bytes", n, c.datagrams.n.Load())
	}
	if p, err := first.ReceiveDatagram(t.Context()); err != nil || p[0] != 10 {
		t.Errorf("the oldest is %v, %v", p, err)
	}
	// All of a connection have a bound as well.
	for range 2 * maxConnDatagramBytes / maxQueuedDatagramBytes {
		other := c.newTunnel(event.Stream{}, nil, nil)
		for range maxQueuedDatagrams {
			eventTunnel{other}.PushDatagram(make([]byte, maxQueuedDatagramBytes/maxQueuedDatagrams))
		}
	}
	if n := c.datagrams.n.Load(); n > maxConnDatagramBytes {
		t.Errorf("%d bytes wait on the connection", n)
	}
	before, waiting := c.datagrams.n.Load(), int64(first.datagrams.Len()*(2+queue.Overhead))
	first.datagrams.Close(errTunnelEnded)
	first.datagrams.Settle()
	for first.datagrams.Len() > 0 {
		_, _ = first.ReceiveDatagram(t.Context())
	}
	if after := c.datagrams.n.Load(); before-after > waiting+int64(2+queue.Overhead) || before-after < waiting {
		t.Errorf("what was settled is counted: %d, %d before", after, before)
	}
}

func TestConnectErrors(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			http.Error(w, "no tunnels today", http.StatusForbidden)
		case "/reset":
			h3ext.HTTP3.Refuse(w, h3.RequestRejected)
		case "/late":
			w.WriteHeader(http.StatusAccepted)
			if _, err := AcceptTunnel(w); !errors.Is(err, errResponseBegun) {
				t.Errorf("AcceptTunnel after the header: %v", err)
			}
		case "/ordinary":
			if _, err := AcceptTunnel(w); !errors.Is(err, ErrNoTunnel) {
				t.Errorf("AcceptTunnel for GET: %v", err)
			}
		case "/panic":
			if _, err := AcceptTunnel(w); err != nil {
				t.Error(err)
			}
			panic(http.ErrAbortHandler)
		}
	}, enableTunnels)
	tunnel, resp, err := ts.connect(t, "/refuse")
	if err != nil || tunnel != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatal(tunnel, resp, err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "no tunnels today") {
		t.Errorf("%q, %v", body, err)
	}
	_, _, err = ts.connect(t, "/reset")
	wantError(t, err, h3.RequestRejected, true, false)
	if tunnel, _, err = ts.connect(t, "/late"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(tunnel); err != nil {
		t.Error(err)
	}
	_ = tunnel.Close()
	if tunnel, _, err = ts.connect(t, "/panic"); err == nil {
		_, err = io.ReadAll(tunnel)
	}
	wantError(t, err, h3.InternalError, true, false)
	ts.do(t, "GET", "/ordinary", nil)
}

func TestNoExtendedConnect(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	if _, _, err := ts.connect(t, "/"); !errors.Is(err, ErrNoExtendedConnect) {
		t.Errorf("Connect: %v", err)
	}
	c := ts.dialRaw(t)
	wantReset(t, ":protocol that was not allowed",
		c.request(true, headers(":method=CONNECT :protocol=x :scheme=https :authority=localhost :path=/")), h3.MessageError)
}

// TestMalformedDatagrams end the connection (RFC 9297, Section 2.1).
func TestMalformedDatagrams(t *testing.T) {
	for name, datagram := range map[string][]byte{"empty": {}, "too large": wire.AppendVarint(nil, 1<<60)} {
		ts := serve(t, func(http.ResponseWriter, *http.Request) {}, enableTunnels)
		_, clientTLS := peertest.TLS(t)
		clientTLS.NextProtos = []string{h3.NextProto}
		qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, &quic.Config{EnableDatagrams: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := qc.SendDatagram(datagram); err != nil {
			t.Fatal(err)
		}
		(&rawConn{t: t, qc: qc}).wantClose(name, h3.DatagramError)
	}
}

// TestNoDatagramsAfterClose: datagrams go with an open sending half (RFC 9297, Section 2.1).
func TestNoDatagramsAfterClose(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, enableTunnels)
	ts.transport.EnableDatagrams = true
	client, _, err := ts.connect(t, "/")
	if err != nil {
		t.Fatal(err)
	}
	server := <-tunnels
	for _, ends := range [][2]*Tunnel{{client, server}, {server, client}} {
		if err := ends[0].SendDatagram([]byte("in time")); err != nil {
			t.Fatal(err)
		}
		if got, err := ends[1].ReceiveDatagram(testContext(t)); err != nil || string(got) != "in time" {
			t.Errorf("%q, %v", got, err)
		}
		if err := ends[0].Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(ends[1]); err != nil {
			t.Error(err)
		}
		if err := ends[0].SendDatagram([]byte("late")); !errors.Is(err, errTunnelEnded) {
			t.Errorf("SendDatagram after Close: %v", err)
		}
	}
}

// TestTunnelsEndWithShutdown: Shutdown waits for tunnels.
func TestTunnelsEndWithShutdown(t *testing.T) {
	handler, tunnels := acceptAll()
	ts := serve(t, handler, enableTunnels)
	client, _, err := ts.connect(t, "/")
	if err != nil {
		t.Fatal(err)
	}
	server := <-tunnels
	done := make(chan error, 1)
	go func() { done <- ts.Shutdown(testContext(t)) }()
	_, _ = client.Write([]byte("still here"))
	_ = client.Close()
	if b, err := io.ReadAll(server); err != nil || string(b) != "still here" {
		t.Errorf("%q, %v", b, err)
	}
	select {
	case err := <-done:
		t.Errorf("Shutdown returned before the tunnel's end: %v", err)
	default:
	}
	_ = server.Close()
	if _, err := io.ReadAll(client); err != nil {
		t.Error(err)
	}
	if err := wait(t, "Shutdown", done); err != nil {
		t.Error(err)
	}
}
