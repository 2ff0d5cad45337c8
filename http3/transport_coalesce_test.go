package http3

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// coalesceServer is a server that counts its connections. Its certificate is for
// localhost and 127.0.0.1, which are its two origins.
type coalesceServer struct {
	*testServer
	names, numbers string // the origins' URLs

	mu    sync.Mutex
	conns []*quic.Conn
}

func serveTwo(t *testing.T, handler http.HandlerFunc) *coalesceServer {
	t.Helper()
	s := new(coalesceServer)
	s.testServer = serve(t, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if c := RequestConn(r); !slices.Contains(s.conns, c) {
			s.conns = append(s.conns, c)
		}
		s.mu.Unlock()
		handler(w, r)
	})
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.names, s.numbers = "https://localhost:"+port, "https://127.0.0.1:"+port
	s.transport.TLSClientConfig.ServerName = "" // one name for all origins would rule out sharing
	return s
}

func (s *coalesceServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// fetch sends a request and returns the response's status and content.
func (s *coalesceServer) fetch(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

func echoHost(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }

// TestCoalescing: RFC 9114, Section 3.3.
func TestCoalescing(t *testing.T) {
	s := serveTwo(t, echoHost)
	for i, base := range []string{s.names, s.numbers, s.names, s.numbers} {
		req := mustRequest(t, base)
		var got httptrace.GotConnInfo
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { got = info }}))
		if _, host := s.fetch(t, req); "https://"+host != base {
			t.Errorf("%s: the server saw %s", base, host)
		}
		if want := i > 0; got.Reused != want {
			t.Errorf("request %d: connection reused: %v, want %v", i, got.Reused, want)
		}
	}
	if n := s.count(); n != 1 {
		t.Errorf("%d connections for two origins, want one", n)
	}
	s.transport.CloseIdleConnections()
	s.transport.mu.Lock()
	if n := len(s.transport.pool); n != 0 {
		t.Errorf("%d origins have a connection that was closed", n)
	}
	s.transport.mu.Unlock()
	s.fetch(t, mustRequest(t, s.numbers))
	s.fetch(t, mustRequest(t, s.names))
	if n := s.count(); n != 2 {
		t.Errorf("%d connections after the first was closed, want one more", n)
	}
}

// TestCoalescingForbidden: origins get connections of their own where a shared one
// might be somebody else's.
func TestCoalescingForbidden(t *testing.T) {
	for name, configure := range map[string]func(*Transport){
		"switched off": func(tr *Transport) { tr.DisableCoalescing = true },
		"one name for all": func(tr *Transport) {
			tr.TLSClientConfig.ServerName = "localhost"
		},
		"no verification": func(tr *Transport) { tr.TLSClientConfig.InsecureSkipVerify = true },
		"own verification": func(tr *Transport) {
			tr.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error { return nil }
		},
		"own verification of certificates": func(tr *Transport) {
			tr.TLSClientConfig.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return nil }
		},
	} {
		s := serveTwo(t, echoHost)
		configure(s.transport)
		s.fetch(t, mustRequest(t, s.names))
		s.fetch(t, mustRequest(t, s.numbers))
		if n := s.count(); n != 2 {
			t.Errorf("%s: %d connections, want two", name, n)
		}
	}
	s := serveTwo(t, echoHost)
	s.fetch(t, mustRequest(t, s.names))
	_, port, _ := net.SplitHostPort(s.addr)
	for name, addr := range map[string]string{
		"a host that is not in the certificate": "elsewhere.example:" + port,
		"another address":                       "[::1]:" + port,
		"another port":                          "127.0.0.1:1",
		"no address":                            "127.0.0.1",
	} {
		if s.transport.coalesce(testContext(t), addr) {
			t.Errorf("%s, %s, shares the connection with %s", name, addr, s.names)
		}
	}
}

// TestCoalescingMisdirected: status 421 has a request sent again over a connection
// of its origin's own (RFC 9110, Section 15.5.20).
func TestCoalescingMisdirected(t *testing.T) {
	s := serveTwo(t, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.ServerName == "localhost" && !strings.HasPrefix(r.Host, "localhost") {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	s.fetch(t, mustRequest(t, s.names))
	post := func(body io.Reader) (int, string) {
		req, err := http.NewRequestWithContext(testContext(t), "POST", s.numbers, body)
		if err != nil {
			t.Fatal(err)
		}
		return s.fetch(t, req)
	}
	if status, _ := post(struct{ io.Reader }{strings.NewReader(strings.Repeat("x", keptContent+1))}); status != http.StatusMisdirectedRequest {
		t.Errorf("a body that cannot be sent again: status %d", status)
	}
	for _, body := range []io.Reader{strings.NewReader("again"), struct{ io.Reader }{strings.NewReader("again")}} {
		if status, content := post(body); status != http.StatusOK || content != "again" {
			t.Errorf("status %d, %q", status, content)
		}
	}
	s.transport.mu.Lock()
	clear(s.transport.misdirected) // as if it were the first time
	s.transport.remove(s.transport.pool[s.addr].conns[0])
	s.transport.mu.Unlock()
	if status, content := post(strings.NewReader("replayed")); status != http.StatusOK || content != "replayed" {
		t.Errorf("status %d, %q", status, content)
	}
	s.fetch(t, mustRequest(t, s.names))
	if n := s.count(); n != 3 {
		t.Errorf("%d connections, want the names', and two of the numbers'", n)
	}
}

// TestCoalescingMisdirectedWatched: a response with status 421 that a request's caller does
// not get does not end the request's context either, whose Cancel is watched.
func TestCoalescingMisdirectedWatched(t *testing.T) {
	s := serveTwo(t, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.ServerName == "localhost" && !strings.HasPrefix(r.Host, "localhost") {
			w.WriteHeader(http.StatusMisdirectedRequest)
		}
	})
	s.fetch(t, mustRequest(t, s.names))
	client := &http.Client{Transport: s.transport, Timeout: patience} // which sets Request.Cancel
	resp, err := client.Post(s.numbers, "text/plain", strings.NewReader("again"))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	if n := s.count(); n != 2 {
		t.Errorf("%d connections, want one of each origin", n)
	}
}
