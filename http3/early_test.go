package http3

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/test/quicmem"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// earlyRoundTrip is that of the network in memory.
const earlyRoundTrip = 10 * time.Millisecond

// earlyPair is a server and a client that has been there before, in a bubble.
type earlyPair struct {
	t         *testing.T
	net       *memnet.Network
	server    *Server
	transport *Transport
	on        *quic.Transport // the server's
	mu        sync.Mutex
	sent      []quictrace.PacketType // of the client
}

// Trace implements quictrace.Tracer.
func (p *earlyPair) Trace(_ time.Duration, e quictrace.Event) {
	if e, ok := e.(*quictrace.PacketSent); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, e.Type)
	}
}

// sentEarly reports whether 0-RTT packets were sent since it was called last.
func (p *earlyPair) sentEarly() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := p.sent
	p.sent = nil
	return slices.Contains(sent, quictrace.ZeroRTT)
}

// forgetful has seen no ticket.
type forgetful struct{}

func (forgetful) FirstUse([16]byte, time.Time, time.Time) bool { return true }

func earlyBubble(t *testing.T, handler http.HandlerFunc, f func(p *earlyPair)) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(earlyRoundTrip / 2)
		serverTLS, clientTLS := peertest.TLS(t)
		serverTLS.SetSessionTicketKeys([][32]byte{{1}})
		clientTLS.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		p := &earlyPair{t: t, net: n}
		p.on = quicmem.NewTransport(n.Listen(netip.MustParseAddrPort("127.0.0.1:443")), nil, nil).(*quic.Transport)
		client := quicmem.NewTransport(n.Listen(netip.MustParseAddrPort("127.0.0.1:5000")), nil, nil).(*quic.Transport)
		p.server = &Server{Handler: handler, TLSConfig: serverTLS, QUICConfig: &quic.Config{Allow0RTT: true, ReplayGuard: forgetful{}}}
		p.serve()
		p.transport = &Transport{TLSClientConfig: clientTLS, QUICTransport: client, QUICConfig: &quic.Config{
			Allow0RTT: true, Tracer: func(quictrace.Info) quictrace.Tracer { return p },
		}}
		defer func() {
			p.transport.Close()
			client.Close()
			p.server.Close()
			p.on.Close()
			synctest.Wait()
		}()
		p.do(http.MethodGet, "/first", "")
		p.leave()
		f(p)
	})
}

func (p *earlyPair) serve() {
	ln, err := p.server.ListenOn(p.on)
	if err != nil {
		p.t.Fatal(err)
	}
	go p.server.Serve(ln)
}

// leave ends the connection, which has brought a session.
func (p *earlyPair) leave() {
	time.Sleep(5 * earlyRoundTrip)
	p.transport.CloseIdleConnections()
	time.Sleep(5 * earlyRoundTrip)
	p.sentEarly()
}

// do returns the content of a response, its status, and how long it took.
func (p *earlyPair) do(method, path, content string) (body string, status int, took time.Duration) {
	p.t.Helper()
	var r io.Reader
	if content != "" {
		r = strings.NewReader(content)
	}
	req, err := http.NewRequest(method, "https://127.0.0.1"+path, r)
	if err != nil {
		p.t.Fatal(err)
	}
	start := time.Now()
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.TLS == nil || !resp.TLS.HandshakeComplete || len(resp.TLS.PeerCertificates) == 0 {
		p.t.Errorf("the response has %+v of TLS", resp.TLS)
	}
	return string(b), resp.StatusCode, time.Since(start)
}

// sayEarly tells what a handler sees of early data.
func sayEarly(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, "early "+r.Header.Get("Early-Data"))
	if !r.TLS.HandshakeComplete {
		io.WriteString(w, " before the handshake")
	}
}

// A safe request of a client that comes back is answered within one round trip; others
// wait for the handshake.
func TestEarlyRequest(t *testing.T) {
	earlyBubble(t, sayEarly, func(p *earlyPair) {
		for _, tt := range []struct {
			method, content, want string
			trips                 int
		}{
			{http.MethodGet, "", "early 1 before the handshake", 1},
			{http.MethodPost, "content", "early ", 2},
			{http.MethodDelete, "", "early ", 2},
			{http.MethodGet, "content", "early ", 2},
			{http.MethodOptions, "", "early 1 before the handshake", 1},
		} {
			body, status, took := p.do(tt.method, "/", tt.content)
			if body != tt.want || status != 200 || took.Round(earlyRoundTrip) != time.Duration(tt.trips)*earlyRoundTrip {
				t.Errorf("%s with content %q: %d, %q after %v", tt.method, tt.content, status, body, took)
			}
			if !p.sentEarly() { // SETTINGS at least
				t.Errorf("%s: no 0-RTT packet", tt.method)
			}
			if body, _, _ := p.do(tt.method, "/", tt.content); body != "early " {
				t.Errorf("%s, once more: %q", tt.method, body)
			}
			p.leave()
		}
	})
}

// A handler that does not want to answer early says so, and the client asks again.
func TestTooEarly(t *testing.T) {
	calls := 0
	handler := func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.Header.Get("Early-Data") != "" || r.URL.Path == "/always" {
			w.WriteHeader(http.StatusTooEarly)
		}
	}
	earlyBubble(t, handler, func(p *earlyPair) {
		calls = 0
		if _, status, took := p.do(http.MethodGet, "/", ""); status != 200 || calls != 2 || took.Round(earlyRoundTrip) != 2*earlyRoundTrip {
			t.Errorf("status %d after %d calls and %v", status, calls, took)
		}
		calls = 0
		if _, status, _ := p.do(http.MethodGet, "/always", ""); status != http.StatusTooEarly || calls != 1 {
			t.Errorf("status %d after %d calls, with a complete handshake", status, calls)
		}
		p.leave()
		calls = 0
		client := &http.Client{Transport: p.transport, Timeout: time.Minute} // which sets Request.Cancel
		resp, err := client.Get("https://127.0.0.1/")
		if err != nil {
			t.Fatalf("of a client with a timeout: %v", err)
		}
		if resp.Body.Close(); resp.StatusCode != 200 || calls != 2 {
			t.Errorf("of a client with a timeout: status %d after %d calls", resp.StatusCode, calls)
		}
	})
}

// A server answers an unsafe request in early data with 425 itself (RFC 8470, Section 5.2).
func TestUnsafeEarlyRequest(t *testing.T) {
	earlyBubble(t, sayEarly, func(p *earlyPair) {
		ctx := context.Background()
		conf, err := p.transport.tlsConfig("127.0.0.1:443")
		if err != nil {
			t.Fatal(err)
		}
		qc, err := p.transport.QUICTransport.Dial(ctx, "127.0.0.1:443", conf, &quic.Config{Allow0RTT: true})
		if err != nil {
			t.Fatal(err)
		}
		control, err := qc.OpenUniStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		control.Write(join([]byte{0x00}, frame(h3.FrameSettings, "")))
		s, err := qc.OpenStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.WriteLast(headers(postFields))
		m := readMessage(t, s)
		if early, _ := qc.AwaitHandshake(ctx); !early || len(m.fields) == 0 || m.fields[0].Value != "425" {
			t.Errorf("answered %v; early: %v", m.fields, early)
		}
		qc.CloseWithError(0, "")
	})
}

// Settings that are others than when the ticket was made make a server reject early data,
// and the request arrives all the same (RFC 9114, Section 7.2.4.2).
func TestEarlyRequestOtherSettings(t *testing.T) {
	earlyBubble(t, sayEarly, func(p *earlyPair) {
		again := func(edit func(*Server)) {
			p.server.Close()
			p.server = &Server{Handler: p.server.Handler, TLSConfig: p.server.TLSConfig, QUICConfig: p.server.QUICConfig}
			edit(p.server)
			p.serve()
		}
		again(func(*Server) {})
		if body, _, _ := p.do(http.MethodGet, "/", ""); body != "early 1 before the handshake" {
			t.Errorf("the same settings: %q", body)
		}
		p.leave()
		again(func(s *Server) { s.MaxHeaderBytes = 5000 })
		if body, _, took := p.do(http.MethodGet, "/", ""); body != "early " || took.Round(earlyRoundTrip) != 2*earlyRoundTrip {
			t.Errorf("other settings: %q after %v", body, took)
		}
		for _, tt := range []struct {
			extension, state string
			same             bool
		}{{"limits", "", false}, {"limits", "", true}, {"other limits", "", false}, {"other limits", "state", false}, {"other limits", "state", true}} {
			p.leave()
			again(func(s *Server) {
				h3ext.HTTP3.ExtendServer(s, nil, tt.extension, nil)
				s.QUICConfig = &quic.Config{Allow0RTT: true, ReplayGuard: forgetful{}, EarlyState: []byte(tt.state)}
			})
			if body, _, _ := p.do(http.MethodGet, "/", ""); (body == "early 1 before the handshake") != tt.same {
				t.Errorf("%+v: %q", tt, body)
			}
		}
		p.leave()
		again(func(s *Server) {
			s.QUICConfig = &quic.Config{Allow0RTT: true, ReplayGuard: forgetful{}, EarlyState: []byte("state")}
			s.MaxHeaderBytes = 5000
			h3ext.HTTP3.ExtendServer(s, nil, "other limits", nil)
		})
		if body, _, _ := p.do(http.MethodGet, "/", ""); body != "early " {
			t.Errorf("the user's state is the same, and the settings are not: %q", body)
		}
	})
}

// A request in early data whose connection never comes about is sent again: on another,
// once the server can be reached, or over TCP.
func TestEarlyRequestUnanswered(t *testing.T) {
	earlyBubble(t, sayEarly, func(p *earlyPair) {
		const gone = 3 * time.Second
		p.transport.QUICConfig.HandshakeTimeout = gone
		vanish := func(netip.AddrPort, netip.AddrPort, []byte) bool { return true }
		p.net.Drop(vanish)
		time.AfterFunc(gone+gone/6, func() { p.net.Drop(nil) })
		if body, status, took := p.do(http.MethodGet, "/", ""); body != "early " || status != 200 || took < gone {
			t.Errorf("%d, %q after %v", status, body, took)
		}
		if !p.sentEarly() {
			t.Error("no 0-RTT packet")
		}
		p.leave()
		p.net.Drop(vanish)
		overTCP := &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody}
		u := &Upgrader{HTTP3: p.transport, TCP: roundTripFunc(func(*http.Request) (*http.Response, error) { return overTCP, nil })}
		u.once.Do(u.init)
		const origin = "127.0.0.1:443"
		u.Cache.Learn(origin, `h3=":443"`)
		req, err := http.NewRequest(http.MethodGet, "https://"+origin, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := u.RoundTrip(req); resp != overTCP {
			t.Errorf("%v, %v, want the response over TCP", resp, err)
		}
		time.Sleep(gone)
		if _, ok := u.Cache.Lookup(origin); ok {
			t.Error("the cache does not know that HTTP/3 has failed")
		}
		if !p.sentEarly() {
			t.Error("no 0-RTT packet")
		}
	})
}
